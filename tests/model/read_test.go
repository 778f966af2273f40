package model

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/grammedb/gramme/internal/kv/keys"
)

const maxPage = 1 << 20

// project returns the projected paths of an item, all of it if there are no paths. Distinct paths begin with distinct names.
func project(it Item, paths []string) Item {
	if paths == nil || it == nil {
		return it
	}
	out := Item{}
	for _, path := range paths {
		v, ok := get(it, path)
		if !ok {
			continue
		}
		all := steps(path)
		for i := len(all) - 1; i > 0; i-- {
			if all[i].name == "" {
				v = list([]Value{v})
			} else {
				v = Value{T: "M", M: Item{all[i].name: v}}
			}
		}
		out[all[0].name] = v
	}
	return out
}

// A place is where an item or entry stands in a table or index.
type place struct {
	part  []byte // hash and partition attributes: the order of partitions
	sorts []Value
	tie   []byte // the table's key, for entries with equal keys
}

func (p *place) compare(q *place) int {
	if c := bytes.Compare(p.part, q.part); c != 0 {
		return c
	}
	for i := range p.sorts {
		if c, _ := compare(p.sorts[i], q.sorts[i]); c != 0 {
			return c
		}
	}
	return bytes.Compare(p.tie, q.tie)
}

// A record is an item or entry on its way into a page.
type record struct {
	place
	keys  Item // of table and index
	shown Item // what the index holds of it
	whole Item // the item
	size  int  // of what was read from the index
}

// place returns where an item with these attributes stands. ok is false if a key attribute is missing or does not fit.
func (t *table) place(ix *Index, it Item) (p place, ok bool) {
	parts, sorts := []Attr{t.Part}, t.keys()[1:]
	if ix != nil {
		parts, sorts = ix.Part, ix.Sort
	}
	if !fit(it, parts, sorts, false) || !fit(it, t.keys()[:1], t.keys()[1:], false) {
		return p, false
	}
	var raw [][]byte
	for _, a := range parts {
		raw = append(raw, it[a.Name].encode().Bytes())
	}
	p.part = keys.AppendPartition(nil, raw...)
	for _, a := range sorts {
		p.sorts = append(p.sorts, it[a.Name])
	}
	var sk []byte
	if t.Sort != nil {
		sk = it[t.Sort.Name].encode().Bytes()
	}
	p.tie = keys.AppendTableKey(nil, it[t.Part.Name].encode().Bytes(), sk)
	return p, true
}

// records returns the items of a table, or the entries of an index, in their order.
func (t *table) records(ix *Index) (all []record) {
	schema := t.schema(ix)
	for _, it := range t.items {
		p, ok := t.place(ix, it)
		if !ok {
			continue
		}
		r := record{place: p, shown: it, whole: it, keys: Item{}}
		if ix != nil {
			r.shown = t.entry(ix, it)
		}
		for _, a := range schema {
			r.keys[a.Name] = it[a.Name]
		}
		r.size = itemSize(r.shown)
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b record) int { return a.compare(&b.place) })
	return all
}

// schema returns all key attributes of a table and an index.
func (t *table) schema(ix *Index) []Attr {
	all := slices.Clone(t.keys())
	if ix != nil {
		for _, a := range ix.keys() {
			if !isKey(all, a.Name) {
				all = append(all, a)
			}
		}
	}
	return all
}

// own returns the key attributes of what is read: of the index, or else of the table.
func (t *table) own(ix *Index) []Attr {
	if ix != nil {
		return ix.keys()
	}
	return t.keys()
}

func (m *model) read(op *Op) answer {
	if staticFault(op) {
		return answer{Code: invalid}
	}
	t := m.tables[op.Table]
	if t == nil {
		return answer{Code: notFound}
	}
	var ix *Index
	if op.Index != "" {
		if ix = t.index(op.Index); ix == nil {
			return answer{Code: invalid}
		}
	}
	src, ok := t.choose(ix, op)
	if !ok || op.Kind == "query" && !t.queryable(ix, op) {
		return answer{Code: invalid}
	}
	src.single = op.Kind == "query" && t.whole(ix, op)
	var a answer
	start := op.Start
	for len(a.Pages) < max(1, op.Pages) {
		rest, ok := t.rest(ix, op, start)
		if !ok || start != nil && src.single {
			return answer{Code: invalid}
		}
		p, last := pageOf(rest, op, src)
		a.Pages = append(a.Pages, p)
		if start = last; last == nil {
			break
		}
	}
	return a
}

// staticFault reports what is wrong with a read whatever the table.
func staticFault(op *Op) bool {
	for _, c := range op.Keys {
		if c.Op == "begins" && c.Vals[0].T == "N" {
			return true
		}
		if n, ok := compare(c.Vals[0], c.Vals[len(c.Vals)-1]); !ok || n > 0 {
			return true
		}
	}
	return op.Project != nil && op.Select != "" || op.Select == "ALL_PROJECTED_ATTRIBUTES" && op.Index == ""
}

