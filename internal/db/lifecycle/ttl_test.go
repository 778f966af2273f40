package lifecycle

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// switchTTL enables time to live with an attribute or, without one, disables it.
func (w *world) switchTTL(table_, attribute string) error {
	return w.manager.SetTTL(w.ctx, name(table_), func(t *table.TTL) error {
		t.Enabled, t.Changed = attribute != "", w.manager.now()
		if t.Enabled {
			t.Attribute = attribute
		}
		return nil
	})
}

func (w *world) setTTL(attribute string) {
	w.t.Helper()
	if err := w.switchTTL("Music", attribute); err != nil {
		w.t.Fatal(err)
	}
}

// expiring counts the entries of time to live of all tables.
func (w *world) expiring() int {
	lo, _ := keys.Expiries(0)
	return len(w.rows(kv.Range{Lo: lo, Hi: keys.Next(lo[:1])}))
}

func TestTTLStates(t *testing.T) {
	for _, c := range []struct {
		delay               time.Duration
		enabling, disabling string
		left                int // entries while it is being disabled
	}{
		{0, "ACTIVE by year:ENABLED", "ACTIVE by year:DISABLED", 0},
		{10 * time.Second, "ACTIVE by year:ENABLING", "ACTIVE by year:DISABLING", 51},
	} {
		t.Run(fmt.Sprint(c.delay), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, dbtest.Engine(t), c.delay)
				expect := func(what, want string, entries int) {
					t.Helper()
					synctest.Wait()
					if got := state(w.catalog.Get(name("Music"))); got != want || w.expiring() != entries {
						t.Errorf("%s: %s with %d entries, want %s with %d", what, got, w.expiring(), want, entries)
					}
				}
				w.create(music)
				w.settle()
				w.fill(50)
				w.put("artist=a song=s")
				w.setTTL("year")
				expect("enable", c.enabling, 50)
				w.settle()
				expect("enabled", "ACTIVE by year:ENABLED", 50)
				w.put("artist=a song=s year=1")
				w.setTTL("")
				expect("disable", c.disabling, c.left)
				w.put("artist=a song=t year=1")
				w.settle()
				expect("disabled", "ACTIVE by year:DISABLED", 0)
				w.setTTL("other")
				w.settle()
				expect("enabled with another attribute", "ACTIVE by other:ENABLED", 0)
				dbtest.CheckAudit(t, w.engine, w.catalog)
				w.checkNothingLeft()
			})
		})
	}
}

// A table must be there and not on its way in or out.
func TestTTLRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, dbtest.Engine(t), 10*time.Second)
		reason := func() Reason {
			e, _ := errors.AsType[*Error](w.switchTTL("Music", "year"))
			if e == nil {
				return ""
			}
			return e.Reason
		}
		if got := reason(); got != Missing {
			t.Errorf("without a table: %q", got)
		}
		w.create(music)
		if got := reason(); got != BeingCreated {
			t.Errorf("while it is created: %q", got)
		}
		w.settle()
		w.update(addIndex(t, "global ByGenre genre:S ALL"))
		if got := reason(); got != "" {
			t.Errorf("while it is updated: %q", got)
		}
		w.settle()
		if _, err := w.manager.Delete(w.ctx, name("Music")); err != nil {
			t.Fatal(err)
		}
		if got := reason(); got != BeingDeleted {
			t.Errorf("while it is deleted: %q", got)
		}
	})
}

// TestTTLRacesWriters switches time to live off and on, with one attribute and another, while items are written, moved and deleted;
// also before the entries of all items have been made.
func TestTTLRacesWriters(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music + "\nglobal ByGenre genre:S ALL")
	w.fill(1000)
	stop := w.writing(4)
	for i := range 12 {
		w.setTTL([]string{"year", "x", "other"}[i%3])
		if i%4 == 3 {
			w.put(fmt.Sprintf("artist=a song=extra%d year=%d", i, i)) // go on at once
		} else {
			w.awaitTTL()
		}
		if i < 11 {
			w.setTTL("")
		}
	}
	w.awaitTTL()
	stop()
	w.jobs.Close()
	w.awaitPurges()
	dbtest.CheckAudit(t, w.engine, w.catalog)
	w.setTTL("")
	w.awaitPurges()
	if n := w.expiring(); n > 0 {
		t.Errorf("%d entries are left", n)
	}
}

// awaitTTL waits until the table's entries have been made.
func (w *world) awaitTTL() {
	for w.catalog.Get(name("Music")).TTL.Filling {
		time.Sleep(time.Millisecond) // jobs do not tell when they end
	}
}

// TestAdoptTTL: a store of a release that kept no entries has them made when it is opened. Clients see no change.
func TestAdoptTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := dbtest.Engine(t)
		w := begin(t, e, 0)
		w.create(music)
		w.fill(200)
		w.create("Other id:S")
		d := dbtest.Change(t, w.catalog, name("Music"), func(old *table.Definition) *table.Definition {
			next := old.Clone()
			next.TTL = table.TTL{Enabled: true, Attribute: "year"}
			return next
		})
		w = w.restart(e, 0)
		if got := state(w.catalog.Get(name("Music"))); got != "ACTIVE by year:ENABLED" {
			t.Error(got)
		}
		w.put("artist=a song=s year=1")
		w.settle()
		if n := w.expiring(); n != 201 {
			t.Errorf("%d entries", n)
		}
		dbtest.CheckAudit(t, e, w.catalog)
		version := w.catalog.Get(name("Music")).Version
		if version == d.Version {
			t.Error("the definition has not changed")
		}
		w = w.restart(e, 0)
		w.settle()
		if got := w.catalog.Get(name("Music")).Version; got != version {
			t.Error("the second start changed the definition too")
		}
	})
}

// TestTTLFillGoesOn: a process that ends while the entries are made leaves the rest to the next one; what was made stays.
func TestTTLFillGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := dbtest.Engine(t)
		w := begin(t, inner, 0)
		w.create(music)
		w.fill(3*pageItems + 5)
		w = w.restart(newCrashing(inner, 3, false), 0) // the definition, two pages
		w.setTTL("year")
		expect := func(want string, entries int) {
			t.Helper()
			synctest.Wait()
			w.engine = inner // to look into the store of a process that has crashed
			if got := state(w.catalog.Get(name("Music"))); got != want || w.expiring() != entries {
				t.Errorf("%s with %d entries, want %s with %d", got, w.expiring(), want, entries)
			}
		}
		expect("ACTIVE by year:ENABLING", 2*pageItems)
		pages := newCrashing(inner, 3, false) // two pages, the definition
		w = w.restart(pages, 0)
		expect("ACTIVE by year:ENABLED", 3*pageItems+5)
		if pages.crashed() {
			t.Error("it did not go on where it had ended")
		}
	})
}
