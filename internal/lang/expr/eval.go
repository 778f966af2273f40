package expr

import (
	"iter"
	"slices"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Condition is a bound condition or filter. It is immutable.
type Condition struct {
	binding
	root     *node
	junction *junction // the same as root, if that is a long one
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
func (c *Condition) Eval(it attr.Item) bool {
	if c.junction != nil {
		return c.decide(c.junction, it)
	}
	var space binding
	return c.on(it, &space).holds(c.root, it)
}

// Work estimates what it takes to evaluate the condition against a small item, in steps of about ten nanoseconds.
func (c *Condition) Work() int {
	if c.junction != nil {
		return c.junctionWork(c.junction)
	}
	return c.work(c.root)
}

// work counts the nodes, and what is to be walked through in large values that they are about.
func (b *binding) work(n *node) int {
	if n.op == opIn { // a value is compared with many that are prepared
		return 1 + len(n.args)/4
	}
	steps := 1
	for i := range n.args {
		steps += b.work(&n.args[i])
	}
	if (n.op == opContains || n.op == opSize) && n.args[0].op == opValue {
		steps += len(b.values[n.args[0].index]) / 8
	}
	return steps
}

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
		return b.at(n.index, it)
	}
	return b.values[n.index]
}
