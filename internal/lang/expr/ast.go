package expr

import (
	"sort"
	"strings"
	"sync/atomic"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A kind is one of the five kinds of expression.
type kind uint8

const (
	updateKind kind = iota
	conditionKind
	keyConditionKind
	filterKind
	projectionKind
)

var kindNames = [...]string{
	"UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression", "ProjectionExpression",
}

// String returns the name of the request member, which begins the error texts.
func (k kind) String() string { return kindNames[k] }

func (k kind) fault(text string) *Error { return &Error{"Invalid " + k.String() + ": " + text} }

// An op is what a node of an expression's tree does.
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
	opAttributeExists
	opAttributeNotExists
	opAttributeType
	opBeginsWith
	opContains

	// Operands.
	opPath
	opValue
	opSize
	opIfNotExists
	opListAppend
	opPlus
	opMinus
	opUnknown // a function that does not exist; only while parsing
	opNone    // the parent of what has none
)

// An opTraits says how an op is written and what it takes.
type opTraits struct {
	name     string
	function bool    // written name(operand, ...)
	operands int     // of a function
	path     bool    // the first operand must be a document path
	types    typeSet // what the operands may be, as far as the request tells; none: anything
	distinct bool    // the first operand may not be the path that another is
}

var traits = [...]opTraits{
	opOr:                 {name: "OR"},
	opAnd:                {name: "AND"},
	opNot:                {name: "NOT"},
	opEQ:                 {name: "=", distinct: true},
	opNE:                 {name: "<>", distinct: true},
	opLT:                 {name: "<", types: orderedTypes, distinct: true},
	opLE:                 {name: "<=", types: orderedTypes, distinct: true},
	opGT:                 {name: ">", types: orderedTypes, distinct: true},
	opGE:                 {name: ">=", types: orderedTypes, distinct: true},
	opBetween:            {name: "BETWEEN", types: orderedTypes, distinct: true},
	opIn:                 {name: "IN", distinct: true},
	opAttributeExists:    {name: "attribute_exists", function: true, operands: 1, path: true},
	opAttributeNotExists: {name: "attribute_not_exists", function: true, operands: 1, path: true},
	opAttributeType:      {name: "attribute_type", function: true, operands: 2},
	opBeginsWith:         {name: "begins_with", function: true, operands: 2, types: prefixTypes, distinct: true},
	opContains:           {name: "contains", function: true, operands: 2, distinct: true},
	opSize:               {name: "size", function: true, operands: 1, types: sizedTypes},
	opIfNotExists:        {name: "if_not_exists", function: true, operands: 2, path: true},
	opListAppend:         {name: "list_append", function: true, operands: 2, types: listTypes},
	opPlus:               {name: "+", types: numberTypes},
	opMinus:              {name: "-", types: numberTypes},
	opUnknown:            {function: true},
	opNone:               {},
}

// functions finds the op of a function by its name.
var functions = func() map[string]op {
	m := make(map[string]op)
	for o, t := range traits {
		if t.function {
			m[t.name] = op(o)
		}
	}
	return m
}()

// isCondition reports whether the op yields true or false.
func (o op) isCondition() bool { return o <= opContains }

// canStandIn reports whether an op may be an operand of another in an expression of the kind.
func (o op) canStandIn(parent op, k kind) bool {
	switch {
	case parent <= opNot:
		return o.isCondition()
	case o.isCondition():
		return false
	case o == opSize:
		return k != updateKind
	case o == opIfNotExists:
		return k == updateKind
	case o == opListAppend:
		return k == updateKind && !traits[parent].function
	case o == opPlus, o == opMinus:
		return k == updateKind && parent == opNone
	}
	return true
}

func misplaced(o op) string {
	return "The function is not allowed to be used this way in an expression; function: " + traits[o].name
}

// A typeSet is a set of attribute types.
type typeSet uint16

func typesOf(types ...attr.Type) typeSet {
	var set typeSet
	for _, t := range types {
		set |= 1 << t
	}
	return set
}

func (s typeSet) has(t attr.Type) bool { return s&(1<<t) != 0 }

var (
	orderedTypes = typesOf(attr.S, attr.N, attr.B)
	prefixTypes  = typesOf(attr.S, attr.B)
	sizedTypes   = typesOf(attr.S, attr.B, attr.SS, attr.NS, attr.BS, attr.L, attr.M)
	listTypes    = typesOf(attr.L)
	numberTypes  = typesOf(attr.N)
	setTypes     = typesOf(attr.SS, attr.NS, attr.BS)
)

// A node is one node of an expression's tree. Trees are immutable and know neither names nor values: a path and a value are
// indexes into what a binding supplies, so that one parsed tree serves every request.
type node struct {
	op    op
	index int    // opPath, opValue: into binding.paths, binding.values
	args  []node // the others: operands; of OR and AND two or more
}

// A binding is what the indexes in a tree stand for.
type binding struct {
	paths   []Path
	values  []attr.Value
	targets []Path // of an update's actions, in their order

	found []attr.Value // what the paths lead to in one item, where that has been found out beforehand; else nil
}

// valueSize returns the bytes that DynamoDB counts for all the values of a request that an expression uses.
func (b *binding) valueSize() (n int) {
	for _, v := range b.values {
		n += v.Size()
	}
	return n
}

// A verb is one of the sections of an update expression.
type verb uint8

const (
	verbSet verb = iota
	verbRemove
	verbAdd
	verbDelete
)

var verbNames = [...]string{"SET", "REMOVE", "ADD", "DELETE"}

func (v verb) String() string { return verbNames[v] }

// An action is one element of a section: SET target = value, REMOVE target, ADD target value, DELETE target value.
type action struct {
	verb   verb
	target int   // into binding.paths
	value  *node // nil: REMOVE
}

// A parsed is an expression as far as its text tells. It is immutable, except for what it remembers, and cached.
type parsed struct {
	kind    kind
	text    string
	refs    []ref    // the distinct placeholders in order of first appearance
	sorted  []ref    // the same in order of their names: all #names before all :values
	values  []string // the distinct :values, as opValue's indexes count them
	paths   []Path   // in textual order, placeholders still in them
	steps   int      // of all paths together
	named   bool     // some path has a placeholder
	cond    *node    // condition, key condition, filter
	actions []action // update

	// Of an expression whose paths have no placeholders, so that they are the same for every request:
	targets    []Path
	projection *Projection

	last atomic.Pointer[named] // of another expression: its paths with the names of a request not long ago
}

// A ref is a placeholder that an expression uses.
type ref struct {
	name  string
	index int // of a :value into parsed.values
}

func (r ref) isValue() bool { return r.name[0] == ':' }

func compareRefs(a, b ref) int { return strings.Compare(a.name, b.name) }

// uses reports whether the expression uses the placeholder.
func (p *parsed) uses(name string) bool {
	i := sort.Search(len(p.sorted), func(i int) bool { return p.sorted[i].name >= name })
	return i < len(p.sorted) && p.sorted[i].name == name
}
