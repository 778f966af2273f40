package expr

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// legacyFilter makes a filter of n comparisons with AND or OR.
func legacyFilter(t testing.TB, joint string, n int, comparison func(i int) (name string, c Comparison)) *Condition {
	t.Helper()
	m := make(map[string]Comparison, n)
	for i := range n {
		name, c := comparison(i)
		m[name] = c
	}
	c, err := FromFilter(m, &joint)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// numberedItem has n attributes a00000, a00001, ... that are numbers.
func numberedItem(n int, value func(i int) int) attr.Item {
	fields := make([]attr.Field, n)
	for i := range fields {
		fields[i] = attr.Field{Name: fmt.Sprintf("a%05d", i), Value: attr.Int(int64(value(i)))}
	}
	return attr.Make(fields...)
}

// A junction says of any item what the tree of the same comparisons does.
func TestJunctionAgainstTree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	operators := []Comparison{
		{"EQ", sentInts(1)}, {"NE", sentInts(1)}, {"GT", sentInts(0)}, {"BETWEEN", sentInts(0, 1)}, {"IN", sentInts(0, 2)},
		{"CONTAINS", sentInts(1)}, {"NOT_CONTAINS", sentInts(1)}, {"NULL", nil}, {"NOT_NULL", nil},
	}
	held := 0
	for range 4000 {
		joint := []string{"AND", "OR"}[r.IntN(2)]
		// Few kinds of comparisons at a time, and few attributes missing: so that all of them hold, or none, often enough.
		kinds, missing := r.Perm(len(operators))[:1+r.IntN(3)], r.IntN(3)
		c := legacyFilter(t, joint, fewComparisons+1+r.IntN(4), func(i int) (string, Comparison) {
			return fmt.Sprintf("a%d", i), operators[kinds[r.IntN(len(kinds))]]
		})
		if c.junction == nil {
			t.Fatal("no junction")
		}
		var fields []attr.Field
		for i := range 15 {
			if r.IntN(3) >= missing {
				fields = append(fields, attr.Field{Name: fmt.Sprintf("a%d", i), Value: attr.Int(int64(r.IntN(3)))})
			}
		}
		it := attr.Make(fields...)
		if r.IntN(20) == 0 {
			it = nil
		}
		got, want := c.Eval(it), c.holds(c.root, it)
		if got != want {
			t.Fatalf("%v of %v is %v, want %v", c, it, got, want)
		}
		if got {
			held++
		}
	}
	if held < 500 || held > 3500 {
		t.Errorf("%d of 4000 held: the test is no good", held)
	}
}

func sentInts(ns ...int64) []attr.SentValue {
	var list []attr.SentValue
	for _, n := range ns {
		list = append(list, attr.SentOf(attr.Int(n)))
	}
	return list
}

// What a filter takes for an item depends on its values, not on how many attributes it is about.
func TestWork(t *testing.T) {
	long := attr.String(string(make([]byte, 8000)))
	condition := func(text, values string) *Condition {
		b, err := NewCache(1).Bind(Request{Filter: &text, Values: attr.Sent(parseItem(t, values))})
		if err != nil {
			t.Fatal(err)
		}
		return b.Filter
	}
	many := func(n int, c Comparison) *Condition {
		return legacyFilter(t, "AND", n, func(i int) (string, Comparison) { return fmt.Sprint("a", i), c })
	}
	in := func(n int) Comparison {
		list := make([]attr.SentValue, n)
		for i := range list {
			list[i] = attr.SentOf(attr.Int(int64(i)))
		}
		return Comparison{"IN", list}
	}
	for _, tt := range []struct {
		name     string
		c        *Condition
		from, to int
	}{
		{"comparison", condition("a = :v", `{":v":{"S":"x"}}`), 1, 10},
		{"large value that is compared", condition("a = :v", `{":v":`+long.String()+`}`), 1, 10},
		{"large value that is searched", condition("contains(:v, a)", `{":v":`+long.String()+`}`), 1000, 1100},
		{"large value that is measured", condition("a < size(:v)", `{":v":`+long.String()+`}`), 1000, 1100},
		{"large value that is searched for", condition("contains(a, :v)", `{":v":`+long.String()+`}`), 1, 10},
		{"eight comparisons", many(8, Comparison{"NULL", nil}), 10, 30},
		{"many comparisons", many(10_000, Comparison{"NULL", nil}), 1, 30},
		{"many values", many(1, in(4000)), 1000, 1100},
		{"many values among few comparisons", many(10, in(4000)), 9900, 11_000},
	} {
		if got := tt.c.Work(); got < tt.from || got > tt.to {
			t.Errorf("%s: %d, want %d to %d", tt.name, got, tt.from, tt.to)
		}
	}
}

