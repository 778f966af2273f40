package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

func TestFillLeavesOutWhatDoesNotFit(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music)
	for _, it := range []string{
		`artist=a song=1 genre=x`,
		`artist=a song=2`,                                              // lacks the attribute
		`artist=a song=3 genre=7`,                                      // another type
		`artist=a song=4 genre=`,                                       // empty
		`artist=a song=5 genre=` + strings.Repeat("x", 2049),           // too long
		`artist=a song=6 genre=` + strings.Repeat("x", 2048),           // just not
		`artist=a song=7 genre=x padding=` + strings.Repeat("x", 3000), // not projected
	} {
		w.put(strings.Replace(it, "song=", "song=s", 1))
	}
	w.update(addIndex(t, "global ByGenre genre:S KEYS_ONLY"))
	d := w.catalog.Get(name("Music"))
	w.check(d)
	sizes, err := w.manager.Sizes(w.ctx, d)
	if err != nil || sizes[1].Items != 3 {
		t.Errorf("the index has size %v, want 3 entries (%v)", sizes[1], err)
	}
}

// TestFillGoesThroughAllPages: pages end at so many items, so many rows without entries, so many bytes.
func TestFillGoesThroughAllPages(t *testing.T) {
	for _, c := range []struct {
		name  string
		items int
		text  func(i int) string
	}{
		{"none", 0, nil},
		{"one page less one", pageItems - 1, func(i int) string { return fmt.Sprintf("artist=a song=s%d genre=x", i) }},
		{"one page", pageItems, func(i int) string { return fmt.Sprintf("artist=a song=s%d genre=x", i) }},
		{"one page and one", pageItems + 1, func(i int) string { return fmt.Sprintf("artist=a%d song=s genre=x", i) }},
		{"few entries", 2*pageRows + 7, func(i int) string {
			if i%500 == 0 {
				return fmt.Sprintf("artist=a song=s%d genre=x", i)
			}
			return fmt.Sprintf("artist=a song=s%d", i)
		}},
		{"big items", 9, func(i int) string {
			return fmt.Sprintf("artist=a song=s%d genre=x big=%s", i, strings.Repeat("x", 300_000))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, dbtest.Engine(t), 0)
				w.create(music)
				for i := range c.items {
					w.put(c.text(i))
				}
				w.update(addIndex(t, "global ByGenre genre:S ALL"))
				w.settle()
				d := w.catalog.Get(name("Music"))
				if got := state(d); got != "ACTIVE ByGenre:ACTIVE" {
					t.Fatal(got)
				}
				w.check(d)
				w.checkNothingLeft()
			})
		})
	}
}

// write does random writes of all kinds to a few items.
func (w *world) write(n int, seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 1))
	item := func() (store.Write, error) {
		d := w.catalog.Get(name("Music"))
		text := fmt.Sprintf("artist=a%d song=s%d", rnd.IntN(17), rnd.IntN(40))
		switch rnd.IntN(4) {
		case 0:
			text += fmt.Sprintf(" year=%d", rnd.IntN(100))
		case 1:
			text += fmt.Sprintf(" genre=g%d", rnd.IntN(5))
		default:
			text += fmt.Sprintf(" genre=g%d year=%d x=%s", rnd.IntN(5), rnd.IntN(100), strings.Repeat("x", rnd.IntN(50)))
		}
		it := dbtest.Item(w.t, text)
		k, err := d.KeyOf(it)
		kind := store.Put
		if rnd.IntN(3) == 0 {
			kind, it = store.Delete, nil
		}
		return store.Write{Kind: kind, Table: d, Key: k, Item: it}, err
	}
	for i := range n {
		wr, err := item()
		if err != nil {
			return err
		}
		if i%10 == 0 {
			_, _, err = w.store.Transact(w.ctx, []store.Write{wr}, nil)
		} else {
			_, err = w.store.Apply(w.ctx, wr)
		}
		_, canceled := errors.AsType[*store.CanceledError](err)
		if err != nil && !canceled && !errors.Is(err, store.ErrInTransaction) {
			return err
		}
	}
	return nil
}

// writing runs writers until stop is called, which returns when they have ended.
func (w *world) writing(writers int) (stop func()) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	for i := range writers {
		wg.Go(func() {
			for seed := uint64(i); ; seed += 100 {
				select {
				case <-done:
					return
				default:
				}
				if err := w.write(20, seed); err != nil {
					w.t.Errorf("writer: %v", err)
					return
				}
			}
		})
	}
	return func() { close(done); wg.Wait() }
}

