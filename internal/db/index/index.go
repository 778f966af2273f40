// Package index says which entries an item has in the indexes of its table, and what changes when the item does. It is
// pure: no I/O, no state.
package index

import (
	"bytes"
	"slices"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// AppendKey appends the key of the item's entry in ix. ok is false if the item has none: it lacks a key attribute of the
// index, or has one that does not fit.
func AppendKey(dst []byte, d *table.Definition, ix *table.Index, it attr.Item) (key []byte, ok bool) {
	var vals [table.MaxKeyAttributes][]byte
	n := 0
	for sort, list := range [2][]table.Attribute{ix.Schema.Partition, ix.Schema.Sort} {
		for _, a := range list {
			v := it.Get(a.Name)
			if !a.Fits(v, sort == 1) {
				return dst, false
			}
			vals[n], n = v.Bytes(), n+1
		}
	}
	parts := len(ix.Schema.Partition)
	dst = keys.AppendSpace(dst, d.Number, ix.Number)
	dst = keys.AppendPartition(dst, vals[:parts]...)
	for _, v := range vals[parts:n] {
		dst = keys.AppendSort(dst, v)
	}
	return keys.AppendTableKey(dst, it.Get(d.Schema.Partition[0].Name).Bytes(), sortBytes(d, it)), true
}

func sortBytes(d *table.Definition, it attr.Item) []byte {
	if len(d.Schema.Sort) == 0 {
		return nil
	}
	return it.Get(d.Schema.Sort[0].Name).Bytes()
}

// Project returns what the entry of the item in ix holds.
func Project(d *table.Definition, ix *table.Index, it attr.Item) attr.Item {
	if ix.Projection.Type == "ALL" {
		return it
	}
	fields := make([]attr.Field, 0, 8)
	for name, v := range it.All() {
		if Projects(d, ix, string(name)) {
			fields = append(fields, attr.Field{Name: string(name), Value: v})
		}
	}
	return attr.Make(fields...)
}

// Projects reports whether entries of ix hold the attribute.
func Projects(d *table.Definition, ix *table.Index, name string) bool {
	if ix.Projection.Type == "ALL" || slices.Contains(ix.Projection.NonKey, name) {
		return true
	}
	if _, ok := d.Schema.Find(name); ok {
		return true
	}
	_, ok := ix.Schema.Find(name)
	return ok
}

// A Change is what becomes of one index when an item changes. It is left out where there was and is no entry.
type Change struct {
	Index            *table.Index
	OldKey, NewKey   []byte // nil: no entry
	OldSize, NewSize int    // as DynamoDB counts the projected attributes
	New              attr.Item
	Same             bool // the entry stays as it is
}

// Diff appends the changes of the indexes that writes keep when old, nil if there is none, becomes new, nil to delete.
func Diff(dst []Change, d *table.Definition, old, new attr.Item) []Change {
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		if !ix.Kept() {
			continue
		}
		c := Change{Index: ix}
		var was attr.Item
		c.OldKey, c.OldSize, was = entry(d, ix, old)
		c.NewKey, c.NewSize, c.New = entry(d, ix, new)
		if c.OldKey == nil && c.NewKey == nil {
			continue
		}
		c.Same = c.OldKey != nil && bytes.Equal(c.OldKey, c.NewKey) && bytes.Equal(was, c.New)
		dst = append(dst, c)
	}
	return dst
}

func entry(d *table.Definition, ix *table.Index, it attr.Item) (key []byte, size int, projected attr.Item) {
	if it == nil {
		return nil, 0, nil
	}
	key, ok := AppendKey(nil, d, ix, it)
	if !ok {
		return nil, 0, nil
	}
	projected = Project(d, ix, it)
	return key, projected.Size(), projected
}
