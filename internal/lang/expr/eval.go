package expr

import (
	"iter"
	"slices"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Condition is a bound condition or filter. It is immutable.
type Condition struct {
	binding
	root *node
}

// ValueSize returns the bytes that DynamoDB counts for the values that the condition compares with; 0 for no condition.
func (c *Condition) ValueSize() int {
	if c == nil {
		return 0
	}
	return c.valueSize()
}

// newCondition checks a parsed condition against its binding.
func newCondition(p *parsed, to binding) (*Condition, error) {
	if fault := to.check(p.cond); fault != "" {
		return nil, p.kind.fault(fault)
	}
	return &Condition{binding: to, root: p.cond}, nil
}

// Paths ranges over every document path that the condition mentions.
func (c *Condition) Paths() iter.Seq[Path] { return slices.Values(c.paths) }

// Eval reports whether the item satisfies the condition; nil is no item. It cannot fail.
func (c *Condition) Eval(it attr.Item) bool { return c.holds(c.root, it) }

// holds evaluates a condition. What compares a missing value is false, except <>.
func (b *binding) holds(n *node, it attr.Item) bool {
	switch n.op {
	case opOr:
		for i := range n.args {
			if b.holds(&n.args[i], it) {
				return true
			}
		}
		return false
	case opAnd:
		for i := range n.args {
			if !b.holds(&n.args[i], it) {
				return false
			}
		}
		return true
	case opNot:
		return !b.holds(&n.args[0], it)
	case opEQ:
		return b.equal(&n.args[0], &n.args[1], it)
	case opNE:
		return b.differ(&n.args[0], &n.args[1], it)
	case opIn:
		return b.in(n, it)
	case opBetween:
		return b.between(n, it)
	case opAttributeExists:
		return b.stored(&n.args[0], it) != nil
	case opAttributeNotExists:
		return b.stored(&n.args[0], it) == nil
	case opAttributeType:
		return b.hasType(n, it)
	case opBeginsWith:
		return b.beginsWith(n, it)
	case opContains:
		return b.contains(n, it)
	}
	return b.ordered(n, it)
}

func (b *binding) equal(left, right *node, it attr.Item) bool {
	var x, y scratch
	l := b.operand(left, it, &x)
	return l != nil && attr.Equal(l, b.operand(right, it, &y))
}

// differ evaluates <>, which is true of a missing value, though not of the size of one.
func (b *binding) differ(left, right *node, it attr.Item) bool {
	var x, y scratch
	l, r := b.operand(left, it, &x), b.operand(right, it, &y)
	if l == nil && left.op == opSize || r == nil && right.op == opSize {
		return false
	}
	return l == nil || !attr.Equal(l, r)
}

// ordered evaluates < <= > >=, which are false of two types and of types without an order.
func (b *binding) ordered(n *node, it attr.Item) bool {
	var x, y scratch
	order, ok := attr.Compare(b.operand(&n.args[0], it, &x), b.operand(&n.args[1], it, &y))
	if !ok {
		return false
	}
	switch n.op {
	case opLT:
		return order < 0
	case opLE:
		return order <= 0
	case opGT:
		return order > 0
	}
	return order >= 0
}

func (b *binding) between(n *node, it attr.Item) bool {
	var x, y scratch
	v := b.operand(&n.args[0], it, &x)
	if order, ok := attr.Compare(b.operand(&n.args[1], it, &y), v); !ok || order > 0 {
		return false
	}
	order, ok := attr.Compare(v, b.operand(&n.args[2], it, &y))
	return ok && order <= 0
}

func (b *binding) in(n *node, it attr.Item) bool {
	var x, y scratch
	v := b.operand(&n.args[0], it, &x)
	for i := range n.args[1:] {
		if v != nil && attr.Equal(v, b.operand(&n.args[i+1], it, &y)) {
			return true
		}
	}
	return false
}

// operand returns the value of an operand, nil if it is missing. It aliases it, b or space, where what is computed goes.
func (b *binding) operand(n *node, it attr.Item, space *scratch) attr.Value {
	if n.op == opSize {
		return space.size(b.stored(&n.args[0], it))
	}
	return b.stored(n, it)
}

// stored returns the value of an operand that is a path or a value, nil if it is missing.
func (b *binding) stored(n *node, it attr.Item) attr.Value {
	if n.op == opPath {
		return b.paths[n.index].lookup(it)
	}
	return b.values[n.index]
}