// A source says what a read is made of.
type source struct {
	index   string
	fetch   bool // whole items are fetched from the table
	entries bool // but the answer is what the index holds
	single  bool // there is one item at most
}

// choose returns what the answer is made of, and whether the read is allowed at all.
func (t *table) choose(ix *Index, op *Op) (src source, ok bool) {
	if op.Kind == "query" && slices.ContainsFunc(op.Filter.paths(), func(p string) bool { return isKey(t.own(ix), top(p)) }) {
		return src, false
	}
	if ix == nil {
		return src, true
	}
	lacks := func(p string) bool { return !t.projects(ix, top(p)) }
	filter := slices.ContainsFunc(op.Filter.paths(), lacks)
	answer := slices.ContainsFunc(op.Project, lacks) || op.Select == "ALL_ATTRIBUTES" && ix.Proj != "ALL"
	if !ix.Local && (op.Consistent || filter || answer) {
		return src, false
	}
	return source{index: ix.Name, fetch: filter || answer, entries: !answer}, true
}

// whole reports whether the key conditions fix the whole key of a table.
func (t *table) whole(ix *Index, op *Op) bool {
	return ix == nil && len(op.Keys) == len(t.keys()) && !slices.ContainsFunc(op.Keys, func(c KeyCond) bool { return c.Op != "=" })
}

// queryable reports whether the key conditions suit the keys.
func (t *table) queryable(ix *Index, op *Op) bool {
	parts, sorts := []Attr{t.Part}, t.keys()[1:]
	if ix != nil {
		parts, sorts = ix.Part, ix.Sort
	}
	used := 0
	for _, a := range parts {
		c := op.key(a.Name)
		if c == nil || c.Op != "=" || !c.suits(a, maxPart) {
			return false
		}
		used++
	}
	for _, a := range sorts {
		c := op.key(a.Name)
		if c == nil {
			break
		}
		if !c.suits(a, maxSort) {
			return false
		}
		if used++; c.Op != "=" {
			break
		}
	}
	return used == len(op.Keys)
}

func (op *Op) key(name string) *KeyCond {
	for i := range op.Keys {
		if op.Keys[i].Name == name {
			return &op.Keys[i]
		}
	}
	return nil
}

func (c *KeyCond) suits(a Attr, most int) bool {
	return !slices.ContainsFunc(c.Vals, func(v Value) bool { return !a.fits(v, most) })
}

func (c *KeyCond) holds(v Value) bool {
	switch c.Op {
	case "between":
		return ordered(">=", v, c.Vals[0]) && ordered("<=", v, c.Vals[1])
	case "begins":
		return strings.HasPrefix(v.text(), c.Vals[0].text())
	}
	return ordered(c.Op, v, c.Vals[0])
}

// within reports whether a record belongs to what an operation reads.
func (r *record) within(op *Op) bool {
	if op.Total > 0 {
		hash := int(binary.BigEndian.Uint16(r.part))
		return hash*op.Total>>16 == op.Segment
	}
	for i := range op.Keys {
		if !op.Keys[i].holds(r.keys[op.Keys[i].Name]) {
			return false
		}
	}
	return true
}

// rest returns what an operation reads after a start key, in order. ok is false if that is none.
func (t *table) rest(ix *Index, op *Op, start Item) (rest []record, ok bool) {
	all := t.records(ix)
	var from record
	if start != nil {
		var fits bool
		if from.place, fits = t.place(ix, start); !fits || len(start) != len(t.schema(ix)) {
			return nil, false
		}
		from.keys = start
		if !from.within(op) {
			return nil, false
		}
	}
	if op.Reverse {
		slices.Reverse(all)
	}
	for _, r := range all {
		if start != nil {
			c := r.compare(&from.place)
			if op.Reverse {
				c = -c
			}
			if c <= 0 {
				continue
			}
		}
		if r.within(op) {
			rest = append(rest, r)
		}
	}
	return rest, true
}

// pageOf makes a page of the first records, and returns the key to go on after, nil if there is no need to.
func pageOf(rest []record, op *Op, src source) (p page, last Item) {
	p.Items = []string{}
	size, fetched := 0, 0.0 // of what was read, and blocks of what was fetched
	for i := range rest {
		r := &rest[i]
		p.Scanned++
		size += r.size
		sum, it := size, r.shown
		if src.fetch {
			it = r.whole
			fetched += blocks(itemSize(it), 4096)
			sum = 4096 * int(blocks(size, 4096)+fetched)
		}
		if op.Filter == nil || op.Filter.eval(it) {
			p.Count++
			if src.entries {
				it = r.shown
			}
			if op.Select != "COUNT" {
				p.Items = append(p.Items, show(encode(project(it, op.Project))))
			}
		}
		if !src.single && (p.Scanned == op.Limit || sum >= maxPage) {
			last = maps.Clone(r.keys)
			break
		}
	}
	p.Last = show(encode(last))
	if op.Units {
		p.Units = units{}
		p.Units.add(src.index, mode(op.Consistent)*blocks(size, 4096))
		p.Units.add("", mode(op.Consistent)*fetched)
	}
	return p, last
}
