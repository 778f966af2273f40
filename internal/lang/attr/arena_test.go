package attr

import (
	"strings"
	"testing"
)

// fill copies an item n times into a.
func fill(a *Arena, n int, it Item) {
	for range n {
		a.End(append(a.Begin(len(it), 31), it...))
	}
}

// sized returns an item with an attribute of that size.
func sized(n int) Item { return Make(Field{"a", String(strings.Repeat("x", n))}) }

func TestArena(t *testing.T) {
	var a Arena
	if a.Items() != nil {
		t.Error("an arena that is new has items")
	}
	for _, n := range []int{1, 40, 3, 5000, 2} {
		for _, size := range []int{0, 10, 3000, 100_000} {
			fill(&a, n*100/(100+size)+1, sized(size))
			want := a.Items()[0].String()
			for i, it := range a.Items() {
				if it.String() != want {
					t.Fatalf("item %d of %d bytes is %.50s", i, size, it)
				}
				if cap(it) != len(it) {
					t.Fatalf("item %d can be appended to over its neighbour", i)
				}
			}
			if got := len(a.Items()); got != n*100/(100+size)+1 {
				t.Errorf("%d items", got)
			}
			a.Reset()
			if len(a.Items()) != 0 || cap(a.piece) > keptPiece || cap(a.items) > keptItems {
				t.Errorf("after Reset: %d items, room for %d and %d bytes", len(a.Items()), cap(a.items), cap(a.piece))
			}
		}
	}
}

// More than was said is taken too, and nothing is an item.
func TestArenaWithWrongGuesses(t *testing.T) {
	var a Arena
	a.End(a.Begin(0, 0))
	a.End(append(a.Begin(1, 0), Make(Field{"a", Int(1)})...))
	a.End(append(a.Begin(1, 0), Make(Field{"b", String(strings.Repeat("x", 100))})...))
	a.End(a.Begin(0, 0))
	for i, want := range []string{"{}", `{"a":{"N":"1"}}`, `{"b":{"S":"` + strings.Repeat("x", 100) + `"}}`, "{}"} {
		if it := a.Items()[i]; it == nil || it.String() != want {
			t.Errorf("item %d is %s, want %s", i, it, want)
		}
	}
}

func TestArenaAllocatesOnce(t *testing.T) {
	var a Arena
	it := sized(400)
	if n := testing.AllocsPerRun(10, func() {
		a.Reset()
		fill(&a, 20, it)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
