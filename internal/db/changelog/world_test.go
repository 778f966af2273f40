package changelog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// A world is a store with one table, whose log is looked after, and a clock that the test moves.
type world struct {
	*testing.T
	engine  kv.Engine
	catalog *table.Catalog
	store   *store.Store
	log     *Log
	limits  Limits
	clock   time.Time
	name    table.Name
}

func newWorld(t *testing.T, limits Limits) *world {
	return begin(t, dbtest.Engine(t), limits)
}

// begin starts a process on an engine, with a table if there is none.
func begin(t *testing.T, e kv.Engine, limits Limits) *world {
	t.Helper()
	w := &world{T: t, engine: e, limits: limits, clock: noon, name: table.Name{Account: "000000000000", Region: "eu-test-1", Table: "Music"}}
	w.open()
	if w.catalog.Get(w.name) == nil {
		dbtest.Create(t, w.catalog, "Music artist:S song:S")
	}
	return w
}

// open starts the process, anew if it runs.
func (w *world) open() {
	w.Helper()
	w.catalog = dbtest.Catalog(w.T, w.engine)
	w.store = store.New(w.engine, w.catalog, w.now)
	w.log = New(Config{Engine: w.engine, Catalog: w.catalog, Limits: w.limits, Now: w.now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

func (w *world) now() time.Time { return w.clock }

func (w *world) table() *table.Definition { return w.catalog.Get(w.name) }

// change changes the table's definition.
func (w *world) change(f func(*table.Definition)) {
	w.Helper()
	dbtest.Change(w.T, w.catalog, w.name, func(old *table.Definition) *table.Definition {
		next := old.Clone()
		f(next)
		return next
	})
}

func (w *world) enable() {
	w.Helper()
	w.change(func(d *table.Definition) { d.EnableStream("NEW_IMAGE", w.clock); d.SettleStreams() })
}

func (w *world) disable() {
	w.Helper()
	w.change(func(d *table.Definition) { d.DisableStream(w.clock); d.SettleStreams() })
}

func (w *world) drop() {
	w.Helper()
	w.change(func(d *table.Definition) { d.Retire(w.clock) })
}

// put writes an item whose attribute n is n.
func (w *world) put(n int) {
	w.Helper()
	d := w.table()
	it := dbtest.Item(w.T, fmt.Sprintf("artist=a%d song=s n=%d", n%10, n))
	k, err := d.KeyOf(it)
	if err == nil {
		_, err = w.store.Apply(w.Context(), store.Write{Kind: store.Put, Table: d, Key: k, Item: it})
	}
	if err != nil {
		w.Fatal(err)
	}
}

// tend runs Tend after the time has passed.
func (w *world) tend(after time.Duration) {
	w.Helper()
	w.clock = w.clock.Add(after)
	if err := w.log.Tend(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// records prints what the log of a table holds: the numbers put, shard by shard.
func (w *world) records(d *table.Definition) string {
	w.Helper()
	var shards []string
	for _, s := range d.Log.Shards() {
		var words []string
		pos, err := w.log.Start(w.Context(), s.Number)
		if err != nil {
			w.Fatal(err)
		}
		for {
			list, next, err := w.log.Read(w.Context(), s.Number, pos, 3)
			if err != nil {
				w.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			for _, r := range list {
				_, n, _ := strings.Cut(dbtest.Text(r.Image()), " n=")
				n, _, _ = strings.Cut(n, " ")
				words = append(words, n)
			}
			pos = next
		}
		if s.Closed.IsZero() {
			words = append(words, "...")
		}
		shards = append(shards, strings.Join(words, " "))
	}
	return strings.Join(shards, " | ")
}

func (w *world) expect(when, want string) {
	w.Helper()
	if got := w.records(w.table()); got != want {
		w.Errorf("%s the log holds %s, want %s", when, got, want)
	}
}

func (w *world) audit() { w.Helper(); dbtest.CheckAudit(w.T, w.engine, w.catalog) }

// left returns the keys of everything that is stored about logs.
func (w *world) left() (list []string) {
	w.Helper()
	view, err := w.engine.View(context.Background(), kv.ViewOpts{})
	if err != nil {
		w.Fatal(err)
	}
	it, err := view.Scan(kv.Range{Lo: keys.LogSize(0)[:1], Hi: keys.Next(keys.Hold(0, "")[:1])})
	if err != nil {
		w.Fatal(err)
	}
	for it.Next() {
		list = append(list, fmt.Sprintf("%x", it.Key()))
	}
	it.Close()
	it, err = view.Scan(kv.Range{Lo: keys.AppendLog(nil, 0, 0)[:1], Hi: keys.Next(keys.LogHead(0)[:1])})
	if err != nil {
		w.Fatal(err)
	}
	for it.Next() {
		list = append(list, fmt.Sprintf("%x", it.Key()))
	}
	it.Close()
	if err := view.Close(); err != nil {
		w.Fatal(err)
	}
	return list
}
