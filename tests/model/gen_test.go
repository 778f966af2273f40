package model

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// A generator makes operations. It looks at the model to make them meet what is there.
type generator struct {
	*rand.Rand
	m     *model
	heavy bool     // items are often large, so that pages end by size
	past  []Op     // transactions with tokens
	names []string // of tables
	n     int

	// For one writer among several: it keeps to partitions of its own, and does nothing to tables.
	writer string
}

func newGenerator(seed uint64, m *model) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), m: m, names: []string{"T-1", "T-2", "T-3"}}
	g.heavy = seed%4 == 3
	return g
}

// pick returns one of the values.
func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// one reports true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

// kinds is how often each kind of operation is made.
var kinds = []struct {
	kind   string
	weight int
}{
	{"put", 44}, {"update", 48}, {"delete", 10}, {"get", 10}, {"batchwrite", 20}, {"batchget", 6}, {"transact", 28}, {"transactget", 6},
	{"query", 60}, {"scan", 14}, {"clock", 4}, {"create", 2}, {"drop", 1}, {"addindex", 5}, {"dropindex", 3}, {"restart", 2},
	{"crash", 2}, {"check", 3}, {"describe", 3}, {"stream", 4}, {"records", 3}, {"tend", 8}, {"ttl", 6}, {"sweep", 12},
}

// next makes an operation: tables first, then items, then anything.
func (g *generator) next() Op {
	g.n++
	switch {
	case g.n <= 2 || len(g.m.tables) == 0 && !g.one(10):
		return g.create()
	case g.n <= 5:
		return g.several("batchwrite", 25)
	}
	sum := 0
	for _, k := range kinds {
		sum += k.weight
	}
	at := g.IntN(sum)
	for _, k := range kinds {
		if at -= k.weight; at < 0 {
			return g.op(k.kind)
		}
	}
	panic("unreachable")
}

func (g *generator) op(kind string) Op {
	switch kind {
	case "put", "update", "delete":
		return g.write(kind)
	case "get":
		name, t := g.table()
		return Op{Kind: kind, Table: name, Item: g.key(t), Project: g.projection(), Consistent: g.one(2), Units: g.one(3)}
	case "batchwrite", "batchget", "transactget":
		return g.several(kind, 1+g.IntN(8))
	case "transact":
		return g.transact()
	case "query":
		return g.query()
	case "scan":
		return g.scan()
	case "create":
		return g.create()
	case "drop", "describe":
		name, _ := g.table()
		return Op{Kind: kind, Table: name}
	case "addindex":
		name, t := g.table()
		ix := g.global(t)
		return Op{Kind: kind, Table: name, NewIndex: &ix}
	case "dropindex":
		return g.dropIndex()
	case "clock":
		return Op{Kind: kind, Step: pick(g, time.Second, 5*time.Minute, 10*time.Minute, 11*time.Minute, 24*time.Hour, -24*time.Hour, -time.Minute)}
	case "stream", "records":
		return g.stream(kind)
	case "ttl":
		return g.ttl()
	case "tend":
		return Op{Kind: kind, Step: pick(g, 0, time.Second, time.Second, 2*time.Hour)}
	case "crash":
		return Op{Kind: kind, Percent: pick(g, 0, 50, 100)}
	}
	return Op{Kind: kind}
}

