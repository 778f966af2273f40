package lifecycle

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
)

// TestClockIsSet sets the clock forward and back, by little and by much, while changes are under way: none of them waits for the
// clock to come round again.
func TestClockIsSet(t *testing.T) {
	for _, delay := range []time.Duration{0, 10 * time.Second} {
		for _, by := range []time.Duration{24 * time.Hour, -24 * time.Hour, time.Second / 2, -time.Second / 2, -5 * time.Second} {
			t.Run(fmt.Sprint(delay, by), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { setClock(t, delay, by) })
			})
		}
	}
}

func setClock(t *testing.T, delay, by time.Duration) {
	var shift atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
	w := begin(t, dbtest.Engine(t), delay)
	w.manager.now = now
	set := func() {
		time.Sleep(delay / 4)
		shift.Add(int64(by))
	}
	settled := func(what string) *table.Definition {
		t.Helper()
		time.Sleep(3*delay + 3*slack)
		synctest.Wait()
		d := w.catalog.Get(name("Music"))
		if d != nil && (d.Status != table.Active || len(unfinished(d)) > 0 || d.TTL.Status != "") {
			t.Errorf("%s: %s, on their way: %v, time to live: %s", what, d.Status, unfinished(d), d.TTL.Shown())
		}
		return d
	}
	w.create(music)
	set()
	if settled("created") == nil {
		t.Fatal("the table is gone")
	}
	w.fill(20)
	w.update(addIndex(t, "global ByGenre genre:S ALL"))
	set()
	settled("index added")
	w.update(dropIndex("ByGenre"))
	set()
	if d := settled("index dropped"); len(d.Indexes) > 0 {
		t.Errorf("the index is %s", d.Indexes[0].Status)
	}
	w.setTTL("year")
	set()
	settled("time to live enabled")
	w.setTTL("")
	set()
	settled("time to live disabled")
	if _, err := w.manager.Delete(w.ctx, name("Music")); err != nil {
		t.Fatal(err)
	}
	set()
	if d := settled("deleted"); d != nil {
		t.Errorf("the table is %s", d.Status)
	}
	dbtest.CheckAudit(t, w.engine, w.catalog)
}

// A process that starts with an earlier clock, or a shorter delay, goes on with what an earlier one began.
func TestClockIsSetBetweenProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := dbtest.Engine(t)
		w := begin(t, e, time.Hour)
		w.create(music)
		w = w.restart(e, 0)
		w.settle()
		if d := w.catalog.Get(name("Music")); d.Status != table.Active {
			t.Errorf("the table is %s", d.Status)
		}
	})
}
