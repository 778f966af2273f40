// Package api is the vocabulary that the front and the services share: services, operations, calls, errors, and the
// shapes of inputs and outputs with their constraints as data. It knows neither HTTP nor the database.
package api

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/grammedb/gramme/internal/iam"
)

// A Service is one AWS service: the list of its operations and how its errors are told.
type Service struct {
	Name         string // for logs and metrics: "dynamodb"
	TargetPrefix string // of X-Amz-Target: "DynamoDB_20120810"
	SigningName  string // in the credential scope: "dynamodb"
	Protocol     Protocol
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
)

// An Op is one operation.
type Op struct {
	Name string
	In   reflect.Type // struct
	Out  reflect.Type // struct; nil: the answer has no body
	// New returns a new *In.
	New func() any
	// Run runs the operation on a validated *In and returns an *Out.
	Run func(context.Context, *Call, any) (any, error)
}

// Define makes an Op from a typed function.
func Define[I, O any](name string, run func(context.Context, *Call, *I) (*O, error)) *Op {
	return &Op{
		Name: name,
		In:   reflect.TypeFor[I](),
		Out:  reflect.TypeFor[O](),
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

// A Call is one request on its way through an operation.
type Call struct {
	Service   *Service
	Op        *Op
	RequestID string
	Region    string // the namespace that the call acts in
	Account   string
	Principal iam.Principal
	Host      string    // as the client named the server: host[:port]
	Time      time.Time // when the call arrived
}

// An Error is a failure as the client sees it.
type Error struct {
	Space   string // namespace in __type: SpaceModel, ...
	Code    string // "ResourceNotFoundException"
	Status  int    // HTTP status
	Message string // "": the member is left out
	Upper   bool   // the text's member is spelled Message
	// More holds further members, encoded as an output shape is; nil or a pointer to a struct.
	More any
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// The namespaces of errors.
const (
	SpaceModel        = "com.amazonaws.dynamodb.v20120810"
	SpaceValidate     = "com.amazon.coral.validate"
	SpaceService      = "com.amazon.coral.service"
	SpaceAvailability = "com.amazon.coral.availability"
)

// Errorf makes a modelled error of status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Space: SpaceModel, Code: code, Status: 400, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes a ValidationException.
func Invalid(format string, args ...any) *Error {
	return &Error{Space: SpaceValidate, Code: "ValidationException", Status: 400, Message: fmt.Sprintf(format, args...)}
}
