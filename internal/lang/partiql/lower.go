package partiql

import (
	"slices"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A lowering makes one condition or update of package expr. REQUIRES: what it lowers has been bound.
type lowering struct {
	expr.Builder
	err error // the first
}

// condition returns the condition that all of the nodes together are, nil for none.
func condition(all ...*node) (*expr.Condition, error) {
	if len(all) == 0 {
		return nil, nil
	}
	var l lowering
	kids := make([]expr.Node, len(all))
	for i, n := range all {
		kids[i] = l.node(n)
	}
	root := kids[0]
	if len(kids) > 1 {
		root = l.op(opAnd, kids...)
	}
	if l.err != nil {
		return nil, l.err
	}
	return l.Condition(root)
}

func (l *lowering) node(n *node) expr.Node {
	switch n.op {
	case opPath:
		return l.Path(n.path)
	case opValue:
		l.fail(checkDepth(n.value, attr.MaxLevels))
		return l.Value(n.value)
	case opSetAdd, opSetDelete:
		l.fail(fault(traits[n.op].name + " can only be what a SET clause assigns"))
	}
	kids := make([]expr.Node, len(n.args), len(n.args)+1)
	for i := range n.args {
		kids[i] = l.node(&n.args[i])
	}
	if n.op == opIs {
		kids = append(kids, l.Value(attr.String(n.typ.String())))
	}
	return l.op(n.op, kids...)
}

func (l *lowering) op(o op, operands ...expr.Node) expr.Node {
	n, err := l.Op(traits[o].expr, operands...)
	l.fail(err)
	return n
}

func (l *lowering) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// set lowers an assignment. A set function changes the attribute that it is assigned to.
func (l *lowering) set(target expr.Path, value *node) {
	if value.op != opSetAdd && value.op != opSetDelete {
		l.Set(target, l.node(value))
		return
	}
	name, operands := traits[value.op].name, value.args
	switch {
	case len(operands) != 2 || operands[0].op != opPath || !slices.Equal(operands[0].path, target):
		l.fail(fault("The operands of " + name + " must be the path that it is assigned to and a set"))
	case operands[1].op != opValue || operands[1].value.Type().Elem() == attr.Missing:
		l.fail(fault("The second operand of " + name + " must be a set"))
	case value.op == opSetAdd:
		l.Add(target, operands[1].value)
	default:
		l.Delete(target, operands[1].value)
	}
}

// A Point is the one item that a statement is about.
type Point struct {
	Key       attr.Item       // nil of an INSERT, whose item has it
	Condition *expr.Condition // what else must hold of the item; nil: nothing
}

// ErrNoKey is returned where the condition of a statement leaves open which item it is about.
var ErrNoKey error = fault("Where clause does not contain a mandatory equality on all key attributes")

// Point lowers a statement that is about one item. Its condition must fix the whole key with =; the rest of it, and that the item exists
// or does not where the statement says so, is left for the Point's.
func (b *Bound) Point(s Schema) (*Point, error) {
	exists := &node{op: opIsMissing, args: []node{*pathNode(s.Partition[0])}}
	if b.Kind == Insert {
		c, err := condition(exists)
		return &Point{Condition: c}, err
	}
	ps := predicates{b.where.conjuncts()}
	var key []attr.Field
	for _, name := range append(slices.Clone(s.Partition), s.Sort...) {
		c, ok := ps.take(name, isEqual)
		if !ok {
			return nil, ErrNoKey
		}
		key = append(key, attr.Field{Name: name, Value: c.Values[0]})
	}
	if b.Kind == Exists || b.Kind == Update {
		there := negation(*exists)
		ps.left = append([]*node{&there}, ps.left...)
	}
	c, err := condition(ps.left...)
	return &Point{Key: attr.Make(key...), Condition: c}, err
}
