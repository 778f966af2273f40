package partiql

import (
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A Bound is a statement with its parameters. It is immutable.
type Bound struct {
	*Statement
	Projection *expr.Projection // of SELECT; nil: everything
	Update     *expr.Update     // of UPDATE
	Item       attr.Item        // of INSERT

	where  *node           // without opParam, opList, opSet, opMap and opSpread
	filter *expr.Condition // all of where
}

// Bind puts values in the place of the parameters and checks all that can be checked without a table. Errors are *expr.Error.
func (s *Statement) Bind(params []attr.Value) (*Bound, error) {
	if len(params) != s.params {
		return nil, fault("Number of parameters in request and statement don't match.")
	}
	b := &Bound{Statement: s}
	var err error
	switch f := folder(params); s.Kind {
	case Insert:
		b.Item, err = f.item(s.item)
	case Update:
		b.Update, err = f.update(s.actions)
	}
	if err == nil {
		err = b.bindWhere(params)
	}
	if err == nil && s.paths != nil {
		b.Projection, err = expr.ProjectionOf(s.paths)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Payload returns the bytes that DynamoDB counts for what a write brings: the item that it puts, or all values in it.
func (b *Bound) Payload() int {
	return b.Item.Size() + b.Update.ValueSize() + b.filter.ValueSize()
}

func (b *Bound) bindWhere(params []attr.Value) (err error) {
	if b.Statement.where == nil {
		return nil
	}
	where, err := folder(params).fold(b.Statement.where)
	if err != nil {
		return err
	}
	b.where = &where
	b.filter, err = condition(b.where)
	return err
}

// A folder makes one value of everything that is constant once the parameters, which it consists of, are known.
type folder []attr.Value

func (f folder) fold(n *node) (node, error) {
	switch n.op {
	case opPath, opValue:
		return *n, nil
	case opParam:
		return valueNode(f[n.param]), nil
	}
	out := *n
	out.args = make([]node, len(n.args))
	for i := range n.args {
		var err error
		if out.args[i], err = f.fold(&n.args[i]); err != nil {
			return node{}, err
		}
	}
	switch n.op {
	case opList, opSet, opMap:
		v, err := compose(&out)
		return valueNode(v), err
	case opIn:
		return spread(out)
	}
	return out, nil
}

// compose makes the value of a list, a set or a map.
func compose(n *node) (attr.Value, error) {
	values := make([]attr.Value, len(n.args))
	for i, arg := range n.args {
		if arg.op != opValue {
			return nil, fault("Lists, sets and maps in a statement can only hold values")
		}
		values[i] = arg.value
	}
	switch n.op {
	case opList:
		return attr.List(values...), nil
	case opSet:
		return set(values)
	}
	fields := make([]attr.Field, len(values))
	for i, v := range values {
		if n.names[i] == "" {
			return nil, fault("One or more parameter values were invalid: Empty attribute name")
		}
		fields[i] = attr.Field{Name: n.names[i], Value: v}
	}
	return attr.Map(attr.Make(fields...)), nil
}

// set makes a set of the type that its members have.
func set(members []attr.Value) (attr.Value, error) {
	t := attr.SS
	if len(members) > 0 {
		t = setOf(members[0].Type())
	}
	for _, m := range members {
		if m.Type() != t.Elem() || t == attr.Missing {
			return nil, fault("A set can only hold strings, only numbers or only binary values")
		}
	}
	v, err := attr.Set(t, members...)
	if err != nil {
		return nil, fault(err.Error())
	}
	return v, nil
}

// setOf returns the type of sets with members of type t, Missing if there is none.
func setOf(t attr.Type) attr.Type {
	for _, set := range []attr.Type{attr.SS, attr.NS, attr.BS} {
		if set.Elem() == t {
			return set
		}
	}
	return attr.Missing
}

// spread puts the elements of a list or set in the place of the parameter behind IN.
func spread(in node) (node, error) {
	if in.args[1].op != opSpread {
		return in, nil
	}
	v := in.args[1].args[0].value
	if t := v.Type(); t != attr.L && t.Elem() == attr.Missing || v.Len() == 0 {
		return node{}, fault("The IN operator must be provided with a list of at least one value")
	}
	in.args = in.args[:1:1]
	for e := range v.Elems() {
		in.args = append(in.args, valueNode(e))
	}
	return in, nil
}

// item returns the item that INSERT puts.
func (f folder) item(n *node) (attr.Item, error) {
	out, err := f.fold(n)
	if err != nil {
		return nil, err
	}
	if out.op != opValue || out.value.Type() != attr.M {
		return nil, fault("The value of an INSERT statement must be a map of attributes")
	}
	return out.value.Item(), checkDepth(out.value, maxLevels)
}

// update lowers the actions of UPDATE.
func (f folder) update(actions []action) (*expr.Update, error) {
	var l lowering
	for _, a := range actions {
		if a.value == nil {
			l.Remove(a.target)
			continue
		}
		value, err := f.fold(a.value)
		if err != nil {
			return nil, err
		}
		l.set(a.target, &value)
	}
	if l.err != nil {
		return nil, l.err
	}
	return l.Update()
}
