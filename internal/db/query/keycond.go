package query

import (
	"fmt"
	"slices"

	"github.com/grammedb/gramme/internal/db/index"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A Mistake is what is wrong with a key condition.
type Mistake int

// The mistakes.
const (
	MissedKey    Mistake = iota // no condition on a key attribute that needs one
	NotSupported                // a condition on something that is no key attribute, or an operator that the key does not allow
	WrongType                   // a value of another type than the key attribute's
	BadOperator                 // an operator that the attribute's type does not allow
	NotIndexable                // an operator that no key condition allows
	EmptyValue                  // an empty string or binary where the key cannot be empty
	TooLong                     // a value longer than the key attribute may be
)

// A KeyConditionError says that a key condition does not fit the key schema.
type KeyConditionError struct {
	Mistake   Mistake
	Attribute string
	Sort      bool
	Want, Got attr.Type
}

func (e *KeyConditionError) Error() string {
	return fmt.Sprintf("query: condition on key attribute %q: mistake %d", e.Attribute, e.Mistake)
}

// PlanQuery makes p walk the part of one item collection that the conditions name: = on every partition attribute; sort
// attributes from the left without a gap, all but the last with =. Errors are *KeyConditionError.
func (p *Plan) PlanQuery(kc *expr.KeyCondition) error {
	schema := p.Schema()
	left := conditions(slices.Clone(kc.Conds))
	parts, err := left.takePartition(schema.Partition)
	if err != nil {
		return err
	}
	prefix := keys.AppendPartition(p.space(), parts...)
	var last *expr.KeyCond // on the last sort attribute that has a condition, if prefix does not hold that already
	gap := ""              // the first sort attribute that has none
	for _, a := range schema.Sort {
		c, err := left.take(a, true)
		switch {
		case err != nil:
			return err
		case c == nil:
			gap = a.Name
		case c.Op == expr.EQ && p.Index != nil:
			prefix = keys.AppendSort(prefix, c.Values[0].Bytes())
			continue
		default:
			last = c
		}
		break
	}
	switch {
	case len(left) > 0 && gap != "":
		return &KeyConditionError{Mistake: MissedKey, Attribute: gap, Sort: true}
	case len(left) > 0: // on a sort attribute behind one that is not compared with =, or on no key attribute
		return &KeyConditionError{Mistake: NotSupported, Attribute: left[0].Name}
	}
	p.narrow(prefix, last)
	p.Single = p.Index == nil && (len(schema.Sort) == 0 || last != nil && last.Op == expr.EQ)
	return nil
}

// conditions are those of a key condition that no key attribute has taken yet.
type conditions []expr.KeyCond

// take removes the condition on a key attribute and checks it; nil if there is none.
func (cs *conditions) take(a table.Attribute, sort bool) (*expr.KeyCond, error) {
	for i, c := range *cs {
		if c.Name == a.Name {
			*cs = slices.Delete(*cs, i, i+1)
			return &c, checkCond(c, a, sort)
		}
	}
	return nil, nil
}

// takePartition takes the conditions on the partition attributes and returns the values, which all must have.
func (cs *conditions) takePartition(attributes []table.Attribute) (values [][]byte, err error) {
	for _, a := range attributes {
		c, err := cs.take(a, false)
		switch {
		case err != nil:
			return nil, err
		case c == nil:
			return nil, &KeyConditionError{Mistake: MissedKey, Attribute: a.Name}
		case c.Op != expr.EQ:
			return nil, &KeyConditionError{Mistake: NotSupported, Attribute: a.Name}
		}
		values = append(values, c.Values[0].Bytes())
	}
	return values, nil
}

func checkCond(c expr.KeyCond, a table.Attribute, sort bool) error {
	if c.Op == expr.OTHER {
		return &KeyConditionError{Mistake: NotIndexable, Attribute: a.Name, Sort: sort}
	}
	for _, v := range c.Values {
		e := &KeyConditionError{Attribute: a.Name, Sort: sort, Want: a.Type, Got: v.Type()}
		switch limit := maxLen(sort); {
		case v.Type() != a.Type:
			e.Mistake = WrongType
		case c.Op == expr.BEGINS_WITH && a.Type == attr.N:
			e.Mistake = BadOperator
		case a.Type == attr.N:
			continue
		case len(v.Bytes()) == 0:
			e.Mistake = EmptyValue
		case len(v.Bytes()) > limit:
			e.Mistake = TooLong
		default:
			continue
		}
		return e
	}
	return nil
}

func maxLen(sort bool) int {
	if sort {
		return table.MaxSort
	}
	return table.MaxPartition
}

// narrow sets the range to the keys under prefix that satisfy the condition on the next sort attribute, nil for all.
func (p *Plan) narrow(prefix []byte, c *expr.KeyCond) {
	lo, hi := prefix, keys.Next(prefix)
	if c == nil {
		p.Range.Lo, p.Range.Hi = lo, hi
		return
	}
	at := func(i int) []byte { return p.sortKey(prefix, c.Values[i].Bytes()) }
	switch c.Op {
	case expr.EQ:
		lo, hi = at(0), p.after(at(0))
	case expr.LT:
		hi = at(0)
	case expr.LE:
		hi = p.after(at(0))
	case expr.GT:
		lo = p.after(at(0))
	case expr.GE:
		lo = at(0)
	case expr.BETWEEN:
		lo, hi = at(0), p.after(at(1))
	case expr.BEGINS_WITH:
		lo = p.sortPrefix(prefix, c.Values[0].Bytes())
		hi = keys.Next(lo)
	}
	p.Range.Lo, p.Range.Hi = lo, hi
}

// sortKey returns the key under prefix with the sort attribute b: the whole key in a table, the beginning of the entries' keys
// in an index.
func (p *Plan) sortKey(prefix, b []byte) []byte {
	if p.Index == nil {
		return append(slices.Clip(prefix), b...)
	}
	return keys.AppendSort(slices.Clip(prefix), b)
}

func (p *Plan) sortPrefix(prefix, b []byte) []byte {
	if p.Index == nil {
		return append(slices.Clip(prefix), b...)
	}
	return keys.AppendSortPrefix(slices.Clip(prefix), b)
}

// after returns the first key behind those that have the sort key that sortKey made.
func (p *Plan) after(key []byte) []byte {
	if p.Index == nil {
		return append(key, 0)
	}
	return keys.Next(key)
}

// position returns the stored key of the item or entry with the given key attributes; ok is false if one is missing or does
// not fit.
func (p *Plan) position(start attr.Item) (key []byte, ok bool) {
	k, err := p.Table.KeyOf(start)
	switch {
	case err != nil:
		return nil, false
	case p.Index != nil:
		return index.AppendKey(nil, p.Table, p.Index, start)
	}
	return p.Table.AppendRowKey(nil, k), true
}
