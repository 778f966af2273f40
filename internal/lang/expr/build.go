package expr

import "github.com/grammedb/gramme/internal/lang/attr"

// A Builder makes a condition or an update that has no expression text: for the legacy parameters, and for PartiQL, which
// has a syntax of its own and the same meaning. What an expression's text would be refused for is refused in the end, with the
// tail of its error text as an *Error.
type Builder struct {
	binding
	actions []action
}

// A Node is a part of what a Builder builds: an operand or a condition.
type Node struct{ node node }

// Path returns the operand that is whatever stands at a path.
func (b *Builder) Path(p Path) Node {
	b.paths = append(b.paths, p)
	return Node{node{op: opPath, index: len(b.paths) - 1}}
}

// Attribute returns the operand that is a top-level attribute.
func (b *Builder) Attribute(name string) Node { return b.Path(Path{{Name: name}}) }

// Value returns the operand that is a value.
func (b *Builder) Value(v attr.Value) Node {
	b.values = append(b.values, v)
	return Node{node{op: opValue, index: len(b.values) - 1}}
}

// Op returns what an operator or a function makes of its operands. It is named as expressions write it: "AND", "<>", "size",
// "+". BETWEEN takes a value and its bounds, IN a value and those it is compared with. A name without a meaning is an *Error.
// REQUIRES: as many operands as an operator (not a function) has.
func (b *Builder) Op(name string, operands ...Node) (Node, error) {
	for o, t := range traits {
		if t.name == name && name != "" {
			return join(op(o), operands...), nil
		}
	}
	return Node{}, &Error{"Invalid function name; function: " + name}
}

func join(o op, operands ...Node) Node {
	n := node{op: o, args: make([]node, len(operands))}
	for i, operand := range operands {
		n.args[i] = operand.node
	}
	return Node{n}
}

// Condition returns the condition n.
func (b *Builder) Condition(n Node) (*Condition, error) {
	if !n.node.op.isCondition() {
		return nil, &Error{misplaced(n.node.op)}
	}
	if fault := n.node.misplacedIn(conditionKind); fault != "" {
		return nil, &Error{fault}
	}
	if fault := b.check(&n.node); fault != "" {
		return nil, &Error{fault}
	}
	return &Condition{binding: b.binding, root: &n.node}, nil
}

// misplacedIn returns the tail of an error text if something below n cannot stand there.
func (n *node) misplacedIn(k kind) string {
	for i := range n.args {
		arg := &n.args[i]
		if !arg.op.canStandIn(n.op, k) {
			return misplaced(arg.op)
		}
		if fault := arg.misplacedIn(k); fault != "" {
			return fault
		}
	}
	return ""
}

// Set adds SET target = value to the update.
func (b *Builder) Set(target Path, value Node) { b.act(verbSet, target, value) }

// Remove adds REMOVE target to the update.
func (b *Builder) Remove(target Path) { b.act(verbRemove, target, Node{}) }

// Add adds ADD target value to the update.
func (b *Builder) Add(target Path, v attr.Value) { b.act(verbAdd, target, b.Value(v)) }

// Delete adds DELETE target value to the update.
func (b *Builder) Delete(target Path, v attr.Value) { b.act(verbDelete, target, b.Value(v)) }

func (b *Builder) act(v verb, target Path, value Node) {
	a := action{verb: v, target: b.Path(target).node.index}
	if v != verbRemove {
		a.value = &value.node
	}
	b.actions = append(b.actions, a)
	b.targets = append(b.targets, target)
}

// Update returns the update of all actions added.
func (b *Builder) Update() (*Update, error) {
	for _, a := range b.actions {
		if a.value == nil {
			continue
		}
		set := node{op: opNone, args: []node{*a.value}}
		if fault := set.misplacedIn(updateKind); fault != "" {
			return nil, &Error{fault}
		}
	}
	if fault := b.checkActions(b.actions); fault != "" {
		return nil, &Error{fault}
	}
	return &Update{binding: b.binding, actions: b.actions}, nil
}

// ProjectionOf returns the projection of the paths, or an *Error as a Builder's.
func ProjectionOf(paths []Path) (*Projection, error) {
	if fault := checkApart(paths); fault != "" {
		return nil, &Error{fault}
	}
	return project(paths), nil
}
