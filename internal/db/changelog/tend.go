package changelog

import (
	"context"
	"errors"
	"time"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// Interval is how often Tend should run: so that shards are closed in time. Loads are measured from one run to the next.
func (l *Log) Interval() time.Duration {
	return min(5*time.Second, max(l.limits.ShardAge/4, 100*time.Millisecond))
}

// A shard is what Tend remembers of a shard from one run to the next.
type shard struct {
	since time.Time // when this process saw it first

	// The load: what had been appended when.
	at       time.Time
	pos      kv.Pos
	appended int64 // bytes
	trimmed  int64 // bytes, since the process began

	// The oldest record that is left, if it is known: a place in the log and its time.
	start, front kv.Pos // after start comes front; front 0: not known
	frontAt      time.Time
}

func (l *Log) shard(number uint64) *shard {
	s := l.shards[number]
	if s == nil {
		s = &shard{}
		l.shards[number] = s
	}
	return s
}

// Tend looks at every log once: it splits and rotates shards, trims what nobody wants any more, and forgets the shards, streams and
// deleted tables of which nothing is left.
func (l *Log) Tend(ctx context.Context) error {
	l.tending.Lock()
	defer l.tending.Unlock()
	return l.tendAll(ctx)
}

// CatchUp does what Tend should have done long ago because the clock was put forward, unless Tend is at it.
func (l *Log) CatchUp(ctx context.Context) {
	if late := l.now().UnixMilli() - l.tended.Load(); late < 10*l.Interval().Milliseconds() || !l.tending.TryLock() {
		return
	}
	defer l.tending.Unlock()
	if err := l.tendAll(ctx); err != nil && ctx.Err() == nil {
		l.log.Error("change logs could not be tended", "error", err)
	}
}

func (l *Log) tendAll(ctx context.Context) error {
	l.tended.Store(l.now().UnixMilli())
	every := func(table.Name) bool { return true }
	var failed error
	for _, d := range append(l.catalog.All(every), l.catalog.Retired(every)...) {
		if len(d.Streams)+len(d.Log.Open)+len(d.Log.Closed) == 0 || l.rests(d) {
			continue
		}
		delete(l.quiet, d.Number)
		changed, err := l.tend(ctx, d)
		if err != nil {
			failed = errors.Join(failed, err)
		} else if !changed {
			l.lay(d)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return failed
}

// A rest is a definition whose log nobody writes to any more, and until when nothing is to be done for it.
type rest struct {
	table *table.Definition
	until time.Time
}

// rests reports whether nothing is to be done for a table yet.
func (l *Log) rests(d *table.Definition) bool {
	r, ok := l.quiet[d.Number]
	return ok && r.table == d && l.now().Before(r.until)
}

// lay finds out how long a table can be left alone: there may be many that were deleted not long ago.
func (l *Log) lay(d *table.Definition) {
	if len(d.Log.Open)+len(d.Followers) > 0 {
		return
	}
	first := l.now()
	earlier := func(t time.Time) {
		if t.Before(first) {
			first = t
		}
	}
	for i := range d.Streams {
		earlier(d.Streams[i].Ended)
	}
	for i := range d.Log.Closed {
		s := &d.Log.Closed[i]
		earlier(s.Closed)
		if known := l.shard(s.Number); known.front != 0 {
			earlier(known.frontAt)
		}
	}
	l.quiet[d.Number] = rest{d, first.Add(l.limits.Retention)}
}

// tend looks after one log. It reports whether the closed shards or the streams of the table have become fewer.
func (l *Log) tend(ctx context.Context, d *table.Definition) (changed bool, err error) {
	if d, err = l.renew(ctx, d); err != nil || d == nil {
		return false, err
	}
	holds, err := l.holds(ctx, d)
	if err != nil {
		return false, err
	}
	switch err := l.trim(ctx, d, holds); {
	case errors.Is(err, kv.ErrFenced): // the table is followed by others now; the next run looks again
		return true, nil
	case err != nil:
		return false, err
	}
	return l.forget(ctx, d, holds)
}

// renew splits the shards whose load is too high and rotates those that are too old. It returns the definition as it is then.
func (l *Log) renew(ctx context.Context, d *table.Definition) (*table.Definition, error) {
	var hot, old map[uint64]bool
	now, room := l.now(), l.limits.Shards-len(d.Log.Open)
	for i := range d.Log.Open {
		s := &d.Log.Open[i]
		busy, err := l.overloaded(ctx, s, now)
		if err != nil {
			return nil, err
		}
		switch {
		case busy && s.Lo < s.Hi && len(hot) < room:
			hot = with(hot, s.Number)
		case l.shard(s.Number).age(s, now) >= l.limits.ShardAge:
			old = with(old, s.Number)
		}
	}
	if len(hot)+len(old) == 0 {
		return d, nil
	}
	l.log.Debug("shards are replaced", "table", d.Name, "split", len(hot), "rotated", len(old))
	err := l.edit(ctx, d, func(next *table.Definition, _ *kv.Batch) {
		if len(hot) > 0 {
			next.Log.Split(now, func(s *table.Shard) bool { return hot[s.Number] })
		}
		if len(old) > 0 {
			next.Log.Rotate(now, func(s *table.Shard) bool { return old[s.Number] })
		}
	})
	return l.catalog.Current(d), err
}

// age returns how old a shard is. One that was opened in what is now the future, by a clock that was ahead, is as old as this process
// knows.
func (k *shard) age(s *table.Shard, now time.Time) time.Duration {
	if k.since.IsZero() || now.Before(k.since) {
		k.since = now
	}
	return max(now.Sub(s.Opened), now.Sub(k.since))
}

func with(set map[uint64]bool, number uint64) map[uint64]bool {
	if set == nil {
		set = map[uint64]bool{}
	}
	set[number] = true
	return set
}

// overloaded reports whether more was appended to a shard since the last look than a shard is to take in that time. An engine whose
// positions are not dense makes it look busier than it is.
func (l *Log) overloaded(ctx context.Context, s *table.Shard, now time.Time) (bool, error) {
	pos, err := l.End(ctx, s.Number)
	if err != nil {
		return false, err
	}
	size, err := l.sizes(ctx, s)
	if err != nil {
		return false, err
	}
	seen := l.shard(s.Number)
	was := *seen
	seen.at, seen.pos, seen.appended = now, pos, size+seen.trimmed
	passed := now.Sub(was.at).Seconds()
	if was.at.IsZero() || passed <= 0 {
		return false, nil
	}
	return float64(seen.pos-was.pos) > passed*float64(l.limits.ShardRecords) ||
		float64(seen.appended-was.appended) > passed*float64(l.limits.ShardBytes), nil
}

// sizes returns the bytes that the logs of shards hold.
func (l *Log) sizes(ctx context.Context, shards ...*table.Shard) (n int64, err error) {
	view, err := l.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return 0, err
	}
	for _, s := range shards {
		val, gerr := view.Get(s.SizeKey())
		if err == nil {
			err = gerr
		}
		n += kv.Counter(val)
	}
	if cerr := view.Close(); err == nil {
		err = cerr
	}
	return n, err
}

// edit changes the definition of a table, deleted or not. It does nothing if the table is no more.
func (l *Log) edit(ctx context.Context, d *table.Definition, f func(next *table.Definition, b *kv.Batch)) error {
	if d.Status == table.Deleted {
		_, err := l.catalog.ChangeRetired(ctx, d.Number, func(old *table.Definition, b *kv.Batch) *table.Definition {
			next := old.Clone()
			f(next, b)
			if len(next.Log.Closed) > 0 {
				return next
			}
			for i := range next.Followers {
				b.Delete(keys.Hold(d.Number, next.Followers[i].Name))
			}
			return nil
		})
		return err
	}
	_, err := l.catalog.Change(ctx, d.FullName(), func(old *table.Definition, b *kv.Batch) (*table.Definition, error) {
		if old == nil || old.Number != d.Number {
			return old, nil
		}
		next := old.Clone()
		f(next, b)
		return next, nil
	})
	return err
}

// forget removes from a table's definition the closed shards that every hold has let go of, and the streams that are over. A shard
// stays as long as its parent: also when it is empty it tells that its children are to be read after that. It reports whether there
// was anything to remove.
func (l *Log) forget(ctx context.Context, d *table.Definition, holds []hold) (bool, error) {
	var gone, kept map[uint64]bool
	for i := range d.Log.Closed {
		s := &d.Log.Closed[i]
		free, err := l.free(ctx, s, holds)
		if err != nil {
			return false, err
		}
		if free && !kept[s.Parent] { // parents were closed first
			gone = with(gone, s.Number)
		} else {
			kept = with(kept, s.Number)
		}
	}
	over := func(s table.Stream) bool { return !s.Ended.IsZero() && l.now().Sub(s.Ended) >= l.limits.Retention }
	if len(gone) == 0 && !anyStream(d, over) {
		return false, nil
	}
	return true, l.drop(ctx, d, gone, over)
}

// drop removes shards, with all that is stored about them, and streams.
func (l *Log) drop(ctx context.Context, d *table.Definition, gone map[uint64]bool, over func(table.Stream) bool) error {
	for number := range gone { // before the map is changed, so that a reader is told that records are missing, not that there are none
		delete(l.shards, number)
		if err := l.engine.TrimLog(ctx, number, kv.Newest-1); err != nil {
			return err
		}
	}
	err := l.edit(ctx, d, func(next *table.Definition, b *kv.Batch) {
		next.Log.Drop(func(s *table.Shard) bool { return gone[s.Number] })
		next.Streams = streamsBut(next.Streams, over)
		for number := range gone {
			b.Delete(keys.LogSize(number))
		}
	})
	if err != nil {
		return err
	}
	for number := range gone {
		if err := l.engine.TrimLog(ctx, number, kv.Newest); err != nil {
			return err
		}
	}
	return nil
}

func anyStream(d *table.Definition, f func(table.Stream) bool) bool {
	return len(streamsBut(d.Streams, f)) < len(d.Streams)
}

func streamsBut(list []table.Stream, f func(table.Stream) bool) (kept []table.Stream) {
	for _, s := range list {
		if !f(s) {
			kept = append(kept, s)
		}
	}
	return kept
}
