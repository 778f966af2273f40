package ttl

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// epoch is when every test begins.
const epoch = 1893456000 // 2030

const sessions = "Sessions id:S\nglobal ByUser user:S ALL\nttl expires"

// A world is a store with a clock that the test sets.
type world struct {
	*testing.T
	engine  *holding
	catalog *table.Catalog
	store   *store.Store
	sweeper *Sweeper
	clock   atomic.Int64 // in seconds
}

func newWorld(t *testing.T, definitions ...string) *world {
	w := &world{T: t, engine: &holding{Engine: dbtest.Engine(t)}}
	w.clock.Store(epoch)
	w.catalog = dbtest.Catalog(t, w.engine)
	for _, text := range definitions {
		dbtest.Create(t, w.catalog, text)
	}
	w.store = store.New(w.engine, w.catalog, w.now)
	w.sweeper = New(Config{Engine: w.engine, Catalog: w.catalog, Store: w.store, Now: w.now})
	return w
}

func (w *world) now() time.Time { return time.Unix(w.clock.Load(), 0).UTC() }

func (w *world) table(name string) *table.Definition {
	return w.catalog.Get(table.Name{Account: "000000000000", Region: "eu-test-1", Table: name})
}

// put writes an item of a table that expires so many seconds after the epoch.
func (w *world) put(name, id string, expires int64) {
	w.Helper()
	w.putItem(name, fmt.Sprintf("id=%s user=u%d expires=%d", id, expires%7, epoch+expires))
}

func (w *world) putItem(name, text string) {
	w.Helper()
	d, it := w.table(name), dbtest.Item(w.T, text)
	k, err := d.KeyOf(it)
	if err == nil {
		_, err = w.store.Apply(w.Context(), store.Write{Kind: store.Put, Table: d, Key: k, Item: it})
	}
	if err != nil {
		w.Fatal(err)
	}
}

// ids returns the ids of a table's items.
func (w *world) ids(name string) string {
	w.Helper()
	view, err := w.engine.View(w.Context(), kv.ViewOpts{})
	if err != nil {
		w.Fatal(err)
	}
	defer view.Close()
	lo := keys.AppendSpace(nil, w.table(name).Number, 0)
	it, err := view.Scan(kv.Range{Lo: lo, Hi: keys.Next(lo)})
	if err != nil {
		w.Fatal(err)
	}
	defer it.Close()
	var list []string
	for it.Next() {
		list = append(list, string(it.Key()[len(lo)+3:])) // hash and length come before it
	}
	return strings.Join(list, " ")
}

// expect sweeps and compares the ids that are left, in any order.
func (w *world) expect(what, want string) {
	w.Helper()
	if err := w.sweeper.Sweep(w.Context()); err != nil {
		w.Errorf("%s: %v", what, err)
	}
	w.left(what, want)
}

func (w *world) left(what, want string) {
	w.Helper()
	got, wants := strings.Fields(w.ids("Sessions")), strings.Fields(want)
	seen := map[string]bool{}
	for _, id := range got {
		seen[id] = true
	}
	for _, id := range wants {
		if !seen[id] {
			w.Errorf("%s: %s is gone", what, id)
		}
	}
	if len(got) > len(wants) {
		w.Errorf("%s: %v are left, want %v", what, got, wants)
	}
	dbtest.CheckAudit(w.T, w.engine, w.catalog)
}

// stats returns those of a table.
func (w *world) stats(name string) TableStats {
	w.Helper()
	for _, s := range w.sweeper.Stats() {
		if s.Table == name {
			return s
		}
	}
	return TableStats{Deleted: -1}
}

// A holding engine has a transaction hold the keys in which a text occurs, and fails with an error where another one does.
type holding struct {
	kv.Engine
	held, broken string
	updates      atomic.Int64
}

var errBroken = errors.New("broken")

