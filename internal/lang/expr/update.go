package expr

import (
	"errors"
	"iter"
	"slices"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/decimal"
)

// An Update is a bound update expression. It is immutable.
type Update struct {
	binding
	actions []action
	legacy  bool // AttributeUpdates: ADD appends to lists, and type mismatches have a text of their own
}

// ValueSize returns the bytes that DynamoDB counts for the values that the update writes; 0 for no update.
func (u *Update) ValueSize() int {
	if u == nil {
		return 0
	}
	return u.valueSize()
}

// What an update can meet in an item.
var (
	errInvalidPath  = &Error{"The document path provided in the update expression is invalid for update"}
	errMissing      = &Error{"The provided expression refers to an attribute that does not exist in the item"}
	errType         = &Error{"An operand in the update expression has an incorrect data type"}
	errLegacyType   = &Error{"Type mismatch for attribute to update"}
	errTooLarge     = &Error{"Item size to update has exceeded the maximum allowed size"}
	errOverflow     = &Error{"Number overflow. Attempting to store a number with magnitude larger than supported range"}
	errUnderflow    = &Error{"Number underflow. Attempting to store a number with magnitude smaller than supported range"}
	errNestedTooFar = &Error{"Nesting Levels have exceeded supported limits: " +
		"Attributes in the item have nested levels beyond supported limit"}
)

// maxWritten bounds the bytes that one update writes. No item of 400 KB takes that many, and the size of the finished item is
// checked by others: this keeps an update that copies one attribute many times from filling the memory first.
const maxWritten = 4 * 400 << 10

// newUpdate checks a parsed update against its binding.
func newUpdate(p *parsed, to binding) (*Update, error) {
	if fault := to.checkActions(p.actions); fault != "" {
		return nil, p.kind.fault(fault)
	}
	return &Update{binding: to, actions: p.actions}, nil
}

// checkActions returns the tail of an error text.
func (b *binding) checkActions(actions []action) string {
	for i := range actions {
		if fault := b.checkAction(&actions[i]); fault != "" {
			return fault
		}
	}
	return checkApart(b.targets)
}

func (b *binding) checkAction(a *action) string {
	allowed := setTypes
	switch a.verb {
	case verbSet:
		return b.check(a.value)
	case verbRemove:
		return ""
	case verbAdd:
		allowed |= numberTypes
	}
	if found := b.staticType(a.value); !allowed.has(found) {
		return "Incorrect operand type for operator or function; operator: " + a.verb.String() + ", operand type: " + longNames[found]
	}
	return ""
}

// longNames are the types as texts about ADD and DELETE spell them.
var longNames = map[attr.Type]string{
	attr.S: "STRING", attr.N: "NUMBER", attr.B: "BINARY", attr.BOOL: "BOOLEAN", attr.NULL: "NULL", attr.L: "LIST", attr.M: "MAP",
}

// OnlyRemoves reports whether the update does nothing but remove, so that it does not create a missing item.
func (u *Update) OnlyRemoves() bool {
	creates := func(a action) bool { return a.verb == verbSet || a.verb == verbAdd }
	return len(u.actions) > 0 && !slices.ContainsFunc(u.actions, creates)
}

// Targets returns the paths that the update writes or removes.
func (u *Update) Targets() []Path { return u.targets }

// Paths ranges over every document path that the update mentions, to write or to read.
func (u *Update) Paths() iter.Seq[Path] { return slices.Values(u.paths) }

// TypeOf returns the type that the update gives a top-level attribute whatever the item, Missing if it does not touch it or
// the type depends on the item.
func (u *Update) TypeOf(name string) attr.Type {
	for i, a := range u.actions {
		if p := u.targets[i]; len(p) == 1 && p[0].Name == name && a.value != nil {
			return u.staticType(a.value)
		}
	}
	return attr.Missing
}

// Touched returns the targeted paths of the old item with their parents, as UPDATED_OLD shows them; nil if there are none.
func (u *Update) Touched(old attr.Item) attr.Item {
	part := project(u.targets).Apply(old)
	if len(part) == 0 {
		return nil
	}
	return part
}

// Written returns what the update writes to the old item, with its parents, as UPDATED_NEW shows it; nil if that is nothing.
// A value that was appended to a list or moved up in it, where others went, is shown wherever it stands.
func (u *Update) Written(old attr.Item) attr.Item {
	edits, _, err := u.edits(nil, old)
	if err != nil {
		return nil
	}
	root, err := editTree(old, edits)
	if err != nil {
		return nil
	}
	return root.AppendChanges(nil)
}

// Cost returns what the update's actions add to the size that UpdateItem holds against the limit of 400 KB: 3, and for each
// action 19 if it writes a value and 2 if it clears one, 1 more for a list index and 50 more for a sum.
func (u *Update) Cost() int {
	cost := 3
	for i, a := range u.actions {
		switch a.verb {
		case verbSet, verbAdd:
			cost += 19
		default:
			cost += 2
		}
		if slices.ContainsFunc(u.targets[i], func(s Step) bool { return s.IsIndex }) {
			cost++
		}
		if a.value != nil && (a.value.op == opPlus || a.value.op == opMinus) {
			cost += 50
		}
	}
	return cost
}

// An edit is what an action does to one item: put a value at a path, or remove what is there.
type edit struct {
	path  Path
	value attr.Value // nil: remove
}

