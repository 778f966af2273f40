package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/index"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/job"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A world is a process with a store in memory.
type world struct {
	t       *testing.T
	ctx     context.Context
	engine  kv.Engine
	catalog *table.Catalog
	jobs    *job.Runner
	manager *Manager
	store   *store.Store
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// begin starts a process on the engine; it ends with the test.
func begin(t *testing.T, e kv.Engine, delay time.Duration) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background(), engine: e, catalog: dbtest.Catalog(t, e), jobs: job.New(quiet)}
	t.Cleanup(w.jobs.Close)
	w.manager = New(Config{Engine: e, Catalog: w.catalog, Jobs: w.jobs, Delay: delay, Logger: quiet})
	w.store = store.New(e, w.catalog, time.Now)
	if err := w.manager.Start(w.ctx); err != nil {
		t.Fatal(err)
	}
	return w
}

// restart ends the process and starts another one.
func (w *world) restart(e kv.Engine, delay time.Duration) *world {
	w.jobs.Close()
	return begin(w.t, e, delay)
}

// settle waits until nothing is under way any more. Only in a bubble.
func (w *world) settle() {
	time.Sleep(time.Minute)
	synctest.Wait()
}

const music = "Music artist:S song:S"

func name(table_ string) table.Name {
	return table.Name{Account: "000000000000", Region: "eu-test-1", Table: table_}
}

// definition returns what a client asks for, see dbtest.Define.
func definition(t *testing.T, text string) *table.Definition {
	d := dbtest.Define(t, text)
	d.Number, d.Version, d.NextIndex, d.Status = 0, 0, 0, ""
	return d
}

