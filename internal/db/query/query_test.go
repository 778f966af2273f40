package query_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// numbered returns a world with a table of n items, pk=0, pk=1, ..., that are in index G too.
func numbered(t *testing.T, n int) *world {
	w := &world{T: t, engine: dbtest.Engine(t)}
	w.catalog = dbtest.Catalog(t, w.engine)
	w.table = dbtest.Create(t, w.catalog, "T pk:N\nglobal G g:S pk:N ALL")
	w.store = store.New(w.engine, w.catalog, time.Now)
	for i := range n {
		w.put(fmt.Sprintf("pk=%d g=g%d", i, i%7))
	}
	return w
}

// walk returns the keys of everything that the plan has, page by page.
func (w *world) walk(plan func() *query.Plan) (keys []string) {
	w.Helper()
	r := query.NewReader(w.engine, w.catalog)
	var last attr.Item
	for {
		p := plan()
		if last != nil && !p.StartAfter(last) {
			w.Fatalf("cannot go on after %v", last)
		}
		pg, err := r.Page(w.Context(), p)
		if err != nil {
			w.Fatal(err)
		}
		for _, it := range pg.Items {
			keys = append(keys, dbtest.Text(it))
		}
		if last = pg.Last; last == nil {
			return keys
		}
	}
}

// The segments of a scan are disjoint and hold everything, in the order of the whole scan.
func TestSegments(t *testing.T) {
	w := numbered(t, 200)
	for _, index := range []string{"", "G"} {
		for _, total := range []int{1, 2, 3, 7, 64} {
			for _, limit := range []int{0, 1, 9} {
				var parts []string
				for s := range total {
					parts = append(parts, w.walk(func() *query.Plan {
						p := &query.Plan{Table: w.table, Index: w.table.Index(index), Limit: limit}
						p.PlanScan(s, total)
						return p
					})...)
				}
				whole := w.walk(func() *query.Plan {
					p := &query.Plan{Table: w.table, Index: w.table.Index(index)}
					p.PlanScan(0, 0)
					return p
				})
				if len(whole) != 200 || fmt.Sprint(parts) != fmt.Sprint(whole) {
					t.Errorf("%d segments of %q, pages of %d: %d items, want %d", total, index, limit, len(parts), len(whole))
				}
			}
		}
	}
}

// A page ends early where the filter goes through a very large value for every item, but never before one item.
func TestPagesOfLaboriousFilters(t *testing.T) {
	w := numbered(t, 100)
	all := w.walk(func() *query.Plan { return scanAll(w, nil, 0) })
	for _, tt := range []struct{ bytes, times, limit, scanned int }{
		{1 << 10, 1, 0, 100},
		{1 << 10, 1, 30, 30},
		{4 << 20, 1, 0, 63},
		{4 << 20, 1, 30, 30},
		{4 << 20, 1, 70, 63},
		{4 << 20, 9, 0, 7},
		{4 << 20, 70, 0, 1},
	} {
		f := containedIn(t, tt.bytes, tt.times)
		pg, err := query.NewReader(w.engine, w.catalog).Page(t.Context(), scanAll(w, f, tt.limit))
		if err != nil {
			t.Fatal(err)
		}
		if pg.Scanned != tt.scanned || pg.Count != tt.scanned || (pg.Last == nil) != (tt.scanned == 100) {
			t.Errorf("%+v: read %d and took %d, last %v", tt, pg.Scanned, pg.Count, pg.Last)
		}
		if got := w.walk(func() *query.Plan { return scanAll(w, f, tt.limit) }); !slices.Equal(got, all) {
			t.Errorf("%+v: all pages hold %d items, want %d", tt, len(got), len(all))
		}
	}
}

func scanAll(w *world, f *expr.Condition, limit int) *query.Plan {
	p := &query.Plan{Table: w.table, Filter: f, Limit: limit}
	p.PlanScan(0, 0)
	return p
}

