// Package expr holds DynamoDB's expressions: update, condition, filter, key condition and projection, and the legacy
// parameters that they replaced.
//
// An expression goes through phases, each with types of its own:
//
//	text    lexed and parsed (lex.go, parse.go, ast.go), which depends on the text alone and is cached by it
//	parsed  bound to the names and values of one request (bind.go), which checks all that can be checked without an item
//	bound   evaluated against items (eval.go, update.go, projection.go); nothing can fail for reasons of form any more
//
// Legacy parameters (legacy.go) and PartiQL (build.go) make the same bound trees, so there is one evaluator.
//
// Sources: DynamoDB developer guide, "Using expressions in DynamoDB" and "Legacy conditional parameters".
package expr

import (
	"strconv"
	"strings"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Request is the expression members of one request; they share the two maps.
type Request struct {
	Update, Condition, KeyCondition, Filter, Projection *string // nil: absent

	Names  map[string]string // ExpressionAttributeNames; nil: absent
	Values attr.SentItem     // ExpressionAttributeValues; absent if Item is nil and Check finds nothing

	// Takes names the expression members of the operation that can use values, in the order in which the text
	// "ExpressionAttributeValues can only be specified when using expressions: A and B are null" lists them.
	Takes []string
}

// A Bound is the expressions of one request, ready to be evaluated. Members whose expression was absent are nil. It
// aliases the request's names and values, and may be kept while they live.
type Bound struct {
	Update            *Update
	Condition, Filter *Condition
	KeyCondition      *KeyCondition
	Projection        *Projection
}

// An Error is a fault in a request, or an update that an item does not allow: a ValidationException with this text.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// A Path is a document path with its placeholders resolved: a top-level attribute, then map keys and list indexes.
type Path []Step

// A Step is one element of a Path: the name of an attribute or map key, or an index into a list.
type Step struct {
	Name    string
	Index   int
	IsIndex bool
}

// String returns the path as error texts print it: [a, b, [0]].
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		b.WriteString([]string{"[", ", "}[min(i, 1)])
		if s.IsIndex {
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		} else {
			b.WriteString(s.Name)
		}
	}
	return b.String() + "]"
}