func (g *generator) stream(kind string) Op {
	name, t := g.table()
	op := Op{Kind: kind, Table: name, Limit: pick(g, 1, 3, 1000)}
	if kind == "stream" && (t.stream == nil || g.one(8)) {
		op.View = pick(g, "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "NEW_AND_OLD_IMAGES")
	}
	return op
}

// table chooses a table, now and then one that does not exist, of which some schema is supposed.
func (g *generator) table() (string, *table) {
	names := slices.Sorted(maps.Keys(g.m.tables))
	if len(names) == 0 || g.one(150) {
		name := pick(g, g.names...)
		if t := g.m.tables[name]; t != nil {
			return name, t
		}
		return name, &table{Schema: Schema{Part: Attr{"pk", "S"}}}
	}
	name := pick(g, names...)
	return name, g.m.tables[name]
}

// The attributes that are index keys have a type each.
var indexKeys = []Attr{{"a", "S"}, {"b", "N"}, {"c", "B"}, {"d", "S"}}

func (g *generator) create() Op {
	s := &Schema{Part: Attr{"pk", pick(g, "S", "S", "N", "B")}}
	if !g.one(4) {
		s.Sort = &Attr{"sk", pick(g, "S", "N", "B")}
	}
	t := &table{Schema: *s}
	if s.Sort != nil {
		for i := range g.IntN(3) {
			ix := Index{Name: fmt.Sprintf("local-%d", i+1), Local: true, Part: []Attr{s.Part}, Sort: []Attr{pick(g, indexKeys...)}}
			g.project(&ix)
			s.Indexes = append(s.Indexes, ix)
		}
	}
	for range g.IntN(3) {
		if ix := g.global(t); (&table{Schema: *s}).index(ix.Name) == nil {
			s.Indexes = append(s.Indexes, ix)
		}
	}
	return Op{Kind: "create", Table: pick(g, g.names...), Schema: s}
}

// global makes a global index.
func (g *generator) global(t *table) Index {
	keys := slices.Concat(indexKeys, t.keys())
	g.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	parts := pick(g, 1, 1, 1, 2)
	sorts := pick(g, 0, 1, 1, 2)
	ix := Index{Name: fmt.Sprintf("global-%d", 1+g.IntN(4)), Part: keys[:parts], Sort: keys[parts : parts+sorts]}
	g.project(&ix)
	return ix
}

func (g *generator) project(ix *Index) {
	if ix.Proj = pick(g, "ALL", "KEYS_ONLY", "INCLUDE"); ix.Proj == "INCLUDE" {
		ix.NonKey = pick(g, []string{"v"}, []string{"m", "s"}, []string{"ss", "l", "a"})
	}
}

func (g *generator) dropIndex() Op {
	name, t := g.table()
	var names []string
	for _, ix := range t.Indexes {
		if !ix.Local {
			names = append(names, ix.Name)
		}
	}
	if names == nil || g.one(20) {
		return Op{Kind: "dropindex", Table: name, Index: "global-9"}
	}
	return Op{Kind: "dropindex", Table: name, Index: pick(g, names...)}
}

// write makes a put, update, delete or check of one item.
func (g *generator) write(kind string) Op {
	name, t := g.table()
	op := Op{Kind: kind, Table: name, Item: g.key(t), OnFailure: g.one(2), Units: g.one(3)}
	switch kind {
	case "put":
		maps.Copy(op.Item, g.attributes())
		op.Returns = pick(g, "", "ALL_OLD")
	case "update":
		if !g.one(25) {
			op.Update = g.actions(t.find(op.Item))
		}
		op.Returns = g.returns(op.Update)
	case "delete":
		op.Returns = pick(g, "", "ALL_OLD")
	}
	switch {
	case g.one(4) || kind == "check":
		op.Cond = g.cond(2)
	case g.one(4):
		op.Cond = g.truth(t, op.Item)
	}
	return op
}

// returns chooses the ReturnValues of an update. Of nested paths the model does not know what is shown.
func (g *generator) returns(actions []Action) string {
	if slices.ContainsFunc(actions, func(a Action) bool { return top(a.Path) != a.Path }) {
		return pick(g, "", "ALL_OLD", "ALL_NEW")
	}
	return pick(g, "", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
}

func (g *generator) several(kind string, n int) Op {
	op := Op{Kind: kind, Units: g.one(2)}
	if kind == "batchget" {
		op.Project = g.projection()
	}
	for range n {
		name, t := g.table()
		o := Op{Kind: "get", Table: name, Item: g.key(t)}
		switch {
		case kind == "batchwrite" && g.one(5):
			o.Kind = "delete"
		case kind == "batchwrite":
			o.Kind = "put"
			maps.Copy(o.Item, g.attributes())
		case kind == "transactget":
			o.Project = g.projection()
		}
		op.Ops = append(op.Ops, o)
	}
	return g.distinct(op)
}

// distinct mostly drops operations on one item from a list: they make the whole list invalid.
func (g *generator) distinct(op Op) Op {
	if g.one(15) {
		return op
	}
	seen := map[string]bool{}
	op.Ops = slices.DeleteFunc(op.Ops, func(o Op) bool {
		id := o.Table
		if t := g.m.tables[o.Table]; t != nil {
			key, _, _ := t.key(o.Item)
			id += key
		}
		had := seen[id]
		seen[id] = true
		return had
	})
	return op
}

func (g *generator) transact() Op {
	if len(g.past) > 0 && g.one(3) {
		op := pick(g, g.past...)
		if g.one(4) {
			op.Units = !op.Units // another request
		}
		return op
	}
	op := Op{Kind: "transact", Units: g.one(2)}
	for range 1 + g.IntN(4) {
		o := g.write(pick(g, "put", "put", "update", "delete", "check"))
		t := g.m.tables[o.Table]
		o.Returns, o.Units = "", false
		if o.Kind == "update" && o.Update == nil {
			o.Update = g.actions(nil)
		}
		if !g.one(5) && o.Kind != "check" {
			o.Cond = nil // or else most transactions fail
		}
		if o.Kind == "check" && !g.one(3) {
			o.Cond = g.truth(t, o.Item)
		}
		op.Ops = append(op.Ops, o)
	}
	op = g.distinct(op)
	if g.one(2) {
		op.Token = fmt.Sprintf("token-%s%d", g.writer, g.IntN(40))
		g.past = append(g.past, op)
	}
	return op
}
