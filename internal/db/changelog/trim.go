package changelog

import (
	"context"
	"errors"
	"time"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

// A hold is somebody for whom records are kept.
type hold struct {
	follower string // "": a stream
	covers   func(*table.Shard) bool
	maxAge   time.Duration
	maxBytes int64
	skips    bool
	place    // of a follower
}

// wants reports whether the hold has a use for the record at a position of a shard.
func (h *hold) wants(s *table.Shard, pos kv.Pos) bool {
	return h.covers(s) && !h.Lost && pos > h.Read[s.Number]
}

// bears reports whether the hold may have a record of that age kept, from which on the log has so many bytes.
func (h *hold) bears(age time.Duration, bytes int64) bool {
	return (h.maxAge == 0 || age < h.maxAge) && (h.maxBytes == 0 || bytes <= h.maxBytes)
}

// holds returns who follows a table.
func (l *Log) holds(ctx context.Context, d *table.Definition) ([]hold, error) {
	var list []hold
	for i := range d.Streams {
		if s := &d.Streams[i]; s.Ended.IsZero() || l.now().Sub(s.Ended) < l.limits.Retention {
			list = append(list, hold{covers: s.Covers, maxAge: l.limits.Retention, maxBytes: l.limits.Bytes})
		}
	}
	for i := range d.Followers {
		f := &d.Followers[i]
		p, err := l.place(ctx, d, f.Name)
		if err != nil {
			return nil, err
		}
		h := hold{follower: f.Name, covers: f.Covers, maxAge: f.MaxAge, maxBytes: f.MaxBytes, skips: f.Skips, place: p}
		if d.Status == table.Deleted && (h.maxAge == 0 || h.maxAge > l.limits.Retention) {
			h.maxAge = l.limits.Retention // a deleted table is not kept for ever
		}
		list = append(list, h)
	}
	return list, nil
}

// free reports whether every hold has let go of a closed shard. Streams show it, also when it is empty, for as long as a record
// could be in it.
func (l *Log) free(ctx context.Context, s *table.Shard, holds []hold) (bool, error) {
	var end kv.Pos
	for i := range holds {
		h := &holds[i]
		if !h.covers(s) || h.Lost || h.maxAge > 0 && l.now().Sub(s.Closed) >= h.maxAge {
			continue
		}
		if h.follower == "" {
			return false, nil
		}
		if end == 0 {
			var err error
			if end, err = l.End(ctx, s.Number); err != nil {
				return false, err
			}
		}
		if h.Read[s.Number] < end {
			return false, nil
		}
	}
	return true, nil
}

// trimBatch is how many records are looked at at once.
const trimBatch = 1000

// trim trims the records of a table's log that no hold wants, the oldest of all its shards first.
func (l *Log) trim(ctx context.Context, d *table.Definition, holds []hold) error {
	all := d.Log.Shards()
	t := trimming{Log: l, table: d, holds: holds, now: l.now()}
	shards := make([]*table.Shard, len(all))
	for i := range all {
		shards[i] = &all[i]
	}
	var err error
	if t.left, err = l.sizes(ctx, shards...); err != nil {
		return err
	}
	for {
		s, err := t.next(ctx, shards)
		if s == nil || err != nil {
			return err
		}
		if err := t.batch(ctx, s); err != nil {
			return err
		}
	}
}

// A trimming is one run over a table's log.
type trimming struct {
	*Log
	table *table.Definition
	holds []hold
	now   time.Time
	left  int64 // bytes in the whole log
}

// next returns the shard that has the oldest record of those whose first record is not wanted, nil if there is none.
func (t *trimming) next(ctx context.Context, shards []*table.Shard) (oldest *table.Shard, err error) {
	var at time.Time
	for _, s := range shards {
		known := t.shard(s.Number)
		if err := t.look(ctx, s, known); err != nil {
			return nil, err
		}
		if known.front == 0 || oldest != nil && !known.frontAt.Before(at) {
			continue
		}
		keep, err := t.keep(ctx, s, known.front, known.frontAt)
		if err != nil {
			return nil, err
		}
		if !keep {
			oldest, at = s, known.frontAt
		}
	}
	return oldest, nil
}

// look finds out where a shard's first record is.
func (t *trimming) look(ctx context.Context, s *table.Shard, known *shard) error {
	if known.front != 0 {
		return nil
	}
	first, next, err := t.Read(ctx, s.Number, known.start, 1)
	if errors.Is(err, kv.ErrTrimmed) { // before this process began
		known.start = next
		first, _, err = t.Read(ctx, s.Number, known.start, 1)
	}
	if err == nil && len(first) > 0 {
		known.front, known.frontAt = first[0].Pos, first[0].Stamp.At()
	}
	return err
}

// keep reports whether a record is wanted by a hold that may still have it. If it is not, the followers that want it lose their places,
// unless they skip it.
func (t *trimming) keep(ctx context.Context, s *table.Shard, pos kv.Pos, at time.Time) (bool, error) {
	age := t.now.Sub(at)
	for i := range t.holds {
		if h := &t.holds[i]; h.wants(s, pos) && h.bears(age, t.left) {
			return true, nil
		}
	}
	for i := range t.holds {
		h := &t.holds[i]
		if h.follower == "" || h.skips || !h.wants(s, pos) {
			continue
		}
		if err := t.lose(ctx, t.table, h.follower); err != nil {
			return false, err
		}
		h.Lost = true
	}
	return false, nil
}

// batch trims records from the beginning of a shard, up to one that is wanted.
func (t *trimming) batch(ctx context.Context, s *table.Shard) error {
	known := t.shard(s.Number)
	recs, _, err := t.engine.TailLog(ctx, s.Number, known.start, trimBatch)
	if err != nil {
		return err
	}
	known.front = 0
	upTo, size := known.start, int64(0)
	for _, stored := range recs {
		r, err := change.Decode(stored.Data)
		if err != nil {
			return err
		}
		keep, err := t.keep(ctx, s, stored.Pos, r.Stamp.At())
		if err != nil {
			return err
		}
		if keep {
			known.front, known.frontAt = stored.Pos, r.Stamp.At()
			break
		}
		upTo = stored.Pos
		size += int64(len(stored.Data))
		t.left -= int64(len(stored.Data))
	}
	if upTo == known.start {
		return nil
	}
	if err := t.engine.TrimLog(ctx, s.Number, upTo); err != nil {
		return err
	}
	known.start = upTo
	known.trimmed += size
	// After the records: a crash in between leaves a log that seems larger than it is, never smaller.
	return t.engine.Update(ctx, kv.Txn{NoSync: true}, func(_ [][]byte, b *kv.Batch) error {
		b.Add(s.SizeKey(), -size)
		return nil
	})
}
