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
	Attribute string // may be empty where the text does not name it
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
	prefix, err := p.partition(kc)
	if err != nil {
		return err
	}
	used := len(schema.Partition)
	var last *expr.KeyCond // on the last sort attribute that has a condition, unless prefix holds that one too
	gap := ""              // the first sort attribute that has none
	for _, a := range schema.Sort {
		c, err := condOn(kc, a, true)
		if err != nil {
			return err
		}
		if c == nil {
			gap = a.Name
			break
		}
		used++
		if c.Op != expr.EQ || p.Index == nil {
			last = c
			break
		}
		prefix = keys.AppendSort(prefix, c.Values[0].Bytes())
	}
	switch {
	case used < len(kc.Conds) && gap != "":
		return &KeyConditionError{Mistake: MissedKey, Attribute: gap, Sort: true}
	case used < len(kc.Conds): // one is on a sort attribute behind one that is not compared with =, or on no key attribute
		return &KeyConditionError{Mistake: NotSupported}
	}
	p.narrow(prefix, last)
	p.Single = p.Index == nil && (len(schema.Sort) == 0 || last != nil && last.Op == expr.EQ)
	return nil
}

// partition returns the prefix of the item collection that the conditions name.
func (p *Plan) partition(kc *expr.KeyCondition) (prefix []byte, err error) {
	var values [table.MaxKeyAttributes][]byte
	attributes := p.Schema().Partition
	for i, a := range attributes {
		c, err := condOn(kc, a, false)
		switch {
		case err != nil:
			return nil, err
		case c == nil:
			return nil, &KeyConditionError{Mistake: MissedKey, Attribute: a.Name}
		case c.Op != expr.EQ:
			return nil, &KeyConditionError{Mistake: NotSupported, Attribute: a.Name}
		}
		values[i] = c.Values[0].Bytes()
	}
	return keys.AppendPartition(p.space(), values[:len(attributes)]...), nil
}

// condOn returns the condition on a key attribute, and what is wrong with it; nil if there is none.
func condOn(kc *expr.KeyCondition, a table.Attribute, sort bool) (*expr.KeyCond, error) {
	for i := range kc.Conds {
		c := &kc.Conds[i]
		if c.Name != a.Name {
			continue
		}
		if c.Op == expr.OTHER {
			return nil, &KeyConditionError{Mistake: NotIndexable, Attribute: a.Name, Sort: sort}
		}
		for _, v := range c.Values {
			if m, ok := mistakeOf(c.Op, v, a, sort); ok {
				return nil, &KeyConditionError{Mistake: m, Attribute: a.Name, Sort: sort, Want: a.Type, Got: v.Type()}
			}
		}
		return c, nil
	}
	return nil, nil
}

// mistakeOf tells what is wrong with comparing a key attribute with a value; ok is false if nothing is.
func mistakeOf(op expr.KeyOp, v attr.Value, a table.Attribute, sort bool) (m Mistake, ok bool) {
	switch {
	case v.Type() != a.Type:
		return WrongType, true
	case a.Type == attr.N:
		return BadOperator, op == expr.BEGINS_WITH
	case len(v.Bytes()) == 0:
		return EmptyValue, true
	}
	return TooLong, len(v.Bytes()) > maxLen(sort)
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