func (w *world) create(text string) *table.Definition {
	w.t.Helper()
	d, err := w.manager.Create(w.ctx, definition(w.t, text))
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// addIndex appends an index, see dbtest.Index.
func addIndex(t *testing.T, line string) func(*table.Definition) error {
	return func(d *table.Definition) error {
		ix := dbtest.Index(t, line, 0)
		ix.Status = ""
		d.Indexes = append(d.Indexes, ix)
		return nil
	}
}

func dropIndex(name string) func(*table.Definition) error {
	return func(d *table.Definition) error {
		d.Index(name).Status = table.Deleting
		return nil
	}
}

func (w *world) update(edit func(*table.Definition) error) *table.Definition {
	w.t.Helper()
	d, err := w.manager.Update(w.ctx, name("Music"), edit)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// put writes an item, see dbtest.Item.
func (w *world) put(text string) {
	w.t.Helper()
	w.putInto("Music", text)
}

func (w *world) putInto(table, text string) {
	w.t.Helper()
	d := w.catalog.Get(name(table))
	it := dbtest.Item(w.t, text)
	k, err := d.KeyOf(it)
	if err == nil {
		_, err = w.store.Apply(w.ctx, store.Write{Kind: store.Put, Table: d, Key: k, Item: it})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) fill(n int) {
	w.t.Helper()
	w.fillTable("Music", n)
}

func (w *world) fillTable(table string, n int) {
	w.t.Helper()
	for i := range n {
		w.putInto(table, fmt.Sprintf("artist=a%d song=s%d genre=g%d year=%d", i%17, i, i%5, 1900+i%100))
	}
}

// rows returns everything in a range.
func (w *world) rows(r kv.Range) []kv.Pair {
	w.t.Helper()
	view, err := w.engine.View(w.ctx, kv.ViewOpts{})
	if err != nil {
		w.t.Fatal(err)
	}
	it, err := view.Scan(r)
	if err != nil {
		w.t.Fatal(err)
	}
	var list []kv.Pair
	for it.Next() {
		list = append(list, kv.Pair{Key: bytes.Clone(it.Key()), Value: bytes.Clone(it.Value())})
	}
	if err := errors.Join(it.Close(), view.Close()); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// check compares the indexes and the counters of a table with its items.
func (w *world) check(d *table.Definition) {
	w.t.Helper()
	sizes, err := w.manager.Sizes(w.ctx, d)
	if err != nil {
		w.t.Fatal(err)
	}
	var items []row.Row
	var total Size
	for _, p := range w.rows(indexRange(d.Number, 0)) {
		r, err := row.Decode(p.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		items = append(items, r)
		total.Items++
		total.Bytes += int64(r.Size)
	}
	if sizes[0] != total {
		w.t.Errorf("size of table %d: counted %v, is %v", d.Number, sizes[0], total)
	}
	for i := range d.Indexes {
		w.checkIndex(d, &d.Indexes[i], items, sizes)
	}
}

func (w *world) checkIndex(d *table.Definition, ix *table.Index, items []row.Row, sizes map[uint16]Size) {
	w.t.Helper()
	want := map[string]string{}
	var total Size
	for _, r := range items {
		if key, ok := index.AppendKey(nil, d, ix, r.Item); ok {
			it := index.Project(d, ix, r.Item)
			want[string(key)] = string(it)
			total.Items++
			total.Bytes += int64(it.Size())
		}
	}
	for _, p := range w.rows(indexRange(d.Number, ix.Number)) {
		r, err := row.Decode(p.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		it, ok := want[string(p.Key)]
		switch {
		case !ok:
			w.t.Errorf("index %s has an entry without item: %q", ix.Name, p.Key)
		case it != string(r.Item) || r.Size != r.Item.Size():
			w.t.Errorf("index %s: entry %q differs from its item", ix.Name, p.Key)
		}
		delete(want, string(p.Key))
	}
	if len(want) > 0 {
		w.t.Errorf("index %s lacks %d entries", ix.Name, len(want))
	}
	if sizes[ix.Number] != total {
		w.t.Errorf("size of index %s: counted %v, is %v", ix.Name, sizes[ix.Number], total)
	}
}

// checkNothingLeft checks that no row, counter or job is left of tables and indexes that are no more.
func (w *world) checkNothingLeft() {
	w.t.Helper()
	live := map[uint64]*table.Definition{}
	for _, d := range w.catalog.All(func(table.Name) bool { return true }) {
		live[d.Number] = d
	}
	for n := uint64(1); n < 20; n++ {
		lo, hi := keys.Counters(n)
		space := keys.AppendTable(nil, n)
		if live[n] != nil {
			w.checkNoOtherIndexes(live[n])
		} else if left := append(w.rows(kv.Range{Lo: space, Hi: keys.Next(space)}), w.rows(kv.Range{Lo: lo, Hi: hi})...); len(left) > 0 {
			w.t.Errorf("%d rows and counters are left of table %d", len(left), n)
		}
	}
	lo, hi := keys.Jobs("")
	for _, p := range w.rows(kv.Range{Lo: lo, Hi: hi}) {
		w.t.Errorf("a job is left: %q %q", p.Key, p.Value)
	}
}

func (w *world) checkNoOtherIndexes(d *table.Definition) {
	w.t.Helper()
	for n := uint16(1); n < 10; n++ {
		if d.IndexNumbered(n) != nil {
			continue
		}
		items, size := counters(d.Number, n)
		left := w.rows(indexRange(d.Number, n))
		left = append(left, w.rows(kv.Range{Lo: items, Hi: keys.Next(items)})...)
		left = append(left, w.rows(kv.Range{Lo: size, Hi: keys.Next(size)})...)
		if len(left) > 0 {
			w.t.Errorf("%d rows and counters are left of index %d", len(left), n)
		}
	}
}

// A crashing engine ends after so many calls: that call, and all after it, fail. If late, the call is done and its outcome lost.
type crashing struct {
	kv.Engine
	left atomic.Int64
	late bool
}

var errCrash = errors.New("crash")

func newCrashing(e kv.Engine, calls int, late bool) *crashing {
	c := &crashing{Engine: e, late: late}
	c.left.Store(int64(calls))
	return c
}

func (c *crashing) crashed() bool { return c.left.Load() < 0 }

// call does one call unless the crash has come.
func (c *crashing) call(do func() error) error {
	left := c.left.Add(-1)
	if left >= 0 {
		return do()
	}
	if left == -1 && c.late {
		if err := do(); err != nil {
			return err
		}
	}
	return errCrash
}

func (c *crashing) Update(ctx context.Context, t kv.Txn, f func([][]byte, *kv.Batch) error) error {
	return c.call(func() error { return c.Engine.Update(ctx, t, f) })
}

func (c *crashing) DeleteRange(ctx context.Context, lo, hi []byte) error {
	return c.call(func() error { return c.Engine.DeleteRange(ctx, lo, hi) })
}

func (c *crashing) View(ctx context.Context, o kv.ViewOpts) (kv.View, error) {
	if c.left.Load() < 0 {
		return nil, errCrash
	}
	return c.Engine.View(ctx, o)
}