func (h *holding) Update(ctx context.Context, t kv.Txn, f func([][]byte, *kv.Batch) error) error {
	h.updates.Add(1)
	for i, key := range t.Keys {
		switch {
		case h.held != "" && strings.Contains(string(key), h.held):
			return &kv.ConflictError{Key: i}
		case h.broken != "" && strings.Contains(string(key), h.broken):
			return errBroken
		}
	}
	return h.Engine.Update(ctx, t, f)
}

func TestSweep(t *testing.T) {
	w := newWorld(t, sessions)
	w.put("Sessions", "now", 0)
	w.put("Sessions", "soon", 1)
	w.put("Sessions", "past", -1)
	w.put("Sessions", "long-past", -4*365*86400)
	w.put("Sessions", "too-long-past", -6*365*86400)
	w.put("Sessions", "later", 86400)
	w.putItem("Sessions", "id=never")
	w.putItem("Sessions", "id=text expires=soon")
	w.expect("at first", "now soon too-long-past later never text")
	w.clock.Add(1)
	w.expect("a second later", "soon too-long-past later never text")
	w.clock.Add(1)
	w.expect("two seconds later", "too-long-past later never text")
	if s := w.stats("Sessions"); s.Deleted != 4 {
		t.Errorf("%d were deleted", s.Deleted)
	}
}

// TestClockJumps: a clock that jumps forward expires what it says; when it is set back nothing more goes that has not expired then.
func TestClockJumps(t *testing.T) {
	const day = 86400
	w := newWorld(t, sessions)
	for i := range 5 {
		w.put("Sessions", fmt.Sprint("day", i), int64(i)*day+10)
	}
	w.clock.Add(day)
	w.expect("a day forward", "day1 day2 day3 day4")
	w.clock.Add(-2 * day)
	w.put("Sessions", "again0", 10)
	w.put("Sessions", "before", -day-10)
	w.expect("two days back", "again0 day1 day2 day3 day4")
	w.clock.Add(day + 11)
	w.expect("today again", "day1 day2 day3 day4")
	w.clock.Add(day)
	w.expect("tomorrow", "day2 day3 day4")
	w.clock.Add(10 * 365 * day)
	w.expect("ten years later they have been expired for too long", "day2 day3 day4")
	w.clock.Store(-5)
	w.expect("before 1970", "day2 day3 day4")
	w.clock.Store(epoch + 3*day)
	w.expect("and back", "day3 day4")
}

// TestTickGoesBack: a tick goes on where the last one has ended; what expires before that it finds when it begins anew.
func TestTickGoesBack(t *testing.T) {
	w := newWorld(t, sessions)
	tick := func() {
		t.Helper()
		if err := w.sweeper.Tick(w.Context()); err != nil {
			t.Error(err)
		}
	}
	w.clock.Add(100)
	tick()
	p := w.sweeper.passes[w.table("Sessions").Number]
	p.cost = time.Hour // looking there again is expensive
	w.put("Sessions", "before", 50)
	w.put("Sessions", "behind", 101)
	w.clock.Add(10)
	tick()
	w.left("behind the cursor", "before")
	p.cost = 0
	tick()
	w.left("from the beginning", "")
	p.cost = time.Hour
	w.put("Sessions", "held", 115)
	w.engine.held = "held"
	w.clock.Add(10)
	tick()
	w.left("held by a transaction", "held")
	w.engine.held = ""
	tick()
	w.left("not held any more", "")
}

// TestTransactions: items that transactions hold do not keep others waiting.
func TestTransactions(t *testing.T) {
	w := newWorld(t, sessions)
	for i := range 20 {
		w.put("Sessions", fmt.Sprintf("a%02d", i), -100)
	}
	w.put("Sessions", "held1", -100)
	w.put("Sessions", "held2", -99)
	w.engine.held = "held"
	w.expect("two are held", "held1 held2")
	w.engine.held = ""
	w.expect("none is", "")
}