// Apply returns the item that the update makes of old, in memory of its own. It is pure. Where there is no item (old is nil)
// the result holds only what the update sets, and the caller adds the key. Errors are *Error.
func (u *Update) Apply(old attr.Item) (attr.Item, error) {
	var space [4]edit
	edits, nested, err := u.edits(space[:0], old)
	if err != nil {
		return nil, err
	}
	if !nested {
		return editTop(old, edits), nil
	}
	root, err := editTree(old, edits)
	if err != nil {
		return nil, err
	}
	return root.AppendItem(make([]byte, 0, len(old)+64)), nil
}

// edits appends what the actions do to the old item. nested tells that not all of it is to top-level attributes.
func (u *Update) edits(dst []edit, old attr.Item) (edits []edit, nested bool, err error) {
	edits = dst
	written := 0
	var space binding
	b := u.on(old, &space)
	for i := range u.actions {
		a := &u.actions[i]
		if old == nil && (a.verb == verbRemove || a.verb == verbDelete) {
			continue
		}
		v, err := u.result(b, a, old)
		if err != nil {
			return nil, false, err
		}
		if written += len(v); written > maxWritten {
			return nil, false, errTooLarge
		}
		path := u.paths[a.target]
		edits = append(edits, edit{path, v})
		nested = nested || len(path) > 1
	}
	return edits, nested, nil
}

// editTop makes edits of top-level attributes.
func editTop(old attr.Item, edits []edit) attr.Item {
	var space [4]attr.Field
	fields := space[:0]
	for _, e := range edits {
		fields = append(fields, attr.Field{Name: e.path[0].Name, Value: e.value})
	}
	return old.Merge(fields)
}

// editTree makes edits of any paths. Those of one list are made in order of their indexes, because what is put beyond the
// end is appended in that order.
func editTree(old attr.Item, edits []edit) (*attr.Node, error) {
	slices.SortFunc(edits, func(a, b edit) int { return comparePaths(a.path, b.path) })
	root := attr.ThawItem(old)
	for _, e := range edits {
		if err := e.makeIn(root); err != nil {
			return nil, err
		}
		if e.value != nil && len(e.path)-1+e.value.Depth() > attr.MaxLevels {
			return nil, errNestedTooFar
		}
	}
	return root, nil
}

// makeIn makes the edit below n, where all but the last step of the path must exist.
func (e edit) makeIn(n *attr.Node) error {
	parents, last := e.path[:len(e.path)-1], e.path[len(e.path)-1]
	for _, s := range parents {
		if s.IsIndex {
			n = n.Elem(s.Index)
		} else {
			n = n.Attr(s.Name)
		}
	}
	switch {
	case last.IsIndex && n.Type() == attr.L:
		n.SetElem(last.Index, e.value)
	case !last.IsIndex && n.Type() == attr.M:
		n.SetAttr(last.Name, e.value)
	default:
		return errInvalidPath
	}
	return nil
}

// result returns what is to stand at the action's target, nil for nothing. b is u's binding on the old item.
func (u *Update) result(b *binding, a *action, old attr.Item) (attr.Value, error) {
	switch a.verb {
	case verbSet:
		return b.evaluate(a.value, old)
	case verbRemove:
		return nil, nil
	}
	now, operand := b.at(a.target, old), b.values[a.value.index]
	t := operand.Type()
	if now != nil && now.Type() != t {
		return nil, u.mismatch()
	}
	switch {
	case a.verb == verbDelete:
		return attr.Subtract(now, operand), nil
	case now == nil:
		return operand, nil
	case t == attr.N:
		return sum(opPlus, now, operand)
	case t == attr.L:
		return concatenate(now, operand), nil
	}
	return attr.Union(now, operand), nil
}

func (u *Update) mismatch() error {
	if u.legacy {
		return errLegacyType
	}
	return errType
}

// evaluate returns the value of the right-hand side of SET, from the item as it was.
func (b *binding) evaluate(n *node, old attr.Item) (attr.Value, error) {
	switch n.op {
	case opValue:
		return b.values[n.index], nil
	case opPath:
		if v := b.at(n.index, old); v != nil {
			return v, nil
		}
		return nil, errMissing
	case opIfNotExists:
		if v := b.at(n.args[0].index, old); v != nil {
			return v, nil
		}
		return b.evaluate(&n.args[1], old)
	}
	left, err := b.evaluate(&n.args[0], old)
	if err != nil {
		return nil, err
	}
	right, err := b.evaluate(&n.args[1], old)
	if err != nil {
		return nil, err
	}
	if want := traits[n.op].types; !want.has(left.Type()) || !want.has(right.Type()) {
		return nil, errType
	}
	if n.op == opListAppend {
		return concatenate(left, right), nil
	}
	return sum(n.op, left, right)
}

// sum adds or subtracts two numbers.
func sum(o op, a, b attr.Value) (attr.Value, error) {
	var space [decimal.MaxLen]byte
	add := decimal.Add
	if o == opMinus {
		add = decimal.Sub
	}
	form, err := add(space[:0], a.Bytes(), b.Bytes())
	switch {
	case errors.Is(err, decimal.ErrUnderflow):
		return nil, errUnderflow
	case err != nil: // a loss of precision, too, is reported as an overflow
		return nil, errOverflow
	}
	return attr.Decimal(form), nil
}

// concatenate joins two lists.
func concatenate(a, b attr.Value) attr.Value {
	return attr.List(slices.AppendSeq(slices.Collect(a.Elems()), b.Elems())...)
}