// TestFillRacesWriters adds and drops indexes while items are written, moved and deleted.
func TestFillRacesWriters(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music + "\nlocal ByYear artist:S year:N ALL")
	w.fill(1000)
	stop := w.writing(4)
	for i := range 8 {
		line := []string{"genre:S INCLUDE(x)", "genre:S year:N ALL", "genre:S+artist:S year:N KEYS_ONLY"}[i%3]
		index := fmt.Sprintf("Index%d", i)
		tr, err := w.manager.update(w.ctx, name("Music"), addIndex(t, "global "+index+" "+line))
		if err != nil {
			t.Fatal(err)
		}
		if i == 4 { // while it is being filled
			w.update(dropIndex(index))
			continue
		}
		<-tr.filled
		if i%2 == 0 {
			w.update(dropIndex(index))
		}
	}
	stop()
	w.jobs.Close()
	w.check(w.catalog.Get(name("Music")))
}

// TestCountsGoOnWhileFilling: what is written between the recount and the commit that makes the index ACTIVE counts once.
func TestCountsGoOnWhileFilling(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music)
	w.fill(100)
	// A fill that has entered everything and recounted, and has not said so yet.
	d, err := w.catalog.Change(w.ctx, name("Music"), func(old *table.Definition, _ *kv.Batch) (*table.Definition, error) {
		next := old.Clone()
		next.Indexes = append(next.Indexes, dbtest.Index(t, "global ByGenre genre:S ALL", 1))
		next.Indexes[0].Status, next.Indexes[0].Backfilling = table.Creating, true
		return next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.put("artist=a0 song=s0")         // leaves the index before it is entered
	w.put("artist=a1 song=s1 genre=y") // moves
	w.put("artist=new song=n genre=y")
	f := fill{Manager: w.manager, d: d, number: 1}
	for more, cursor := true, []byte(nil); more; {
		p, err := f.read(w.ctx, cursor)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.enter(w.ctx, p.rows, p.last); err != nil {
			t.Fatal(err)
		}
		cursor, more = p.last, p.more
	}
	off, err := f.recount(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.put("artist=a2 song=s2") // leaves it
	w.put("artist=a3 song=s3 genre=longer")
	w.put("artist=new song=o genre=y")
	if err := f.activate(w.ctx, off); err != nil {
		t.Fatal(err)
	}
	w.check(w.catalog.Get(name("Music")))
}

// TestCrashes ends the process after each call to the engine, before or after it is done, in each kind of change.
func TestCrashes(t *testing.T) {
	for _, c := range []change{
		{"add an index", func(w *world) error {
			_, err := w.manager.Update(w.ctx, name("Music"), addIndex(w.t, "global ByGenre genre:S ALL"))
			return err
		}, "Music", "ACTIVE ByYear:ACTIVE", "ACTIVE ByYear:ACTIVE ByGenre:ACTIVE"},
		{"drop an index", func(w *world) error {
			_, err := w.manager.Update(w.ctx, name("Music"), dropIndex("ByYear"))
			return err
		}, "Music", "ACTIVE ByYear:ACTIVE", "ACTIVE"},
		{"enable time to live", func(w *world) error { return w.switchTTL("Music", "year") }, "Music", "ACTIVE ByYear:ACTIVE", "ACTIVE ByYear:ACTIVE by year:ENABLED"},
		{"disable time to live", func(w *world) error { return w.switchTTL("Timed", "") }, "Timed", "ACTIVE by year:ENABLED", "ACTIVE by year:DISABLED"},
		{"delete", func(w *world) error {
			_, err := w.manager.Delete(w.ctx, name("Music"))
			return err
		}, "Music", "ACTIVE ByYear:ACTIVE", "gone"},
		{"delete with time to live", func(w *world) error {
			_, err := w.manager.Delete(w.ctx, name("Timed"))
			return err
		}, "Timed", "ACTIVE by year:ENABLED", "gone"},
		{"create", func(w *world) error {
			_, err := w.manager.Create(w.ctx, definition(w.t, "Other id:S"))
			return err
		}, "Other", "gone", "ACTIVE"},
	} {
		for _, delay := range []time.Duration{0, time.Second} {
			t.Run(fmt.Sprintf("%s, delay %v", c.name, delay), func(t *testing.T) {
				calls := 0
				for crashed := true; crashed; calls++ {
					for _, late := range []bool{false, true} {
						crashed = c.crash(t, delay, calls, late)
					}
				}
				if calls < 2 {
					t.Error("there was no call to crash in")
				}
			})
		}
	}
}

// A change is done to a world and has this effect on the state of a table.
type change struct {
	name          string
	do            func(*world) error
	table         string
	before, after string
}

// crash runs the change in a process that ends after some calls, then another process, and checks what came of it. It
// reports whether there was a crash.
func (c *change) crash(t *testing.T, delay time.Duration, calls int, late bool) (crashed bool) {
	synctest.Test(t, func(t *testing.T) {
		inner := dbtest.Engine(t)
		w := begin(t, inner, 0)
		w.create(music + "\nglobal ByYear year:N ALL")
		w.fill(200)
		w.create("Timed artist:S song:S")
		if err := w.switchTTL("Timed", "year"); err != nil {
			t.Fatal(err)
		}
		w.fillTable("Timed", 30)
		e := newCrashing(inner, calls, late)
		w = w.restart(e, delay)
		err := c.do(w)
		time.Sleep(10 * time.Second)
		if crashed = e.crashed(); !crashed && err != nil {
			t.Fatal(err)
		}
		w = w.restart(inner, delay)
		w.settle()
		for _, d := range w.catalog.All(func(table.Name) bool { return true }) {
			w.check(d)
		}
		w.checkNothingLeft()
		dbtest.CheckAudit(t, inner, w.catalog)
		if got := state(w.catalog.Get(name(c.table))); got != c.after && (err == nil || got != c.before) {
			t.Errorf("answer %v, then %s; want %s", err, got, c.after)
		}
		if t.Failed() {
			t.Fatalf("crash in call %d (late: %v)", calls, late)
		}
	})
	return crashed
}

// TestDropAndCreateAgain drops and creates a table while somebody writes to the name.
func TestDropAndCreateAgain(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music + "\nglobal ByYear year:N ALL")
	var wg sync.WaitGroup
	done := make(chan struct{})
	for i := range 3 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				d := w.catalog.Get(name("Music"))
				if d == nil {
					continue
				}
				it := dbtest.Item(t, fmt.Sprintf("artist=a%d song=s%d year=%d", i, n%50, n))
				k, err := d.KeyOf(it)
				if err == nil {
					_, err = w.store.Apply(w.ctx, store.Write{Kind: store.Put, Table: d, Key: k, Item: it})
				}
				if err != nil && !errors.Is(err, store.ErrTableGone) {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 40 {
		w.fill(30)
		if _, err := w.manager.Delete(w.ctx, name("Music")); err != nil {
			t.Fatal(err)
		}
		w.create(music + "\nglobal ByYear year:N ALL")
	}
	close(done)
	wg.Wait()
	w.awaitPurges()
	w.check(w.catalog.Get(name("Music")))
	w.checkNothingLeft()
}

// awaitPurges purges what is left to purge, beside the jobs that do so.
func (w *world) awaitPurges() {
	w.t.Helper()
	list, err := w.manager.storedPurges(w.ctx)
	for _, p := range list {
		err = errors.Join(err, w.manager.purge(w.ctx, p))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// A contended engine has a transaction hold one key: so many updates that declare it fail.
type contended struct {
	kv.Engine
	key   []byte
	times int
	sizes []int // how many keys each update of a fill declared
}

func (c *contended) Update(ctx context.Context, t kv.Txn, f func([][]byte, *kv.Batch) error) error {
	if !t.NoSync { // not a fill's
		return c.Engine.Update(ctx, t, f)
	}
	c.sizes = append(c.sizes, len(t.Keys))
	i := slices.IndexFunc(t.Keys, func(k []byte) bool { return bytes.Equal(k, c.key) })
	if i >= 0 && c.times > 0 {
		c.times--
		return &kv.ConflictError{Key: i}
	}
	return c.Engine.Update(ctx, t, f)
}

// TestFillGoesAroundTransactions: a held item must not keep the others of its page waiting, nor be left out.
func TestFillGoesAroundTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &contended{Engine: dbtest.Engine(t), times: 5}
		w := begin(t, e, 0)
		w.create(music)
		w.fill(8)
		e.key = w.rows(indexRange(w.catalog.Get(name("Music")).Number, 0))[3].Key
		w.update(addIndex(t, "global ByGenre genre:S ALL"))
		d := w.catalog.Get(name("Music"))
		w.check(d)
		if got, want := state(d)+fmt.Sprint(e.sizes), "ACTIVE ByGenre:ACTIVE[8 4 2 2 1 1 1 1 4]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
