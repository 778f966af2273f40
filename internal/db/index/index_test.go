package index_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/index"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

const music = `
Music artist:S song:S
local ByYear artist:S year:N ALL
local ByLabel artist:S label:S KEYS_ONLY
global ByGenre genre:S year:N INCLUDE(length,price)
global BySong song:S KEYS_ONLY
global Wide genre:S+label:S year:N+song:S KEYS_ONLY`

func item(t *testing.T, text string) attr.Item {
	t.Helper()
	if text == "" {
		return nil
	}
	return dbtest.Item(t, text)
}

// entry builds the key that an entry must have, from the package that owns the layout.
func entry(d *table.Definition, ix *table.Index, parts, sorts []attr.Value, pk, sk attr.Value) []byte {
	b := func(vs []attr.Value) (out [][]byte) {
		for _, v := range vs {
			out = append(out, v.Bytes())
		}
		return out
	}
	key := keys.AppendPartition(keys.AppendSpace(nil, d.Number, ix.Number), b(parts)...)
	for _, s := range b(sorts) {
		key = keys.AppendSort(key, s)
	}
	return keys.AppendTableKey(key, pk.Bytes(), sk.Bytes())
}

func TestAppendKey(t *testing.T) {
	d := dbtest.Define(t, music)
	s, n := attr.String, attr.Int
	for _, c := range []struct {
		index, item string
		parts       []attr.Value // nil: no entry
		sorts       []attr.Value
	}{
		{"ByYear", "artist=A song=B year=1999", []attr.Value{s("A")}, []attr.Value{n(1999)}},
		{"ByYear", "artist=A song=B", nil, nil},
		{"ByYear", "artist=A song=B year=x", nil, nil}, // of another type: put before the index was made
		{"BySong", "artist=A song=B", []attr.Value{s("B")}, nil},
		{"ByGenre", "artist=A song=B genre=g year=-1", []attr.Value{s("g")}, []attr.Value{n(-1)}},
		{"ByGenre", "artist=A song=B genre=g", nil, nil},
		{"ByGenre", "artist=A song=B year=1", nil, nil},
		{"ByGenre", "artist=A song=B genre= year=1", nil, nil}, // empty
		{"Wide", "artist=A song=B genre=g label=l year=7", []attr.Value{s("g"), s("l")}, []attr.Value{n(7), s("B")}},
		{"Wide", "artist=A song=B genre=g year=7", nil, nil},
		{"Wide", "artist=A song=B genre=g label=l", nil, nil},
	} {
		ix := d.Index(c.index)
		got, ok := index.AppendKey([]byte("before"), d, ix, item(t, c.item))
		if ok != (c.parts != nil) {
			t.Errorf("%s of %s: entry %v, want %v", c.index, c.item, ok, c.parts != nil)
			continue
		}
		want := []byte("before")
		if ok {
			want = append(want, entry(d, ix, c.parts, c.sorts, s("A"), s("B"))...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s of %s: key %x, want %x", c.index, c.item, got, want)
		}
	}
}

func TestAppendKeyLongValues(t *testing.T) {
	d := dbtest.Define(t, "T pk:S\nglobal G g:S h:S ALL")
	g := d.Index("G")
	for _, c := range []struct {
		g, h int
		ok   bool
	}{{2048, 1024, true}, {2049, 1, false}, {1, 1025, false}} {
		it := attr.Make(
			attr.Field{Name: "pk", Value: attr.String("a")},
			attr.Field{Name: "g", Value: attr.String(strings.Repeat("g", c.g))},
			attr.Field{Name: "h", Value: attr.String(strings.Repeat("h", c.h))})
		if _, ok := index.AppendKey(nil, d, g, it); ok != c.ok {
			t.Errorf("key attributes of %d and %d bytes: entry %v, want %v", c.g, c.h, ok, c.ok)
		}
	}
}

func TestAppendKeyTableWithoutSortKey(t *testing.T) {
	d := dbtest.Define(t, "T pk:N\nglobal G g:S ALL")
	got, ok := index.AppendKey(nil, d, d.Index("G"), item(t, "pk=5 g=x"))
	want := entry(d, d.Index("G"), []attr.Value{attr.String("x")}, nil, attr.Int(5), attr.Value{byte(attr.S), 0})
	if !ok || !bytes.Equal(got, want) {
		t.Errorf("key %x %v, want %x", got, ok, want)
	}
}

func TestProject(t *testing.T) {
	d := dbtest.Define(t, music)
	const it = "artist=A song=B year=1 genre=g label=l length=3 price=4 rest=5"
	for _, c := range []struct{ index, want string }{
		{"ByYear", it},
		{"ByLabel", "artist=A song=B label=l"},
		{"ByGenre", "artist=A song=B genre=g year=1 length=3 price=4"},
		{"BySong", "artist=A song=B"},
		{"Wide", "artist=A song=B genre=g label=l year=1"},
	} {
		got := index.Project(d, d.Index(c.index), item(t, it))
		if want := item(t, c.want); !bytes.Equal(got, want) {
			t.Errorf("%s holds %v, want %v", c.index, got, want)
		}
		for name := range item(t, it).All() {
			want := item(t, c.want).Get(string(name)) != nil
			if got := index.Projects(d, d.Index(c.index), string(name)); got != want {
				t.Errorf("%s projects %s: %v, want %v", c.index, name, got, want)
			}
		}
	}
}

// change prints what becomes of an entry.
func change(c index.Change) string {
	kind := "moves"
	switch {
	case c.Same:
		kind = "stays"
	case c.OldKey == nil:
		kind = "appears"
	case c.NewKey == nil:
		kind = "goes"
	case bytes.Equal(c.OldKey, c.NewKey):
		kind = "changes"
	}
	return c.Index.Name + " " + kind
}

func TestDiff(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"put", "", "pk=a g=x v=1", "All appears; Keys appears"},
		{"put outside of the indexes", "", "pk=a v=1", ""},
		{"delete", "pk=a g=x v=1", "", "All goes; Keys goes"},
		{"no change", "pk=a g=x v=1", "pk=a g=x v=1", "All stays; Keys stays"},
		{"not projected", "pk=a g=x v=1", "pk=a g=x v=2", "All changes; Keys stays"},
		{"move", "pk=a g=x", "pk=a g=y", "All moves; Keys moves"},
		{"leave", "pk=a g=x", "pk=a", "All goes; Keys goes"},
		{"enter", "pk=a", "pk=a g=x", "All appears; Keys appears"},
	} {
		d := dbtest.Define(t, "T pk:S\nglobal All g:S ALL\nglobal Keys g:S KEYS_ONLY\nglobal Dropped g:S ALL")
		d.Index("Dropped").Status = table.Deleting
		d.Index("Keys").Status = table.Creating // being filled: kept like any other
		old, new := item(t, c.old), item(t, c.new)
		var kinds []string
		for _, got := range index.Diff(nil, d, old, new) {
			kinds = append(kinds, change(got))
			checkSizes(t, d, got, old, new)
		}
		if got := strings.Join(kinds, "; "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// checkSizes compares a change's sizes and new entry with those of the projected items.
func checkSizes(t *testing.T, d *table.Definition, c index.Change, old, new attr.Item) {
	t.Helper()
	oldSize, newSize := 0, 0
	if c.OldKey != nil {
		oldSize = index.Project(d, c.Index, old).Size()
	}
	var entry attr.Item
	if c.NewKey != nil {
		entry = index.Project(d, c.Index, new)
		newSize = entry.Size()
	}
	if c.OldSize != oldSize || c.NewSize != newSize || !bytes.Equal(c.New, entry) {
		t.Errorf("%s: new entry %v, want %v of %d bytes, %d before", change(c), c.New, entry, newSize, oldSize)
	}
}

func TestDiffAppends(t *testing.T) {
	d := dbtest.Define(t, "T pk:S\nglobal G g:S ALL")
	first := index.Diff(nil, d, nil, item(t, "pk=a g=x"))
	both := index.Diff(first, d, nil, item(t, "pk=b g=x"))
	if len(both) != 2 || change(both[0]) != change(first[0]) {
		t.Errorf("two diffs make %d changes", len(both))
	}
}

// A set is not ordered, so an item put again with its members in another order has the same entry.
func TestDiffSets(t *testing.T) {
	d := dbtest.Define(t, "T pk:S\nglobal G g:S ALL")
	got := index.Diff(nil, d,
		item(t, `{"pk":{"S":"a"},"g":{"S":"x"},"s":{"SS":["p","q"]}}`),
		item(t, `{"pk":{"S":"a"},"g":{"S":"x"},"s":{"SS":["q","p"]}}`))
	if len(got) != 1 || !got[0].Same {
		t.Errorf("%d changes, of which the first is %s", len(got), change(got[0]))
	}
}