// TestTablesTakeTurns: one with much to delete does not hold up the others, and neither does one that fails.
func TestTablesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "Broken id:S\nttl expires", sessions, "Other id:S\nttl expires", "Plain id:S")
		w.put("Broken", "broken", -5)
		for i := range 300 {
			w.put("Sessions", fmt.Sprintf("a%03d", i), -100)
		}
		w.put("Other", "b", -7)
		w.engine.broken = "broken"
		before := w.engine.updates.Load()
		turns := 0
		err := w.sweeper.sweep(t.Context(), (*pass).looks, func() bool { turns++; return turns < 3 })
		if !errors.Is(err, errBroken) {
			t.Errorf("error %v", err)
		}
		if got := w.engine.updates.Load() - before; got != 4 {
			t.Errorf("%d commits in two turns, want one for each table with time to live and one for that which goes on", got)
		}
		for name, want := range map[string]TableStats{
			"Broken":   {Deleted: 0, Lag: 5 * time.Second},
			"Sessions": {Deleted: 3 * firstItems, Lag: 100 * time.Second},
			"Other":    {Deleted: 1, Lag: 7 * time.Second},
			"Plain":    {Deleted: -1},
		} {
			if s := w.stats(name); s.Deleted != want.Deleted || s.Lag != want.Lag {
				t.Errorf("%s: %d deleted, lag %v; want %d, %v", name, s.Deleted, s.Lag, want.Deleted, want.Lag)
			}
		}
		w.engine.broken = ""
		w.expect("at the end", "")
		if s := w.stats("Broken"); s.Deleted != 1 || s.Lag != 5*time.Second {
			t.Errorf("Broken: %+v", s)
		}
		w.expect("once more", "")
		if s := w.stats("Sessions"); s.Deleted != 300 || s.Lag != 0 {
			t.Errorf("Sessions: %+v", s)
		}
	})
}

// TestSettings: nothing is deleted while time to live is on its way in or out, or its table is.
func TestSettings(t *testing.T) {
	w := newWorld(t, sessions)
	w.put("Sessions", "a", -5)
	n := w.table("Sessions").FullName()
	set := func(edit func(*table.Definition)) {
		t.Helper()
		dbtest.Change(t, w.catalog, n, func(old *table.Definition) *table.Definition {
			next := old.Clone()
			edit(next)
			return next
		})
		if err := w.sweeper.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for _, edit := range []func(*table.Definition){
		func(d *table.Definition) { d.TTL.Status = table.Enabling },
		func(d *table.Definition) { d.TTL.Enabled, d.TTL.Status = false, table.Disabling },
		func(d *table.Definition) { d.TTL.Enabled, d.TTL.Status, d.Status = true, "", table.Deleting },
	} {
		if set(edit); w.ids("Sessions") != "a" {
			t.Errorf("%s, %+v: the item is gone", w.table("Sessions").Status, w.table("Sessions").TTL)
		}
	}
	set(func(d *table.Definition) { d.Status = table.Updating })
	if got := w.ids("Sessions"); got != "" {
		t.Error("the item is still there")
	}
	if s := w.stats("Sessions"); s.Deleted != 1 {
		t.Errorf("%+v", s)
	}
	dbtest.Change(t, w.catalog, n, func(*table.Definition) *table.Definition { return nil })
	if err := w.sweeper.Sweep(t.Context()); err != nil || len(w.sweeper.Stats()) > 0 {
		t.Errorf("%v, stats of a table that is gone: %v", err, w.sweeper.Stats())
	}
}

// TestLagCountsFromTheSetting: what had expired long before time to live was enabled does not make it late.
func TestLagCountsFromTheSetting(t *testing.T) {
	w := newWorld(t, sessions)
	dbtest.Change(t, w.catalog, w.table("Sessions").FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.TTL.Changed = time.Unix(epoch-3, 0)
		return next
	})
	w.put("Sessions", "a", -1000)
	w.engine.broken = "a"
	if err := w.sweeper.Sweep(t.Context()); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if s := w.stats("Sessions"); s.Lag != 3*time.Second {
		t.Errorf("lag %v", s.Lag)
	}
}

