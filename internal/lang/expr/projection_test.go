package expr

import (
	"bytes"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// TestProjection pins what projections take of items. Appended behind other bytes it is the same.
func TestProjection(t *testing.T) {
	cache := NewCache(100)
	runDataFile(t, "projection.txt", func(t *testing.T, f *fixture, input string) string {
		b, err := cache.Bind(f.request(input).with(projectionKind, input))
		if err != nil {
			return err.Error()
		}
		got := b.Projection.Apply(f.item)
		if (got == nil) != (f.item == nil) || !attr.Valid(got) {
			t.Fatalf("%s: made %v", input, []byte(got))
		}
		if appended := b.Projection.AppendTo([]byte("before"), f.item); !bytes.Equal(appended, append([]byte("before"), got...)) {
			t.Errorf("%s: appended as %q", input, appended)
		}
		return showItem(got)
	})
}

// TestProjectionAllocates no more than its result if it takes whole attributes.
func TestProjectionAllocates(t *testing.T) {
	it := parseItem(t, `{"a":{"S":"x"},"b":{"N":"1"},"c":{"L":[{"S":"y"}]}}`)
	p, err := FromAttributesToGet([]string{"a", "c"})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() { p.AppendTo(dst, it) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestLongNames covers names whose length takes two bytes.
func TestLongNames(t *testing.T) {
	name := strings.Repeat("n", 300)
	it := attr.Make(attr.Field{Name: name, Value: attr.Map(attr.Make(attr.Field{Name: name, Value: attr.Int(1)}, attr.Field{Name: "x", Value: attr.Int(2)}))})
	b, err := NewCache(0).Bind(Request{Projection: new("#n.#n"), Names: map[string]string{"#n": name}})
	if err != nil {
		t.Fatal(err)
	}
	want := attr.Make(attr.Field{Name: name, Value: attr.Map(attr.Make(attr.Field{Name: name, Value: attr.Int(1)}))})
	if got := b.Projection.Apply(it); !bytes.Equal(got, want) {
		t.Errorf("got %s", got)
	}
}

func TestPaths(t *testing.T) {
	b, err := NewCache(0).Bind(Request{Projection: new("b, a[1].#c, a[0]"), Names: map[string]string{"#c": "x.y"}})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, p := range b.Projection.Paths() {
		paths = append(paths, p.String())
	}
	if got := strings.Join(paths, " "); got != "[b] [a, [1], x.y] [a, [0]]" {
		t.Errorf("got %s", got)
	}
}
