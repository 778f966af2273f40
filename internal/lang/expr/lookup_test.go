package expr

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// All paths together find what each of them finds alone, whatever they have in common and whatever the item has there.
func TestFindAgainstLookup(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	found := 0
	for range 300 {
		it := randomDocument(r, 4).Item()
		b := binding{paths: make([]Path, 300)}
		for i := range b.paths {
			b.paths[i] = randomPath(r)
		}
		var space binding
		got := b.on(append(it, padding...), &space)
		if got == &b {
			t.Fatal("nothing was found beforehand")
		}
		for i, p := range b.paths {
			want := p.lookup(it)
			if !attr.Equal(got.at(i, it), want) || (got.at(i, it) == nil) != (want == nil) {
				t.Fatalf("%v in %v is %v, want %v", p, it, got.at(i, it), want)
			}
			if want != nil {
				found++
			}
		}
	}
	if found < 10_000 {
		t.Errorf("found %d of 90000: the test is no good", found)
	}
}

// padding is an attribute behind all others that makes an item a large one.
var padding = attr.Make(attr.Field{Name: "z", Value: attr.String(string(make([]byte, maxWalk)))})

// Names are few, so that paths meet.
func randomName(r *rand.Rand) string { return string(rune('a' + r.IntN(4))) }

func randomPath(r *rand.Rand) Path {
	p := Path{{Name: randomName(r)}}
	for range r.IntN(4) {
		if r.IntN(2) == 0 {
			p = append(p, Step{Name: randomName(r)})
		} else {
			p = append(p, Step{Index: r.IntN(4), IsIndex: true})
		}
	}
	return p
}

// randomDocument returns a map with values down to the depth.
func randomDocument(r *rand.Rand, depth int) attr.Value {
	var fields []attr.Field
	for range 5 {
		var v attr.Value
		switch {
		case depth == 0 || r.IntN(4) == 0:
			v = attr.Int(r.Int64N(100))
		case r.IntN(2) == 0:
			v = attr.List(randomDocument(r, depth-1), attr.Int(r.Int64N(100)), randomDocument(r, depth-1))
		default:
			v = randomDocument(r, depth-1)
		}
		fields = append(fields, attr.Field{Name: randomName(r), Value: v})
	}
	return attr.Map(attr.Make(fields...))
}

// BenchmarkManyPaths is a condition on the last members of a large map.
func BenchmarkManyPaths(b *testing.B) {
	it := attr.Make(attr.Field{Name: "m", Value: attr.Map(numberedItem(30_000, func(i int) int { return i }))})
	for _, n := range []int{1, 10, 100} {
		text, values := "", `{":v":{"S":"x"}}`
		for i := range n {
			if i > 0 {
				text += " AND "
			}
			text += fmt.Sprintf("m.a%05d <> :v", 29_999-i)
		}
		bound, err := NewCache(1).Bind(Request{Condition: &text, Values: attr.Sent(parseItem(b, values))})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !bound.Condition.Eval(it) {
					b.Fatal("false")
				}
			}
		})
	}
}
