package changelog

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

// A crashing engine ends after so many changes: the next one, and all after it, fail. If late, the next one is done and its outcome lost.
type crashing struct {
	kv.Engine
	left int
	late bool
}

var errCrash = errors.New("crash")

func (c *crashing) call(do func() error) error {
	c.left--
	if c.left >= 0 {
		return do()
	}
	if c.left == -1 && c.late {
		if err := do(); err != nil {
			return err
		}
	}
	return errCrash
}

func (c *crashing) Update(ctx context.Context, t kv.Txn, f func([][]byte, *kv.Batch) error) error {
	return c.call(func() error { return c.Engine.Update(ctx, t, f) })
}

func (c *crashing) TrimLog(ctx context.Context, shard uint64, upTo kv.Pos) error {
	return c.call(func() error { return c.Engine.TrimLog(ctx, shard, upTo) })
}

// TestCrash ends the process at every change that Tend makes to the store, and has another one go on: it leaves what it should, loses
// no place that it should not, and in the end nothing is left.
func TestCrash(t *testing.T) {
	for _, late := range []bool{false, true} {
		crashed := true
		for n := 0; crashed; n++ {
			t.Run(fmt.Sprint(n, late), func(t *testing.T) { crashed = crash(t, n, late) })
		}
	}
}

// crash reports whether the process ended before it was done.
func crash(t *testing.T, changes int, late bool) bool {
	engine := dbtest.Engine(t)
	w := begin(t, engine, Limits{ShardAge: 10 * time.Hour})
	w.follow(table.Follower{Name: "lazy", MaxAge: 2 * time.Hour})
	w.enable()
	for n := range 30 {
		w.put(n)
		w.clock = w.clock.Add(time.Hour)
		if n == 9 || n == 19 {
			w.change(func(d *table.Definition) { d.Log.Rotate(w.clock, func(*table.Shard) bool { return true }) })
		}
	}
	w.readAll("lazy")
	w.put(30)
	w.clock = w.clock.Add(5*time.Hour + time.Second)
	w.engine = &crashing{engine, changes, late}
	w.open()
	err := w.log.Tend(t.Context())
	if err != nil && !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	w.engine = engine
	w.open()
	w.tend(0)
	w.expect("after a restart", "12 13 14 15 16 17 18 19 | 20 21 22 23 24 25 26 27 28 29 30 | ...")
	if w.lost("lazy") {
		t.Error("the follower has lost its place though its records are there")
	}
	w.drop()
	w.tend(2 * day)
	// Of a crash between the last step and the one before, an empty shard's trim point may be left.
	if left := w.left(); len(left) > 1 || len(left) == 1 && err == nil {
		t.Errorf("left are %q", left)
	}
	return err != nil
}
