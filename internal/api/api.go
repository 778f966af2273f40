// Package api is the vocabulary that the front and the services share: services, operations, calls, errors, and the
// shapes of inputs and outputs with their constraints as data. It knows neither HTTP nor the database.
//
// # Shapes
//
// An input or output is a struct of package ddb and its like, generated from the service's model. A scalar is a pointer,
// a structure too; a member that is absent is nil. The name on the wire is the field's unless the tag wire gives another.
// The tag aws holds the constraints of the member, separated by commas:
//
//	required      must be present
//	long          an integer of 64 bits (else of 32)
//	min=n max=n   least and greatest value of a number, length of anything else
//	enum=A|B      the values there are, in the order in which messages list them
//	pattern=re    a pattern for the whole text; stands last, for it may hold commas
//	patternfirst  the pattern is checked before the length
//	arn           an ARN is taken where a name is, of up to 1024 characters and without the other checks
//	alone         a fault is reported without those of other members, the first only
//	modern=min    a breach of min (or max) is worded in the newer form, without the value
//
// The tag at says where a member stands in the protocol REST, if it is not a member of the JSON in the body: path, query or header
// with a name after a colon, status, or payload for all of the body.
//
// The tags key and elem hold the same for the keys of a map and for the elements of a list or map. The tags absent,
// short, long and unlisted hold a sentence that takes the place of the usual message for a value that is absent, below
// min, above max, or not in the enumeration. Such a sentence, and a fault of a member that is reported alone, is told if
// it is the first fault found, and then by itself.
package api

import (
	"context"
	"reflect"
	"time"

	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Service is one AWS service: the list of its operations and how its errors are told.
type Service struct {
	Name         string // for logs and metrics: "dynamodb"
	TargetPrefix string // of X-Amz-Target: "DynamoDB_20120810"
	SigningName  string // in the credential scope: "dynamodb"
	Protocol     Protocol
	XMLNamespace string // of a Query service's answers
	NoPages      bool   // web pages are refused, whoever signs for them
	Ops          []*Op
	// Translate turns an error of an operation into the service's own. Errors that are an *Error already are not shown to it.
	Translate func(error) *Error
}

// A Protocol is a way to write calls as bytes.
type Protocol int

// The protocols.
const (
	JSON10 Protocol = iota // awsJson1_0
	Query                  // form in, XML out
	REST                   // restJson1: paths, queries, headers and JSON; each Op has a Bind
)

// An Op is one operation.
type Op struct {
	Name string
	In   reflect.Type // struct
	Out  reflect.Type // struct; nil: the answer has no body
	Bind Binding      // of a REST service
	// New returns a new *In.
	New func() any
	// Quick says that the operation answers from memory as a rule and has little to do: it is run where its request was read.
	Quick bool
	// Run runs the operation on a validated *In and returns an *Out.
	Run func(context.Context, *Call, any) (any, error)
}

// A Binding is the place of an operation of a REST service.
type Binding struct {
	Method string
	URI    string // "/2015-03-31/functions/{FunctionName}": what stands in braces is a label
	Status int    // of its answer, unless a member of the output says another
}

// Nothing is the output of an operation whose answer has no body.
type Nothing struct{}

// Define makes an Op from a typed function. O is Nothing where the answer has no body.
func Define[I, O any](name string, run func(context.Context, *Call, *I) (*O, error)) *Op {
	out := reflect.TypeFor[O]()
	if out == reflect.TypeFor[Nothing]() {
		out = nil
	}
	return &Op{
		Name: name,
		In:   reflect.TypeFor[I](),
		Out:  out,
		New:  func() any { return new(I) },
		Run: func(ctx context.Context, c *Call, in any) (any, error) {
			out, err := run(ctx, c, in.(*I))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// A Call is one request on its way through an operation, and ends with it. Its strings are valid until the answer is encoded.
type Call struct {
	Service   *Service
	Op        *Op
	RequestID string
	Region    string // the namespace that the call acts in
	Account   string
	Principal iam.Principal
	Host      string    // as the client named the server: host[:port]
	Time      time.Time // when the call arrived

	// Arena is where an operation may make the items of its answer, which then are valid until that is encoded; nil: nowhere.
	Arena *attr.Arena
}

// Quickly marks op as Quick if that is so.
func Quickly(is bool, op *Op) *Op {
	op.Quick = is
	return op
}
