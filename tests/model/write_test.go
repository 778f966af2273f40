package model

import (
	"maps"
	"slices"
)

// An effect is what a write does.
type effect struct {
	table    *table
	key      string
	old, new Item // nil: no item
}

// apply makes it so.
func (e *effect) apply() {
	e.log("")
	if e.new == nil {
		delete(e.table.items, e.key)
	} else {
		e.table.items[e.key] = e.new
	}
}

// A fault is why a write cannot be done.
type fault struct {
	code    string
	request bool // it is the whole request's, also within a transaction
	old     Item // of a false condition
}

// plan finds a write's table and key and checks all that needs no look at the item.
func (m *model) plan(op *Op) (e effect, f *fault) {
	bad := &fault{code: invalid}
	e.table = m.tables[op.Table]
	var ok, empty bool
	if op.Kind == "put" {
		e.key, ok, empty = e.table.key(op.Item)
	} else {
		e.key, ok, empty = e.table.exactKey(op.Item)
	}
	bad.request = empty
	switch {
	case !ok:
		return e, bad
	case op.Kind == "put" && !e.table.indexable(op.Item):
		return e, bad
	case slices.ContainsFunc(op.Update, func(a Action) bool { return isKey(e.table.keys(), top(a.Path)) || e.table.mistypes(&a) }):
		return e, bad
	}
	return e, nil
}

// mistypes reports whether an action gives an index key another type, whatever the item.
func (t *table) mistypes(a *Action) bool {
	typ := map[string]string{"plus": "N", "minus": "N", "append": "L", "prepend": "L"}[a.Op]
	if a.Op == "set" || a.Op == "add" || a.Op == "delete" {
		typ = a.Val.T
	}
	return typ != "" && slices.ContainsFunc(t.Indexes, func(ix Index) bool {
		return slices.ContainsFunc(ix.keys(), func(k Attr) bool { return k.Name == a.Path && k.T != typ })
	})
}

// run computes what a planned write does.
func (e *effect) run(op *Op) *fault {
	e.old = e.table.items[e.key]
	if op.Cond != nil && !op.Cond.eval(e.old) {
		f := &fault{code: failed}
		if op.OnFailure {
			f.old = e.old
		}
		return f
	}
	var f *fault
	switch op.Kind {
	case "put":
		e.new = op.Item
	case "check":
		e.new = e.old
	case "update":
		f = e.update(op)
	}
	if f == nil && e.crowds() {
		f = &fault{code: invalid}
	}
	return f
}

// crowds reports whether the new item has no room for its entry in a local index.
func (e *effect) crowds() bool {
	return e.new != nil && !(e.old != nil && equalItems(e.old, e.new)) && slices.ContainsFunc(e.table.Indexes, func(ix Index) bool {
		entry := e.table.entry(&ix, e.new)
		return ix.Local && entry != nil && itemSize(e.new)+itemSize(entry) > maxItemSize
	})
}

func (e *effect) update(op *Op) *fault {
	it := e.old
	if e.old == nil {
		if onlyRemoves(op.Update) {
			return nil
		}
		it = Item{}
	}
	it, ok := update(it, op.Update)
	if !ok {
		return &fault{code: invalid}
	}
	e.new = maps.Clone(it)
	maps.Copy(e.new, op.Item) // the key
	changed := maps.Clone(e.new)
	maps.DeleteFunc(changed, func(name string, v Value) bool { return equal(v, e.old[name]) })
	if itemSize(e.new) > maxItemSize || !e.table.indexable(changed) {
		return &fault{code: invalid}
	}
	return nil
}

// tooLarge reports an item that no request may carry.
func tooLarge(op *Op) bool { return op.Kind == "put" && itemSize(op.Item) > maxItemSize }

func (m *model) single(op *Op) answer {
	switch {
	case tooLarge(op):
		return answer{Code: invalid}
	case m.tables[op.Table] == nil:
		return answer{Code: notFound}
	}
	e, f := m.plan(op)
	if f == nil {
		f = e.run(op)
	}
	if f != nil {
		return answer{Code: f.code, Item: show(encode(f.old))}
	}
	e.apply()
	return answer{Item: show(encode(e.returned(op))), Units: bill(op, op.Table, e.units(1))}
}

