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
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Request is the expression members of one request; they share the two maps.
type Request struct {
	Update, Condition, KeyCondition, Filter, Projection *string // nil: absent

	Names  map[string]string // ExpressionAttributeNames; nil: absent
	Values attr.SentItem     // ExpressionAttributeValues

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
