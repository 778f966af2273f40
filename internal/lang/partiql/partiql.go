// Package partiql holds the statements of PartiQL that DynamoDB knows: SELECT, INSERT, UPDATE, DELETE, and EXISTS, which
// transactions have for a condition.
//
// A statement goes through phases, each with types of its own:
//
//	text       lexed and parsed (lex.go, parse.go, ast.go), which depends on the text alone
//	Statement  bound to the parameters of one request (bind.go), which checks all that can be checked without a table
//	Bound      lowered to what the key schema of a table or index makes of it (lower.go): the conditions, updates and projections of
//	           package expr, and key conditions that name what to read
//
// There is no evaluator here: what a statement means is what the expressions mean that it is lowered to.
//
// Sources: DynamoDB developer guide, "PartiQL - a SQL-compatible query language for Amazon DynamoDB".
package partiql

import (
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A Kind is what a statement does.
type Kind uint8

// The kinds.
const (
	Select Kind = iota
	Exists      // a condition of a transaction
	Insert
	Update
	Delete
)

// A Schema names the key attributes of a table or an index.
type Schema struct{ Partition, Sort []string }

// fault returns a ValidationException with this text.
func fault(text string) *expr.Error { return &expr.Error{Text: text} }

// tooNested is a value with more levels than an attribute can have.
var tooNested = fault("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")

// checkDepth checks a value that a statement puts together, of which its parts were checked before.
func checkDepth(v attr.Value, levels int) error {
	if v.Depth() > levels {
		return tooNested
	}
	return nil
}
