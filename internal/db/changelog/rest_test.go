package changelog

import (
	"context"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/kv"
)

// A counting engine counts what is read of logs.
type counting struct {
	kv.Engine
	tails int
}

func (c *counting) TailLog(ctx context.Context, shard uint64, after kv.Pos, limit int) ([]kv.Record, kv.Pos, error) {
	c.tails++
	return c.Engine.TailLog(ctx, shard, after, limit)
}

// TestRest: a log that nobody writes to any more is left alone until there is something to trim.
func TestRest(t *testing.T) {
	w := newWorld(t, Limits{})
	count := &counting{Engine: w.engine}
	w.engine = count
	w.open()
	w.enable()
	w.put(1)
	w.clock = w.clock.Add(time.Hour)
	w.put(2)
	w.drop()
	looked := func(after time.Duration) bool {
		t.Helper()
		before := count.tails
		w.tend(after)
		return count.tails > before
	}
	for i, c := range []struct {
		after time.Duration
		look  bool
	}{
		{0, true}, {time.Hour, false}, {20 * time.Hour, false},
		{2*time.Hour - time.Second, false}, {time.Second, true}, // the first record is a day old
		{30 * time.Minute, false}, {30 * time.Minute, true}, // the second one, and the end
		{time.Hour, false},
	} {
		if got := looked(c.after); got != c.look {
			t.Errorf("step %d: looked at the log: %v", i, got)
		}
	}
	if left := w.left(); len(left) > 0 || len(w.log.quiet) > 0 {
		t.Errorf("left are %q, %v", left, w.log.quiet)
	}
}

// TestCatchUp: when the clock is put forward nobody need wait for Tend.
func TestCatchUp(t *testing.T) {
	w := newWorld(t, Limits{ShardAge: 1000 * day})
	w.enable()
	w.put(1)
	w.log.CatchUp(t.Context())
	w.clock = w.clock.Add(day - time.Second)
	w.put(2)
	w.log.CatchUp(t.Context())
	w.expect("at first", "1 2 ...")
	w.clock = w.clock.Add(time.Second)
	w.log.CatchUp(t.Context())
	w.expect("a moment later", "1 2 ...") // Tend has run a second ago
	w.clock = w.clock.Add(time.Minute)
	w.log.CatchUp(t.Context())
	w.expect("a minute later", "2 ...")
}