// returned is the Attributes that a write answers.
func (e *effect) returned(op *Op) Item {
	touched := func(it Item) Item {
		out := Item{}
		for _, a := range op.Update {
			if v, ok := it[a.Path]; ok {
				out[a.Path] = v
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	switch op.Returns {
	case "ALL_OLD":
		return e.old
	case "ALL_NEW":
		return e.new
	case "UPDATED_OLD":
		return touched(e.old)
	case "UPDATED_NEW":
		return touched(e.new)
	}
	return nil
}

func bill(op *Op, table string, u units) map[string]units {
	if !op.Units {
		return nil
	}
	return map[string]units{table: u}
}

func blocks(size, block int) float64 { return float64(max(1, (size+block-1)/block)) }

// units are what a write costs, the table's part times factor.
func (e *effect) units(factor float64) units {
	u := units{}
	u.add("", factor*blocks(max(itemSize(e.old), itemSize(e.new)), 1024))
	for i := range e.table.Indexes {
		ix := &e.table.Indexes[i]
		was, is := e.table.entry(ix, e.old), e.table.entry(ix, e.new)
		w, n := blocks(itemSize(was), 1024), blocks(itemSize(is), 1024)
		switch {
		case was == nil && is == nil, was != nil && is != nil && equalItems(was, is):
		case was == nil:
			u.add(ix.Name, n)
		case is == nil:
			u.add(ix.Name, w)
		case slices.ContainsFunc(ix.keys(), func(a Attr) bool { return !equal(was[a.Name], is[a.Name]) }):
			u.add(ix.Name, w+n)
		default:
			u.add(ix.Name, max(w, n))
		}
	}
	return u
}

// addAll adds the units of one write or read of several.
func addAll(sum map[string]units, table string, u units) {
	if sum[table] == nil {
		sum[table] = units{}
	}
	for name, n := range u {
		sum[table].add(name, n)
	}
}

func (m *model) batchWrite(op *Op) answer {
	if slices.ContainsFunc(op.Ops, func(o Op) bool { return tooLarge(&o) }) {
		return answer{Code: invalid}
	}
	if m.missesTable(op) {
		return answer{Code: notFound}
	}
	effects, full := make([]effect, len(op.Ops)), false
	seen := map[[2]string]bool{}
	for i := range op.Ops {
		o := &op.Ops[i]
		var f *fault
		if effects[i], f = m.plan(o); f != nil || seen[[2]string{o.Table, effects[i].key}] {
			return answer{Code: invalid}
		}
		seen[[2]string{o.Table, effects[i].key}] = true
		if effects[i].run(o) != nil {
			full = true
		}
	}
	if full {
		return answer{Code: invalid}
	}
	sum := map[string]units{}
	for i := range effects {
		effects[i].apply()
		addAll(sum, op.Ops[i].Table, effects[i].units(1))
	}
	return answer{Units: ifUnits(op, sum)}
}

func ifUnits(op *Op, sum map[string]units) map[string]units {
	if !op.Units {
		return nil
	}
	return sum
}

func (m *model) missesTable(op *Op) bool {
	return slices.ContainsFunc(op.Ops, func(o Op) bool { return m.tables[o.Table] == nil })
}

func (m *model) transact(op *Op) answer {
	if slices.ContainsFunc(op.Ops, func(o Op) bool { return tooLarge(&o) }) {
		return answer{Code: invalid}
	}
	if m.missesTable(op) {
		return answer{Code: notFound}
	}
	effects, a := m.planAll(op)
	if a != nil {
		return *a
	}
	if op.Token != "" {
		if known, ok := m.tokens[op.Token]; ok && m.now.Sub(known.at) <= tokenLife {
			return known.replay(op)
		}
	}
	reasons := make([]*fault, len(effects))
	for i := range effects {
		reasons[i] = effects[i].run(&op.Ops[i])
	}
	if a := cancel(reasons); a != nil {
		return *a
	}
	sum, sizes := map[string]units{}, []int{}
	for i := range effects {
		e := &effects[i]
		addAll(sum, op.Ops[i].Table, e.units(2))
		sizes = append(sizes, max(itemSize(e.old), itemSize(e.new)))
		e.apply()
	}
	if op.Token != "" {
		m.tokens[op.Token] = token{request: request(op), at: m.now, sizes: sizes}
	}
	return answer{Units: ifUnits(op, sum)}
}

// planAll plans the writes of a transaction; the answer is nil if that goes well.
func (m *model) planAll(op *Op) ([]effect, *answer) {
	effects, reasons := make([]effect, len(op.Ops)), make([]*fault, len(op.Ops))
	seen := map[[2]string]bool{}
	for i := range op.Ops {
		o := &op.Ops[i]
		effects[i], reasons[i] = m.plan(o)
		if f := reasons[i]; f != nil {
			if f.request {
				return nil, &answer{Code: invalid}
			}
			continue
		}
		if seen[[2]string{o.Table, effects[i].key}] {
			return nil, &answer{Code: invalid}
		}
		seen[[2]string{o.Table, effects[i].key}] = true
	}
	return effects, cancel(reasons)
}

// cancel returns the answer of a transaction that is cancelled for the reasons, nil if there are none.
func cancel(reasons []*fault) *answer {
	a := &answer{Code: cancelled}
	any := false
	for _, f := range reasons {
		text := "None"
		if f != nil {
			any = true
			text = map[string]string{invalid: "ValidationError", failed: "ConditionalCheckFailed"}[f.code]
			text += show(encode(f.old))
		}
		a.Reasons = append(a.Reasons, text)
	}
	if !any {
		return nil
	}
	return a
}

func (t *token) replay(op *Op) answer {
	if t.request != request(op) {
		return answer{Code: "IdempotentParameterMismatchException"}
	}
	sum := map[string]units{}
	for i, size := range t.sizes {
		addAll(sum, op.Ops[i].Table, units{"": 2 * blocks(size, 4096)})
	}
	return answer{Units: ifUnits(op, sum)}
}
