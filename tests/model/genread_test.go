package model

import (
	"slices"
)

// reading makes what queries and scans have in common.
func (g *generator) reading(kind string) (Op, *table, *Index) {
	name, t := g.table()
	op := Op{Kind: kind, Table: name, Project: g.projection(), Units: g.one(3), Consistent: g.one(3), Pages: pick(g, 1, 3, 1000)}
	var ix *Index
	if len(t.Indexes) > 0 && !g.one(3) && g.writer == "" {
		ix = &t.Indexes[g.IntN(len(t.Indexes))]
		op.Index = ix.Name
		op.Consistent = op.Consistent && (ix.Local || g.one(10))
	}
	if g.one(20) && g.writer == "" {
		op.Index = "global-9"
	}
	if !g.one(3) {
		op.Limit = pick(g, 1, 2, 3, 5, 50)
	}
	if op.Project == nil && g.one(3) {
		op.Select = pick(g, "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
	}
	if !g.one(10) {
		g.selectHeld(&op, t, ix)
	}
	if g.one(3) {
		op.Filter = g.filter(kind, t, ix)
	}
	return op, t, ix
}

// selectHeld drops from what is asked for what a global index does not hold.
func (g *generator) selectHeld(op *Op, t *table, ix *Index) {
	switch {
	case ix == nil && op.Select == "ALL_PROJECTED_ATTRIBUTES":
		op.Select = ""
	case ix == nil || ix.Local || ix.Proj == "ALL":
	case op.Select == "ALL_ATTRIBUTES":
		op.Select = ""
	default:
		op.Project = slices.DeleteFunc(op.Project, func(p string) bool { return !t.projects(ix, top(p)) })
		if len(op.Project) == 0 {
			op.Project = nil
		}
	}
}

// filter makes a filter, mostly one that is allowed: not about the keys of what is queried, nor about what a global index lacks.
func (g *generator) filter(kind string, t *table, ix *Index) *Cond {
	refused := func(p string) bool {
		return kind == "query" && isKey(t.own(ix), top(p)) || ix != nil && !ix.Local && !t.projects(ix, top(p))
	}
	for range 30 {
		if c := g.cond(1); g.one(50) || !slices.ContainsFunc(c.paths(), refused) {
			return c
		}
	}
	return nil
}

func (g *generator) query() Op {
	op, t, ix := g.reading("query")
	op.Reverse = g.one(2)
	parts, sorts := []Attr{t.Part}, t.keys()[1:]
	if ix != nil {
		parts, sorts = ix.Part, ix.Sort
	}
	near := g.near(t, ix)
	for _, a := range parts {
		op.Keys = append(op.Keys, KeyCond{Name: a.Name, Op: "=", Vals: []Value{g.like(near, a)}})
	}
	for _, a := range sorts {
		if g.one(3) {
			break
		}
		c := g.sortCond(near, a)
		if op.Keys = append(op.Keys, c); c.Op != "=" {
			break
		}
	}
	g.spoil(&op)
	g.Shuffle(len(op.Keys), func(i, j int) { op.Keys[i], op.Keys[j] = op.Keys[j], op.Keys[i] })
	if g.one(6) && (!t.whole(ix, &op) || g.one(10)) {
		op.Start = g.start(t, ix, &op)
	}
	return op
}

// near returns an item that is in the index, or any, or none.
func (g *generator) near(t *table, ix *Index) Item {
	all := t.records(ix)
	if len(all) == 0 || g.one(10) {
		return Item{}
	}
	return pick(g, all...).whole
}

// like returns the item's value of a key attribute, or another of its type.
func (g *generator) like(it Item, a Attr) Value {
	switch v, ok := it[a.Name]; {
	case a.Name == "pk" && g.writer != "":
		return str(g.writer)
	case ok && !g.one(12):
		return v
	}
	return g.scalar(a.T)
}

func (g *generator) sortCond(near Item, a Attr) KeyCond {
	c := KeyCond{Name: a.Name, Op: pick(g, "=", "=", "<", "<=", ">", ">=", "between", "begins")}
	switch {
	case c.Op == "begins" && a.T == "N" && !g.one(20):
		c.Op = "="
	case c.Op == "between":
		c.Vals = g.bounds(a.T)
		return c
	}
	c.Vals = []Value{g.like(near, a)}
	return c
}

// spoil makes a key condition, now and then, into one that the keys do not allow.
func (g *generator) spoil(op *Op) {
	if !g.one(20) || g.writer != "" {
		return
	}
	i := g.IntN(len(op.Keys))
	switch g.IntN(4) {
	case 0:
		op.Keys = slices.Delete(op.Keys, i, i+1)
		if len(op.Keys) == 0 {
			op.Keys = []KeyCond{{Name: "v", Op: "=", Vals: []Value{num(1)}}}
		}
	case 1:
		op.Keys[i].Op, op.Keys[i].Vals = "=", []Value{pick(g, str(""), num(5), str("x"))}
	case 2:
		op.Keys[i].Op, op.Keys[i].Vals = "<", op.Keys[i].Vals[:1]
	case 3:
		op.Keys[i].Name = pick(g, "a", "b", "v", "sk")
		for j, c := range op.Keys { // one condition for each attribute
			if j != i && c.Name == op.Keys[i].Name {
				op.Keys[i].Name = "other"
			}
		}
	}
}

// start makes a start key, mostly one of what is read.
func (g *generator) start(t *table, ix *Index, op *Op) Item {
	all := slices.DeleteFunc(t.records(ix), func(r record) bool { return !r.within(op) })
	if len(all) > 0 && !g.one(4) {
		return pick(g, all...).keys
	}
	k, near := Item{}, g.near(t, ix)
	for _, a := range t.schema(ix) {
		k[a.Name] = g.like(near, a)
		if c := op.key(a.Name); c != nil && c.Op == "=" {
			k[a.Name] = c.Vals[0]
		}
	}
	switch {
	case g.one(15):
		delete(k, pick(g, "pk", "sk", "a"))
	case g.one(15):
		k[pick(g, "pk", "sk", "b", "v")] = num(3)
	}
	if len(k) == 0 {
		return nil
	}
	return k
}

func (g *generator) scan() Op {
	op, t, ix := g.reading("scan")
	if g.one(3) {
		op.Total = pick(g, 1, 2, 3, 10)
		op.Segment = g.IntN(op.Total)
	}
	if g.one(6) {
		op.Start = g.start(t, ix, &op)
	}
	return op
}
