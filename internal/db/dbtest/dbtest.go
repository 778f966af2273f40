// Package dbtest helps the tests of the database's packages: table definitions from one line a table or index, items from JSON,
// and a store in memory.
package dbtest

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/memkv"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/decimal"
)

// Define reads a definition. The first line is the table's name and keys, each other line an index:
//
//	Music artist:S song:S
//	local ByYear artist:S year:N KEYS_ONLY
//	global ByGenre genre:S+label:S year:N+song:S INCLUDE(length,price)
//	ttl expires
//
// or the attribute of its time to live. Partition attributes come first, then the sort attributes, if any; several of a kind are joined by +. Indexes are ACTIVE, and
// the table is number 1.
func Define(t testing.TB, text string) *table.Definition {
	t.Helper()
	d := &table.Definition{Account: "000000000000", Region: "eu-test-1", Number: 1, Version: 1, Status: table.Active, NextIndex: 1}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		if i == 0 {
			d.Name, d.Schema = words[0], schema(t, words[1:])
			continue
		}
		if words[0] == "ttl" {
			d.TTL = table.TTL{Enabled: true, Attribute: words[1], Entries: d.NextIndex}
		} else {
			d.Indexes = append(d.Indexes, Index(t, line, d.NextIndex))
		}
		d.NextIndex++
	}
	return d
}

// Index reads one index line, see Define.
func Index(t testing.TB, line string, number uint16) table.Index {
	t.Helper()
	words := strings.Fields(line)
	last := len(words) - 1
	kind, names, _ := strings.Cut(strings.TrimSuffix(words[last], ")"), "(")
	ix := table.Index{
		Number: number, Name: words[1], Local: words[0] == "local", Schema: schema(t, words[2:last]),
		Status: table.Active, Projection: table.Projection{Type: kind},
	}
	if names != "" {
		ix.Projection.NonKey = strings.Split(names, ",")
	}
	return ix
}

func schema(t testing.TB, words []string) (s table.Schema) {
	t.Helper()
	for i, list := range []*[]table.Attribute{&s.Partition, &s.Sort} {
		if i == len(words) {
			break
		}
		for _, word := range strings.Split(words[i], "+") {
			name, typ, _ := strings.Cut(word, ":")
			a := table.Attribute{Name: name, Type: attr.ParseType(typ)}
			if a.Type == attr.Missing {
				t.Fatalf("no type in %q", word)
			}
			*list = append(*list, a)
		}
	}
	return s
}

// Item reads an item from its JSON; from short forms too, see Short.
func Item(t testing.TB, text string) attr.Item {
	t.Helper()
	if !strings.HasPrefix(text, "{") {
		text = Short(text)
	}
	it, err := attr.ParseItem(text)
	if err != nil {
		t.Fatalf("item %s: %v", text, err)
	}
	return it
}

// Short expands the short form of an item, `pk=a n=1 b=~AQI`, to JSON: what looks like a number is an N, what begins with ~ is a
// B in base64, anything else an S.
func Short(text string) string {
	var b strings.Builder
	for i, word := range strings.Fields(text) {
		if i > 0 {
			b.WriteByte(',')
		}
		name, val, _ := strings.Cut(word, "=")
		typ := "S"
		switch {
		case strings.HasPrefix(val, "~"):
			typ, val = "B", val[1:]
		case val != "" && strings.Trim(val, "-0123456789.") == "":
			typ = "N"
		}
		fmt.Fprintf(&b, "%q:{%q:%q}", name, typ, val)
	}
	return "{" + b.String() + "}"
}

// Text prints an item in the form that Item reads: short if it can be, else as JSON.
func Text(it attr.Item) string {
	var words []string
	for name, v := range it.All() {
		var val string
		switch v.Type() {
		case attr.S:
			val = string(v.Bytes())
		case attr.N:
			val = string(decimal.AppendText(nil, v.Bytes()))
		case attr.B:
			val = "~" + base64.StdEncoding.EncodeToString(v.Bytes())
		default:
			return it.String()
		}
		words = append(words, string(name)+"="+val)
	}
	return strings.Join(words, " ")
}

// Engine returns an engine in memory that ends with the test.
func Engine(t testing.TB) kv.Engine {
	t.Helper()
	e := memkv.Open()
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close the engine: %v", err)
		}
	})
	return e
}

// Catalog returns the engine's catalog.
func Catalog(t testing.TB, e kv.Engine) *table.Catalog {
	t.Helper()
	c, err := table.OpenCatalog(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Create enters a definition, see Define, into a catalog as it is, and returns it with its number and version.
func Create(t testing.TB, c *table.Catalog, text string) *table.Definition {
	t.Helper()
	d := Define(t, text)
	d.Number, d.Version, d.Created = 0, 0, time.Unix(1, 0).UTC()
	return Change(t, c, d.FullName(), func(*table.Definition) *table.Definition { return d })
}

// Change replaces a definition by what f makes of it.
func Change(t testing.TB, c *table.Catalog, n table.Name, f func(old *table.Definition) *table.Definition) *table.Definition {
	t.Helper()
	d, err := c.Change(context.Background(), n, func(old *table.Definition, _ *kv.Batch) (*table.Definition, error) {
		return f(old), nil
	})
	if err != nil {
		t.Fatalf("change the definition of %s: %v", n.Table, err)
	}
	return d
}