// containedIn returns a filter that takes every item, whose attribute g it finds right away in so many bytes, so many times.
func containedIn(t *testing.T, size, times int) *expr.Condition {
	var b expr.Builder
	haystack := b.Value(attr.String(strings.Repeat("g0 g1 g2 g3 g4 g5 g6 ", size/21)))
	op := func(name string, operands ...expr.Node) expr.Node {
		n, err := b.Op(name, operands...)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	all := make([]expr.Node, times)
	for i := range all {
		all[i] = op("contains", haystack, b.Attribute("g"))
	}
	c, err := b.Condition(op("AND", all...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Items stay as they are when the engine's memory is used again.
func TestItemsAreCopies(t *testing.T) {
	w := numbered(t, 50)
	p := &query.Plan{Table: w.table}
	p.PlanScan(0, 1)
	pg, err := query.NewReader(w.engine, w.catalog).Page(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var before []string
	for _, it := range pg.Items {
		before = append(before, dbtest.Text(it))
	}
	for i := range 50 {
		w.put(fmt.Sprintf("pk=%d g=other", i))
	}
	if _, err := query.NewReader(w.engine, w.catalog).Page(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for i, it := range pg.Items {
		if dbtest.Text(it) != before[i] {
			t.Errorf("item %d was %s, is %s", i, before[i], dbtest.Text(it))
		}
		if cap(it) != len(it) {
			t.Errorf("item %d can be appended to over its neighbour", i)
		}
	}
}

// A page is the same in memory that other pages have used.
func TestArena(t *testing.T) {
	w := numbered(t, 100)
	r := query.NewReader(w.engine, w.catalog)
	var arena attr.Arena
	for _, limit := range []int{100, 1, 7, 50, 0} {
		for _, count := range []bool{false, true} {
			p := scanAll(w, nil, limit)
			p.CountOnly = count
			want, err := r.Page(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			p.Arena = &arena
			arena.Reset()
			got, err := r.Page(t.Context(), p)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("limit %d: %v, %v, want %v", limit, got, err, want)
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	w := numbered(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &query.Plan{Table: w.table}
	p.PlanScan(0, 1)
	if _, err := query.NewReader(w.engine, w.catalog).Page(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
}

func TestDamagedRow(t *testing.T) {
	w := numbered(t, 3)
	k, _ := w.table.KeyOf(dbtest.Item(t, "pk=1"))
	err := w.engine.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
		b.Put(w.table.AppendRowKey(nil, k), []byte("damaged row here"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &query.Plan{Table: w.table}
	p.PlanScan(0, 1)
	if _, err := query.NewReader(w.engine, w.catalog).Page(t.Context(), p); !errors.Is(err, kv.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}

func TestStartAfterLeavesThePlan(t *testing.T) {
	w := numbered(t, 1)
	p := &query.Plan{Table: w.table}
	p.PlanScan(1, 2)
	before := p.Range
	outside := 0
	for i := range 20 {
		if p.StartAfter(dbtest.Item(t, fmt.Sprintf("pk=%d", i))) {
			p.Range = before
			continue
		}
		outside++
		if string(p.Range.Lo) != string(before.Lo) || string(p.Range.Hi) != string(before.Hi) {
			t.Fatal("a start outside of the range has changed it")
		}
	}
	if outside == 0 || outside == 20 {
		t.Errorf("%d of 20 keys are outside of half of the table", outside)
	}
}

// A plan of what has been dropped since shows nothing of it, for it may be purged already.
func TestDropped(t *testing.T) {
	w := numbered(t, 5)
	page := func(index *table.Index) error {
		p := &query.Plan{Table: w.table, Index: index}
		p.PlanScan(0, 1)
		_, err := query.NewReader(w.engine, w.catalog).Page(t.Context(), p)
		return err
	}
	index := w.table.Index("G")
	dbtest.Change(t, w.catalog, w.table.FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.Tags = map[string]string{"a": "b"} // a change that drops nothing
		return next
	})
	if err := page(index); err != nil {
		t.Errorf("with a definition that has changed: %v", err)
	}
	dbtest.Change(t, w.catalog, w.table.FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.Index("G").Status = table.Deleting // writes keep it no longer
		return next
	})
	if e, ok := errors.AsType[*query.IndexGoneError](page(index)); !ok || e.Index != "G" {
		t.Errorf("index dropped: %v", page(index))
	}
	if err := page(nil); err != nil {
		t.Errorf("the table itself: %v", err)
	}
	dbtest.Change(t, w.catalog, w.table.FullName(), func(*table.Definition) *table.Definition { return nil })
	dbtest.Create(t, w.catalog, "T pk:N\nglobal G g:S pk:N ALL") // another one of the name
	for _, ix := range []*table.Index{nil, index} {
		if err := page(ix); !errors.Is(err, store.ErrTableGone) {
			t.Errorf("table dropped: %v", err)
		}
	}
}