// TestCommitsAreBounded: by items, and by bytes if the items are large.
func TestCommitsAreBounded(t *testing.T) {
	p := pass{batch: firstItems}
	for i, c := range []struct{ items, read, want int }{
		{firstItems, 200 * firstItems, 2 * firstItems},
		{2 * firstItems, 1 << 20, mostBytes / (1 << 20 / (2 * firstItems))},
		{10, 4 << 20, mostBytes / (4 << 20 / 10)},
		{1, 2 << 20, 1},
		{1, 100, 2},
		{2, 0, 4},
		{4, 400, 8},
		{8, 800, 16},
		{16, 800, mostItems},
		{32, 800, mostItems},
	} {
		if p.adapt(c.items, c.read); p.batch != c.want {
			t.Errorf("%d: after %d items of %d bytes the next commit has %d, want %d", i, c.items, c.read, p.batch, c.want)
		}
	}
}

// TestRests: a sweep works for a third of the time at most, and its rests end with the context.
func TestRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		begin := time.Now()
		for range 10 {
			if err := p.rest(t.Context(), workTime/4); err != nil {
				t.Error(err)
			}
		}
		if got, want := time.Since(begin), 2*restShare*workTime; got != want {
			t.Errorf("after ten quarters of %v it has rested %v, want %v", workTime, got, want)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := p.rest(ctx, time.Hour); !errors.Is(err, errBroken) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		cancel(errBroken)
		wg.Wait()
	})
}

// TestRestsLongerWhenLate: on a machine where it must wait for a processor a sweep takes less of the time, and soon as much as before
// where it need not any more.
func TestRestsLongerWhenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		late := time.Duration(0)
		p.sleep = func(ctx context.Context, d time.Duration) error { return sleep(ctx, d+late) }
		rested := func() time.Duration {
			begin := time.Now()
			if err := p.rest(t.Context(), workTime); err != nil {
				t.Error(err)
			}
			return time.Since(begin) - late
		}
		if got := rested(); got != time.Duration(restShare*float64(workTime)) {
			t.Errorf("in time it rests %v", got)
		}
		late = 2 * lateness
		for range 10 {
			rested()
		}
		if got := rested(); got != mostRestShare*workTime {
			t.Errorf("late it rests %v", got)
		}
		late = lateness
		for range 100 {
			rested()
		}
		if got := rested(); got != time.Duration(restShare*float64(workTime)) {
			t.Errorf("in time again it rests %v", got)
		}
	})
}

// TestBesideWriters: items are prolonged, made to expire and read while a sweep runs. Whoever finds that an item has not expired finds
// it again later.
func TestBesideWriters(t *testing.T) {
	w := newWorld(t, sessions)
	stop := make(chan struct{})
	var sweeper, writers sync.WaitGroup
	sweeper.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := w.sweeper.Tick(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 3 {
		writers.Go(func() {
			for n := range 200 {
				id := fmt.Sprintf("w%d-%d", i, n%5)
				w.put("Sessions", id, 1000)
				if it := w.get(id); it == nil {
					t.Errorf("%s is gone before it has expired", id)
				}
				w.put("Sessions", id, -int64(n+1))
			}
		})
	}
	writers.Wait()
	close(stop)
	sweeper.Wait()
	w.expect("at the end", "")
}

func (w *world) get(id string) attr.Item {
	w.Helper()
	d := w.table("Sessions")
	k, err := d.ParseKey(dbtest.Item(w.T, "id="+id))
	if err != nil {
		w.Fatal(err)
	}
	found, err := w.store.Get(w.Context(), store.Read{Table: d, Key: k})
	if err != nil {
		w.Fatal(err)
	}
	return found.Item
}
