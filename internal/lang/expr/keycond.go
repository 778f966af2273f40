package expr

import (
	"slices"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A KeyCondition is a bound key condition: comparisons of distinct top-level attributes with values, in textual order. That
// they suit a key schema is for the planner to check.
type KeyCondition struct{ Conds []KeyCond }

// A KeyCond is one comparison of a key attribute; `:v < a` has become `a > :v`.
type KeyCond struct {
	Name   string
	Op     KeyOp
	Values []attr.Value // two for BETWEEN, else one
}

// A KeyOp is an operator that a key condition can have.
type KeyOp uint8

// The operators.
const (
	EQ KeyOp = iota
	LT
	LE
	GT
	GE
	BETWEEN
	BEGINS_WITH
	OTHER // no operator of a key condition, but the legacy KeyConditions can have it
)

var keyOps = map[op]KeyOp{
	opEQ: EQ, opLT: LT, opLE: LE, opGT: GT, opGE: GE, opBetween: BETWEEN, opBeginsWith: BEGINS_WITH,
}

// mirrored are the operators whose operands can be swapped, with what they become then.
var mirrored = map[op]op{opEQ: opEQ, opLT: opGT, opLE: opGE, opGT: opLT, opGE: opLE}

// newKeyCondition checks a parsed condition against its binding and restricts it to what a key condition can be. The texts
// of these restrictions, unlike all others, do not start with the kind of expression.
func newKeyCondition(p *parsed, to binding) (*KeyCondition, error) {
	if fault := to.check(p.cond); fault != "" {
		return nil, p.kind.fault(fault)
	}
	k := &KeyCondition{Conds: make([]KeyCond, 0, 2)}
	for _, n := range p.cond.conjuncts(make([]*node, 0, 4)) {
		c, fault := to.keyCond(n)
		if fault != "" {
			return nil, &Error{fault}
		}
		if slices.ContainsFunc(k.Conds, func(other KeyCond) bool { return other.Name == c.Name }) {
			return nil, &Error{"KeyConditionExpressions must only contain one condition per key"}
		}
		k.Conds = append(k.Conds, c)
	}
	return k, nil
}

// conjuncts appends the conditions that n joins by AND, in textual order, whatever the parentheses.
func (n *node) conjuncts(dst []*node) []*node {
	if n.op != opAnd {
		return append(dst, n)
	}
	for i := range n.args {
		dst = n.args[i].conjuncts(dst)
	}
	return dst
}

// keyCond turns one comparison into its attribute-first form, or returns an error text.
func (b *binding) keyCond(n *node) (KeyCond, string) {
	const inCondition = "Invalid condition in KeyConditionExpression: "
	keyOp, ok := keyOps[n.op]
	if !ok {
		return KeyCond{}, "Invalid operator used in KeyConditionExpression: " + traits[n.op].name
	}
	path, fault := b.keyPath(n)
	if fault != "" {
		return KeyCond{}, fault
	}
	operands := n.args[1:]
	if n.args[0].op != opPath {
		swapped, ok := mirrored[n.op]
		if !ok {
			return KeyCond{}, inCondition + traits[n.op].name + " operator must have the key attribute as its first operand"
		}
		keyOp, operands = keyOps[swapped], n.args[:1]
	}
	c := KeyCond{Name: path[0].Name, Op: keyOp, Values: make([]attr.Value, len(operands))}
	for i := range operands {
		c.Values[i] = b.values[operands[i].index]
	}
	return c, ""
}

// keyPath returns the one path among the operands, which is that of a top-level attribute, or an error text.
func (b *binding) keyPath(n *node) (Path, string) {
	const inCondition = "Invalid condition in KeyConditionExpression: "
	var found Path
	for i := range n.args {
		switch operand := &n.args[i]; {
		case operand.op == opValue:
		case operand.op != opPath:
			return nil, "KeyConditionExpressions cannot contain nested operations"
		case found != nil:
			return nil, inCondition + "Multiple attribute names used in one condition"
		default:
			found = b.paths[operand.index]
		}
	}
	switch {
	case found == nil:
		return nil, inCondition + "No key attribute specified"
	case len(found) > 1:
		return nil, "KeyConditionExpressions cannot have conditions on nested attributes"
	}
	return found, ""
}
