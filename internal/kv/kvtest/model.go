package kvtest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

// model is what an engine should hold: values by the names of rows.
type model map[string]string

// apply makes changes to an engine, at once, and to the model; "" deletes.
func (m model) apply(t *testing.T, e kv.Engine, changes map[string]string) {
	t.Helper()
	update(t, e, kv.Txn{}, write(func(b *kv.Batch) {
		for n, v := range changes {
			if v == "" {
				b.Delete(row(n))
			} else {
				b.Put(row(n), []byte(v))
			}
		}
	}))
	maps.Copy(m, changes)
	maps.DeleteFunc(m, func(_, v string) bool { return v == "" })
}

func (m model) deleteRange(t *testing.T, e kv.Engine, lo, hi string) {
	t.Helper()
	if err := e.DeleteRange(t.Context(), row(lo), row(hi)); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(m, func(n, _ string) bool { return n >= lo && n < hi })
}

// compare checks all that an engine holds.
func (m model) compare(t *testing.T, e kv.Engine) {
	t.Helper()
	view(t, e, kv.ViewOpts{}, func(v kv.View) { m.check(t, v, "", "\xff\xff\xff") })
	for n, v := range m {
		wantVal(t, e, row(n), v)
	}
}

// check compares what a view shows of a range, both ways.
func (m model) check(t *testing.T, v kv.View, lo, hi string) {
	t.Helper()
	for _, reverse := range []bool{false, true} {
		m.checkRange(t, v, lo, hi, kv.Range{Reverse: reverse})
	}
}

// checkRange compares what a view shows of the range from lo to hi, walked as r says.
func (m model) checkRange(t *testing.T, v kv.View, lo, hi string, r kv.Range) {
	t.Helper()
	var want []kv.Pair
	for n, v := range m {
		if n >= lo && n < hi {
			want = append(want, kv.Pair{Key: row(n), Value: []byte(v)})
		}
	}
	slices.SortFunc(want, func(a, b kv.Pair) int { return bytes.Compare(a.Key, b.Key) })
	if r.Reverse {
		slices.Reverse(want)
	}
	if r.Most > 0 {
		want = want[:min(r.Most, len(want))]
	}
	r.Lo, r.Hi = row(lo), row(hi)
	if got := text(scanIn(t, v, r)); got != text(want) {
		t.Fatalf("[%q, %q), reverse %v, at most %d: %q, want %q", lo, hi, r.Reverse, r.Most, got, text(want))
	}
}

// testRepeatedScans scans a few ranges again and again, in two item collections, between changes of every kind.
func testRepeatedScans(t *testing.T, e kv.Engine) {
	rng := rand.New(rand.NewPCG(5, 6))
	m := model{}
	name := func() string { return string(rune('a' + rng.IntN(8))) }
	for i := range 2000 {
		switch rng.IntN(12) {
		case 0:
			m.apply(t, e, map[string]string{name(): "", name(): fmt.Sprint(i)})
		case 1:
			put(t, e, rowOf(2, name()), fmt.Sprint(i)) // elsewhere
		case 2:
			if rng.IntN(4) == 0 {
				m.deleteRange(t, e, name(), name())
			}
		default:
			lo := []string{"", "c"}[rng.IntN(2)]
			r := kv.Range{Reverse: rng.IntN(2) == 0, Most: []int{0, 1, 3}[rng.IntN(3)]}
			view(t, e, kv.ViewOpts{Pinned: rng.IntN(8) == 0}, func(v kv.View) { m.checkRange(t, v, lo, "\xff", r) })
		}
	}
	m.compare(t, e)
}

// testRandom makes random changes to an engine and to a model and compares what both hold.
func testRandom(t *testing.T, e kv.Engine) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := model{}
	for range 300 {
		m.step(t, e, rng)
	}
	m.compare(t, e)
}

// step makes a few changes at once, or looks at a random range.
func (m model) step(t *testing.T, e kv.Engine, rng *rand.Rand) {
	t.Helper()
	name := func() string {
		const letters = "\x00\x01abyz\xfe\xff"
		name := make([]byte, 1+rng.IntN(2))
		for i := range name {
			name[i] = letters[rng.IntN(len(letters))]
		}
		return string(name)
	}
	if rng.IntN(5) == 0 {
		view(t, e, kv.ViewOpts{}, func(v kv.View) { m.check(t, v, name(), name()) })
		return
	}
	changes := map[string]string{}
	for range 1 + rng.IntN(5) {
		changes[name()] = []string{"", fmt.Sprint(rng.IntN(1000)), "x"}[rng.IntN(3)]
	}
	m.apply(t, e, changes)
}

// testPinnedRandom makes random changes, and compares views that were pinned in between with the models of those moments.
func testPinnedRandom(t *testing.T, e kv.Engine) {
	rng := rand.New(rand.NewPCG(3, 4))
	name := func() string { return fmt.Sprintf("%03d", rng.IntN(600)) }
	now := model{}
	var moments []moment
	for range 300 {
		switch rng.IntN(6) {
		case 0:
			v, err := e.View(t.Context(), kv.ViewOpts{Pinned: true})
			if err != nil {
				t.Fatal(err)
			}
			moments = append(moments, moment{v, maps.Clone(now)})
		case 1:
			now.deleteRange(t, e, name(), name())
		case 2:
			if n := len(moments); n > 3 {
				moments[n/2].close(t)
				moments = slices.Delete(moments, n/2, n/2+1)
			}
		default:
			changes := map[string]string{}
			for range rng.IntN(60) {
				changes[name()] = []string{"", "1", "2"}[rng.IntN(3)]
			}
			now.apply(t, e, changes)
		}
		for _, m := range moments {
			m.look(t, name())
		}
	}
	for _, m := range moments {
		m.check(t, m.view, "", "\xff")
		m.close(t)
	}
	now.compare(t, e)
}

// A moment is a pinned view and what it should show.
type moment struct {
	view kv.View
	model
}

func (m moment) close(t *testing.T) {
	t.Helper()
	if err := m.view.Close(); err != nil {
		t.Error(err)
	}
}

// look compares one row.
func (m moment) look(t *testing.T, name string) {
	t.Helper()
	val := getIn(t, m.view, row(name))
	if want, there := m.model[name]; string(val) != want || (val != nil) != there {
		t.Fatalf("%s is %q, want %q", name, val, want)
	}
}
