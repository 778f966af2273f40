package table_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// with returns an item with one S attribute of a length.
func with(t *testing.T, text, name string, length int) attr.Item {
	return dbtest.Item(t, text).Merge([]attr.Field{{Name: name, Value: attr.String(strings.Repeat("x", length))}})
}

// fault returns the *table.KeyError that err must be, nil for nil.
func fault(t *testing.T, err error) *table.KeyError {
	t.Helper()
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*table.KeyError](err)
	if !ok {
		t.Fatalf("%v is no KeyError", err)
	}
	return e
}

func TestKeyOf(t *testing.T) {
	d := dbtest.Define(t, "T pk:S sk:N")
	for _, c := range []struct {
		item string
		want table.KeyError // zero Attribute: none
	}{
		{"pk=a sk=1", table.KeyError{}},
		{"pk=a sk=1 other=x", table.KeyError{}},
		{"sk=1", table.KeyError{Fault: table.FaultMissing, Attribute: "pk", Want: attr.S}},
		{"pk=a", table.KeyError{Fault: table.FaultMissing, Attribute: "sk", Sort: true, Want: attr.N}},
		{"pk=5 sk=1", table.KeyError{Fault: table.FaultType, Attribute: "pk", Want: attr.S, Got: attr.N}},
		{"pk=a sk=x", table.KeyError{Fault: table.FaultType, Attribute: "sk", Sort: true, Want: attr.N, Got: attr.S}},
		{"pk= sk=1", table.KeyError{Fault: table.FaultEmpty, Attribute: "pk", Want: attr.S, Got: attr.S}},
		{`{"pk":{"BOOL":true},"sk":{"N":"1"}}`, table.KeyError{Fault: table.FaultType, Attribute: "pk", Want: attr.S, Got: attr.BOOL}},
	} {
		k, err := d.KeyOf(dbtest.Item(t, c.item))
		if e := fault(t, err); e != nil || c.want.Attribute != "" {
			if e == nil || *e != c.want {
				t.Errorf("%s: %+v, want %+v", c.item, e, c.want)
			}
			continue
		}
		if !attr.Equal(k.Partition, attr.String("a")) || !attr.Equal(k.Sort, attr.Int(1)) {
			t.Errorf("%s: key %v %v", c.item, k.Partition, k.Sort)
		}
	}
}

func TestKeyLength(t *testing.T) {
	d := dbtest.Define(t, "T pk:S sk:S\nglobal G g:S h:S ALL")
	for _, c := range []struct {
		name   string
		length int
		index  string
		ok     bool
	}{
		{"pk", 2048, "", true}, {"pk", 2049, "", false},
		{"sk", 1024, "", true}, {"sk", 1025, "", false},
		{"g", 2048, "G", true}, {"g", 2049, "G", false},
		{"h", 1024, "G", true}, {"h", 1025, "G", false},
	} {
		it := with(t, "pk=a sk=b", c.name, c.length)
		_, err := d.KeyOf(it)
		if err == nil {
			err = d.CheckIndexKeys(it)
		}
		e := fault(t, err)
		switch sort := c.name == "sk" || c.name == "h"; {
		case c.ok && e == nil:
		case c.ok || e == nil || e.Fault != table.FaultLong || e.Attribute != c.name || e.Index != c.index || e.Sort != sort:
			t.Errorf("%s of %d bytes: %+v", c.name, c.length, e)
		}
	}
}

func TestParseKey(t *testing.T) {
	d := dbtest.Define(t, "T pk:S sk:N")
	for _, c := range []struct {
		key   string
		fault table.Fault
		ok    bool
	}{
		{"pk=a sk=1", 0, true},
		{"pk=a", table.FaultSchema, false},
		{"pk=a sk=1 more=2", table.FaultSchema, false},
		{"pk=a other=1", table.FaultSchema, false},
		{"pk=a sk=x", table.FaultSchema, false},
		{"pk= sk=1", table.FaultEmpty, false},  // an empty value is told as such,
		{"pk= sk=x", table.FaultSchema, false}, // if the types are those of the schema
	} {
		_, err := d.ParseKey(dbtest.Item(t, c.key))
		if e := fault(t, err); (e == nil) != c.ok || e != nil && e.Fault != c.fault {
			t.Errorf("%s: %+v", c.key, e)
		}
	}
	long := with(t, "pk=a sk=1", "pk", 3000)
	if _, err := d.ParseKey(long); fault(t, err).Fault != table.FaultLong {
		t.Errorf("a long key: %v", err)
	}
}