// Many legacy updates, which find all attributes in one walk, do what each of them does alone.
func TestManyAttributeUpdates(t *testing.T) {
	kinds := []AttributeUpdate{
		{Action: new("ADD"), Value: attr.SentOf(attr.Int(1000))}, {Action: new("DELETE")}, {Value: attr.SentOf(attr.Int(7))},
	}
	old := numberedItem(1000, func(i int) int { return i })
	all, want := map[string]AttributeUpdate{}, old
	for i := range 1500 { // a third is about attributes that are missing
		if i%4 == len(kinds) {
			continue
		}
		name := fmt.Sprintf("a%05d", i)
		all[name] = kinds[i%4]
		want = applied(t, map[string]AttributeUpdate{name: all[name]}, want)
	}
	if got := applied(t, all, old); got.String() != want.String() {
		t.Errorf("got %v, want %v", got, want)
	}
}

func applied(t *testing.T, m map[string]AttributeUpdate, it attr.Item) attr.Item {
	t.Helper()
	u, err := FromAttributeUpdates(m)
	if err == nil {
		it, err = u.Apply(it)
	}
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// Long projections, which are searched rather than walked, take what short ones take.
func TestLongProjection(t *testing.T) {
	it := numberedItem(60, func(i int) int { return i })
	for _, step := range []int{1, 2, 7, 59} {
		var names []string
		var want []attr.Field
		for i := range 200 {
			name := fmt.Sprintf("a%05d", i*step/2)
			if i*step%2 == 1 {
				name += "x" // which no attribute has
			} else if v := it.Get(name); v != nil {
				want = append(want, attr.Field{Name: name, Value: v})
			}
			names = append(names, name)
		}
		p, err := FromAttributesToGet(names)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Apply(it); got.String() != attr.Make(want...).String() {
			t.Errorf("step %d: got %v, want %v", step, got, attr.Make(want...))
		}
	}
}

// BenchmarkLegacy shows that what the legacy parameters take grows as their entries and the item's attributes do.
func BenchmarkLegacy(b *testing.B) {
	for _, n := range []int{1000, 10_000, 30_000} {
		it := numberedItem(n, func(int) int { return 1 })
		all := legacyFilter(b, "AND", n, func(i int) (string, Comparison) { return fmt.Sprintf("a%05d", i), Comparison{"GE", sentInts(1)} })
		none := legacyFilter(b, "AND", n, func(i int) (string, Comparison) { return fmt.Sprintf("b%05d", i), Comparison{"NULL", nil} })
		m := make(map[string]AttributeUpdate, n)
		var names []string
		for name := range it.All() {
			m[string(name)] = AttributeUpdate{Action: new("ADD"), Value: attr.SentOf(attr.Int(1))}
			names = append(names, string(name))
		}
		update, err := FromAttributeUpdates(m)
		if err != nil {
			b.Fatal(err)
		}
		project, err := FromAttributesToGet(names)
		if err != nil {
			b.Fatal(err)
		}
		small := numberedItem(1, func(int) int { return 1 })
		for _, bench := range []struct {
			name string
			run  func()
		}{
			{"condition on every attribute", func() { all.Eval(it) }},
			{"condition on other attributes", func() { none.Eval(it) }},
			{"condition and a small item", func() { none.Eval(small) }},
			{"update of every attribute", func() { update.Apply(it) }},
			{"projection on every attribute", func() { project.Apply(it) }},
			{"projection of a small item", func() { project.Apply(small) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", bench.name, n), func(b *testing.B) {
				for b.Loop() {
					bench.run()
				}
			})
		}
	}
}
