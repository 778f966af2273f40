package partiql

import (
	"strings"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A Statement is a parsed statement. It is immutable and knows no parameters.
type Statement struct {
	Kind  Kind
	Table string
	Index string // "": the table itself

	// ReturnValues is the value of that member of UpdateItem and DeleteItem that RETURNING stands for; "" if there is none.
	ReturnValues string

	paths   []expr.Path // of SELECT; nil: everything
	where   *node       // nil: none
	order   []ordering  // of SELECT
	item    *node       // of INSERT
	actions []action    // of UPDATE
	params  int         // how many there are
}

// An ordering is one element of ORDER BY.
type ordering struct {
	path       expr.Path
	descending bool
}

// An action is one assignment of SET or one path of REMOVE.
type action struct {
	target expr.Path
	value  *node // nil: REMOVE
}

// An op is what a node of a statement's tree does.
type op uint8

const (
	// Conditions.
	opOr op = iota
	opAnd
	opNot
	opEQ
	opNE
	opLT
	opLE
	opGT
	opGE
	opBetween
	opIn
	opIsMissing
	opIs
	opAttributeType
	opBeginsWith
	opContains

	// Operands.
	opPath
	opValue
	opParam
	opList
	opSet
	opMap
	opSpread // of IN: the elements of a value that is bound later
	opSize
	opIfNotExists
	opListAppend
	opSetAdd
	opSetDelete
	opPlus
	opMinus
)

// An opTraits says how an op is written here and what it is in package expr.
type opTraits struct {
	name     string // as it is printed
	expr     string // as an expression writes it
	function bool   // written name(operand, ...)
}

var traits = [...]opTraits{
	opOr:            {name: "OR", expr: "OR"},
	opAnd:           {name: "AND", expr: "AND"},
	opNot:           {name: "NOT", expr: "NOT"},
	opEQ:            {name: "=", expr: "="},
	opNE:            {name: "<>", expr: "<>"},
	opLT:            {name: "<", expr: "<"},
	opLE:            {name: "<=", expr: "<="},
	opGT:            {name: ">", expr: ">"},
	opGE:            {name: ">=", expr: ">="},
	opBetween:       {name: "BETWEEN", expr: "BETWEEN"},
	opIn:            {name: "IN", expr: "IN"},
	opIsMissing:     {name: "IS MISSING", expr: "attribute_not_exists"},
	opIs:            {name: "IS", expr: "attribute_type"},
	opAttributeType: {name: "attribute_type", expr: "attribute_type", function: true},
	opBeginsWith:    {name: "begins_with", expr: "begins_with", function: true},
	opContains:      {name: "contains", expr: "contains", function: true},
	opSize:          {name: "size", expr: "size", function: true},
	opIfNotExists:   {name: "if_not_exists", expr: "if_not_exists", function: true},
	opListAppend:    {name: "list_append", expr: "list_append", function: true},
	opSetAdd:        {name: "set_add", function: true},
	opSetDelete:     {name: "set_delete", function: true},
	opPlus:          {name: "+", expr: "+"},
	opMinus:         {name: "-", expr: "-"},
}

// function finds the op of a function by its name, in whatever case.
func function(name string) (op, bool) {
	for o, t := range traits {
		if t.function && strings.EqualFold(t.name, name) {
			return op(o), true
		}
	}
	return 0, false
}

// isCondition reports whether the op yields true or false.
func (o op) isCondition() bool { return o <= opContains }

// types are the names that can stand behind IS, and the types that they are.
var types = map[string]attr.Type{
	"NULL": attr.NULL, "BOOL": attr.BOOL, "BOOLEAN": attr.BOOL, "STRING": attr.S, "DECIMAL": attr.N, "NUMERIC": attr.N,
	"BLOB": attr.B, "LIST": attr.L, "STRUCT": attr.M, "TUPLE": attr.M,
}

// typeNames are the names that IS is printed with.
var typeNames = map[attr.Type]string{
	attr.NULL: "NULL", attr.BOOL: "BOOL", attr.S: "STRING", attr.N: "DECIMAL", attr.B: "BLOB", attr.L: "LIST", attr.M: "STRUCT",
}

// A node is one node of a statement's tree. Trees are immutable.
type node struct {
	op    op
	path  expr.Path  // opPath
	value attr.Value // opValue
	typ   attr.Type  // opIs
	param int        // opParam: which, counted from 0
	names []string   // opMap: of its attributes
	args  []node     // operands, elements; of OR and AND two or more
}

func pathNode(name string) *node { return &node{op: opPath, path: expr.Path{{Name: name}}} }

// conjuncts returns what must hold together for n to hold; nothing for nil.
func (n *node) conjuncts() []*node {
	switch {
	case n == nil:
		return nil
	case n.op != opAnd:
		return []*node{n}
	}
	all := make([]*node, len(n.args))
	for i := range n.args {
		all[i] = &n.args[i]
	}
	return all
}
