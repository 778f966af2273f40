package model

import (
	"crypto/sha256"
	"maps"
	"slices"
	"time"
)

const (
	notFound    = "ResourceNotFoundException"
	invalid     = "ValidationException"
	failed      = "ConditionalCheckFailedException"
	cancelled   = "TransactionCanceledException"
	tokenLife   = 10 * time.Minute
	maxItemSize = 400 << 10
)

// A model is what a database must look like from outside.
type model struct {
	tables  map[string]*table
	tokens  map[string]token
	streams map[string][]*stream // by the name of the table, whichever had it
	now     time.Time
}

// A table is a schema and items, by their keys.
type table struct {
	Schema
	items  map[string]Item
	stream *stream // nil: none is enabled
	ttl    ttl
}

// A token is the memory of a transaction: its request, and the larger of the sizes before and after each of its writes.
type token struct {
	request [32]byte
	at      time.Time
	sizes   []int
}

func newModel(now time.Time) *model {
	return &model{tables: map[string]*table{}, tokens: map[string]token{}, streams: map[string][]*stream{}, now: now}
}

// do does an operation and returns what the database must answer.
func (m *model) do(op *Op) answer {
	switch op.Kind {
	case "create", "drop", "addindex", "dropindex":
		return answer{Code: m.define(op)}
	case "put", "update", "delete":
		return m.single(op)
	case "get":
		return m.get(op)
	case "batchwrite":
		return m.batchWrite(op)
	case "batchget":
		return m.batchGet(op)
	case "transact":
		return m.transact(op)
	case "transactget":
		return m.transactGet(op)
	case "query", "scan":
		return m.read(op)
	case "describe":
		return m.describe(op)
	case "stream":
		return answer{Code: m.stream(op)}
	case "records":
		return m.records(op)
	case "ttl":
		return answer{Code: m.setTTL(op)}
	case "sweep":
		m.sweep()
	case "clock", "tend":
		m.now = m.now.Add(op.Step)
	}
	return answer{}
}

func (m *model) define(op *Op) (code string) {
	t := m.tables[op.Table]
	switch {
	case op.Kind == "create" && t != nil:
		return "ResourceInUseException"
	case op.Kind == "create":
		m.tables[op.Table] = &table{Schema: *op.Schema, items: map[string]Item{}}
		m.tables[op.Table].Indexes = slices.Clone(op.Schema.Indexes)
	case t == nil:
		return notFound
	case op.Kind == "drop":
		delete(m.tables, op.Table)
	case op.Kind == "addindex" && (t.index(op.NewIndex.Name) != nil || t.redefines(op.NewIndex)):
		return invalid
	case op.Kind == "addindex":
		t.Indexes = append(t.Indexes, *op.NewIndex)
	case t.index(op.Index) == nil:
		return notFound
	default:
		t.Indexes = slices.DeleteFunc(t.Indexes, func(ix Index) bool { return ix.Name == op.Index })
	}
	return ""
}

func (m *model) describe(op *Op) answer {
	t := m.tables[op.Table]
	if t == nil {
		return answer{Code: notFound}
	}
	sizes := map[string][2]int64{"": {}}
	for i := range t.Indexes {
		sizes[t.Indexes[i].Name] = [2]int64{}
	}
	count := func(name string, it Item) {
		s := sizes[name]
		sizes[name] = [2]int64{s[0] + 1, s[1] + int64(itemSize(it))}
	}
	for _, it := range t.items {
		count("", it)
		for i := range t.Indexes {
			if e := t.entry(&t.Indexes[i], it); e != nil {
				count(t.Indexes[i].Name, e)
			}
		}
	}
	return answer{Sizes: sizes}
}

// redefines reports whether an index needs a key attribute to be of another type than it is.
func (t *table) redefines(ix *Index) bool {
	all := t.keys()
	for i := range t.Indexes {
		all = append(all, t.Indexes[i].keys()...)
	}
	return slices.ContainsFunc(ix.keys(), func(a Attr) bool {
		return slices.ContainsFunc(all, func(b Attr) bool { return a.Name == b.Name && a.T != b.T })
	})
}

func (t *table) index(name string) *Index {
	for i := range t.Indexes {
		if t.Indexes[i].Name == name {
			return &t.Indexes[i]
		}
	}
	return nil
}

// keys returns the table's key attributes.
func (t *table) keys() []Attr {
	if t.Sort == nil {
		return []Attr{t.Part}
	}
	return []Attr{t.Part, *t.Sort}
}

func (ix *Index) keys() []Attr { return slices.Concat(ix.Part, ix.Sort) }

// The longest key attributes.
const (
	maxPart = 2048
	maxSort = 1024
)

// fits reports whether a value can be that of a key attribute of a length.
func (a Attr) fits(v Value, most int) bool {
	return v.T == a.T && (v.T == "N" || v.size() > 0 && v.size() <= most)
}

// fit reports whether an item has values for key attributes; lacking is whether it may lack some.
func fit(it Item, part, sort []Attr, lacking bool) bool {
	for i, list := range [][]Attr{part, sort} {
		for _, a := range list {
			if v, has := it[a.Name]; has && !a.fits(v, []int{maxPart, maxSort}[i]) || !has && !lacking {
				return false
			}
		}
	}
	return true
}

func isKey(keys []Attr, name string) bool {
	return slices.ContainsFunc(keys, func(a Attr) bool { return a.Name == name })
}

// key returns the key in an item. ok is false if it has none that fits; empty tells that it is only for an empty value.
func (t *table) key(it Item) (key string, ok, empty bool) {
	k := Item{}
	for _, a := range t.keys() {
		if k[a.Name] = it[a.Name]; it[a.Name].T == a.T && it[a.Name].size() == 0 {
			return "", false, true
		}
	}
	if !fit(k, t.keys()[:1], t.keys()[1:], false) {
		return "", false, false
	}
	return string(encode(k)), true, false
}

// exactKey is key for an item that must be a key and nothing else.
func (t *table) exactKey(it Item) (key string, ok, empty bool) {
	if len(it) != len(t.keys()) {
		return "", false, false
	}
	return t.key(it)
}

// indexable reports whether every index key attribute that the item has fits its index.
func (t *table) indexable(it Item) bool {
	for i := range t.Indexes {
		if !fit(it, t.Indexes[i].Part, t.Indexes[i].Sort, true) {
			return false
		}
	}
	return true
}

// entry returns what an index holds of an item, nil if the item is not in it.
func (t *table) entry(ix *Index, it Item) Item {
	if it == nil || !fit(it, ix.Part, ix.Sort, false) {
		return nil
	}
	e := maps.Clone(it)
	maps.DeleteFunc(e, func(name string, _ Value) bool { return !t.projects(ix, name) })
	return e
}

func (t *table) projects(ix *Index, name string) bool {
	return ix.Proj == "ALL" || slices.Contains(ix.NonKey, name) || isKey(t.keys(), name) || isKey(ix.keys(), name)
}

// request identifies a transaction to which a token belongs.
func request(op *Op) [32]byte { return sha256.Sum256([]byte(op.String())) }
