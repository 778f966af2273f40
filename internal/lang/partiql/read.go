package partiql

import (
	"fmt"
	"slices"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// maxPartitions is how many values of a partition key IN may list.
const maxPartitions = 50

// A Read is what SELECT reads from a table or an index.
type Read struct {
	Queries []*expr.KeyCondition // one after the other; nil: a scan
	Filter  *expr.Condition      // nil: none
	Reverse bool                 // each query in descending order
	Merge   bool                 // the items of all queries together in the order of the sort key, else one query after the other
}

// Read lowers SELECT: to a query where the condition fixes the partition key with =, to one for each value where it does so
// with IN, to a scan in all other cases. What it says of the sort key narrows the queries, and all else filters.
func (b *Bound) Read(s Schema) (*Read, error) {
	ps := predicates{b.where.conjuncts()}
	fixed, values, ok := ps.partition(s.Partition)
	if !ok {
		if b.order != nil {
			return nil, b.unordered()
		}
		return &Read{Filter: b.filter}, nil
	}
	if len(values) > maxPartitions {
		return nil, fault(fmt.Sprintf("The IN operator is provided with too many operands; number of operands: %d", len(values)))
	}
	r := &Read{}
	if err := b.arrange(r, s, values); err != nil {
		return nil, err
	}
	sort := ps.sort(s.Sort)
	for _, v := range values {
		conds := slices.Clone(fixed)
		if v.Value != nil {
			conds = append(conds, expr.KeyCond{Name: v.Name, Op: expr.EQ, Values: []attr.Value{v.Value}})
		}
		r.Queries = append(r.Queries, &expr.KeyCondition{Conds: append(conds, sort...)})
	}
	var err error
	r.Filter, err = condition(ps.left...)
	return r, err
}

// unordered says why a scan cannot be ordered.
func (b *Bound) unordered() error {
	if b.where == nil {
		return fault("Must have WHERE clause in the statement when using ORDER BY clause.")
	}
	return fault("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
}

// arrange does what ORDER BY asks for. What orders first decides: with the partition key it is one partition after the other,
// each in the order of its sort key; with the sort key all partitions are merged, and the partition key orders what is equal.
func (b *Bound) arrange(r *Read, s Schema, values []attr.Field) error {
	arranged, sorted := len(values) == 1, 0
	for _, o := range b.order {
		name := o.path[0].Name
		switch sort := slices.Index(s.Sort, name); {
		case len(o.path) > 1 || sort < 0 && !slices.Contains(s.Partition, name):
			return fault("Variable reference " + name + " in ORDER BY clause must be part of the primary key")
		case sort < 0:
			if !arranged && values[0].Name == name {
				order(values, o.descending)
				arranged = true
			}
		case sort != sorted || sorted > 0 && o.descending != r.Reverse:
			return fault("ORDER BY clause must name sort keys as the key schema does, all of them ascending or all descending")
		default:
			sorted, r.Reverse = sorted+1, o.descending
			r.Merge = r.Merge || !arranged
		}
	}
	return nil
}

// order sorts the values of a partition key.
func order(values []attr.Field, descending bool) {
	slices.SortStableFunc(values, func(a, b attr.Field) int {
		c, _ := attr.Compare(a.Value, b.Value)
		if descending {
			return -c
		}
		return c
	})
}

// predicates are the conditions that must hold together, less those that were taken for the key.
type predicates struct{ left []*node }

// take removes the first condition on the attribute that passes, and returns it.
func (ps *predicates) take(name string, pass func(expr.KeyCond) bool) (expr.KeyCond, bool) {
	for i, n := range ps.left {
		if c, ok := n.keyCond(); ok && c.Name == name && pass(c) {
			ps.left = slices.Delete(slices.Clone(ps.left), i, i+1)
			return c, true
		}
	}
	return expr.KeyCond{}, false
}

func isEqual(c expr.KeyCond) bool { return c.Op == expr.EQ }

func isAny(expr.KeyCond) bool { return true }

// takeIn removes the first IN on the attribute and returns the values that it lists, each once.
func (ps *predicates) takeIn(name string) []attr.Field {
	for i, n := range ps.left {
		if n.op != opIn || !n.args[0].isAttribute(name) || !constant(n.args[1:]) {
			continue
		}
		ps.left = slices.Delete(slices.Clone(ps.left), i, i+1)
		var values []attr.Field
		for _, arg := range n.args[1:] {
			if !slices.ContainsFunc(values, func(f attr.Field) bool { return attr.Equal(f.Value, arg.value) }) {
				values = append(values, attr.Field{Name: name, Value: arg.value})
			}
		}
		return values
	}
	return nil
}

// partition takes what fixes the partition key: = for each attribute, but for one there may be an IN, whose values are
// returned apart. Without an IN there is one value, of nothing.
func (ps *predicates) partition(names []string) (fixed []expr.KeyCond, values []attr.Field, ok bool) {
	for _, name := range names {
		if c, ok := ps.take(name, isEqual); ok {
			fixed = append(fixed, c)
			continue
		}
		if values != nil {
			return nil, nil, false
		}
		if values = ps.takeIn(name); values == nil {
			return nil, nil, false
		}
	}
	if values == nil {
		values = []attr.Field{{}}
	}
	return fixed, values, true
}

// sort takes the conditions that narrow a query: = on the sort attributes from the left, and one of any kind on the next.
func (ps *predicates) sort(names []string) (conds []expr.KeyCond) {
	for _, name := range names {
		c, ok := ps.take(name, isEqual)
		if ok {
			conds = append(conds, c)
			continue
		}
		if c, ok = ps.take(name, isAny); ok {
			conds = append(conds, c)
		}
		break
	}
	return conds
}

var keyOps = map[op]expr.KeyOp{
	opEQ: expr.EQ, opLT: expr.LT, opLE: expr.LE, opGT: expr.GT, opGE: expr.GE, opBetween: expr.BETWEEN, opBeginsWith: expr.BEGINS_WITH,
}

// mirrored are the operators whose operands can be swapped, with what they become then.
var mirrored = map[op]op{opEQ: opEQ, opLT: opGT, opLE: opGE, opGT: opLT, opGE: opLE}

// keyCond returns n as a condition on a key attribute, if it is a comparison of a top-level attribute with values.
func (n *node) keyCond() (expr.KeyCond, bool) {
	keyOp, ok := keyOps[n.op]
	if !ok {
		return expr.KeyCond{}, false
	}
	attribute, operands := &n.args[0], n.args[1:]
	if swapped, ok := mirrored[n.op]; ok && attribute.op == opValue {
		keyOp, attribute, operands = keyOps[swapped], &n.args[1], n.args[:1]
	}
	if attribute.op != opPath || len(attribute.path) > 1 || !constant(operands) {
		return expr.KeyCond{}, false
	}
	c := expr.KeyCond{Name: attribute.path[0].Name, Op: keyOp}
	for i := range operands {
		c.Values = append(c.Values, operands[i].value)
	}
	return c, true
}

func (n *node) isAttribute(name string) bool {
	return n.op == opPath && len(n.path) == 1 && n.path[0].Name == name
}

func constant(operands []node) bool {
	return !slices.ContainsFunc(operands, func(n node) bool { return n.op != opValue })
}