func TestCheckIndexKeys(t *testing.T) {
	d := dbtest.Define(t, "T pk:S\nglobal G1 g:S h:N ALL\nglobal G2 h:N KEYS_ONLY\nglobal Gone x:S ALL")
	d.Index("Gone").Status = table.Deleting
	for _, c := range []struct {
		item, index, attribute string
		fault                  table.Fault
	}{
		{"pk=a", "", "", 0},
		{"pk=a g=x h=1", "", "", 0},
		{"pk=a g=1", "G1", "g", table.FaultType},
		{"pk=a g=", "G1", "g", table.FaultEmpty},
		{"pk=a g=x h=y", "G1", "h", table.FaultType}, // the first index that has it
		{"pk=a x=5", "", "", 0},                      // the index is on its way out
	} {
		e := fault(t, d.CheckIndexKeys(dbtest.Item(t, c.item)))
		if c.index == "" {
			if e != nil {
				t.Errorf("%s: %+v", c.item, e)
			}
			continue
		}
		if e == nil || e.Index != c.index || e.Attribute != c.attribute || e.Fault != c.fault {
			t.Errorf("%s: %+v, want %s of %s", c.item, e, c.attribute, c.index)
		}
	}
}

// TestCheckIndexUpdate holds that an update answers for what it changes.
func TestCheckIndexUpdate(t *testing.T) {
	d := dbtest.Define(t, "T pk:S\nglobal G g:S h:N ALL")
	for _, c := range []struct {
		old, updated, attribute string
		fault                   table.Fault
	}{
		{"pk=a g=x", "pk=a g=y h=1", "", 0},
		{"pk=a g=5", "pk=a g=5 v=1", "", 0},
		{"pk=a g=", "pk=a g=", "", 0},
		{"pk=a g=5", "pk=a", "", 0},
		{"pk=a g=5", "pk=a g=6", "g", table.FaultType},
		{"pk=a g=5", "pk=a g=", "g", table.FaultEmpty},
		{"pk=a g=5", "pk=a g=5 h=x", "h", table.FaultType},
		{"", "pk=a g=5", "g", table.FaultType},
	} {
		e := fault(t, d.CheckIndexUpdate(dbtest.Item(t, c.old), dbtest.Item(t, c.updated)))
		if (e != nil) != (c.attribute != "") || e != nil && (e.Attribute != c.attribute || e.Fault != c.fault || e.Index != "G" || !e.Updated) {
			t.Errorf("%s to %s: %+v", c.old, c.updated, e)
		}
	}
}

func TestCheckIndexTypes(t *testing.T) {
	d := dbtest.Define(t, "T pk:S\nlocal L pk:S n:N ALL\nglobal G g:S h:B ALL")
	for _, c := range []struct {
		name  string
		typ   attr.Type
		index string
	}{
		{"n", attr.N, ""}, {"n", attr.Missing, ""}, {"other", attr.L, ""}, {"g", attr.S, ""},
		{"n", attr.S, "L"}, {"g", attr.SS, "G"}, {"h", attr.NULL, "G"},
	} {
		err := d.CheckIndexTypes(func(name string) attr.Type {
			if name == c.name {
				return c.typ
			}
			return attr.Missing
		})
		e := fault(t, err)
		if (e != nil) != (c.index != "") || e != nil && (e.Index != c.index || e.Attribute != c.name || e.Got != c.typ || e.Fault != table.FaultType || e.Updated) {
			t.Errorf("%s as %v: %+v", c.name, c.typ, e)
		}
	}
}

func TestRowKey(t *testing.T) {
	d := dbtest.Define(t, "T pk:S sk:B")
	k, err := d.KeyOf(dbtest.Item(t, "pk=a sk=~AAH/"))
	if err != nil {
		t.Fatal(err)
	}
	want := append(keys.AppendPartition(keys.AppendSpace([]byte("x"), 1, 0), []byte("a")), 0, 1, 0xff)
	if got := d.AppendRowKey([]byte("x"), k); !bytes.Equal(got, want) {
		t.Errorf("row key %x, want %x", got, want)
	}
	if it := d.KeyItem(k); !bytes.Equal(it, dbtest.Item(t, "pk=a sk=~AAH/")) {
		t.Errorf("key as an item: %v", it)
	}
	single := dbtest.Define(t, "T pk:N")
	k, _ = single.KeyOf(dbtest.Item(t, "pk=-7 x=y"))
	if it := single.KeyItem(k); k.Sort != nil || !bytes.Equal(it, dbtest.Item(t, "pk=-7")) {
		t.Errorf("key as an item: %v", it)
	}
}
