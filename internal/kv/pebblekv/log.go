package pebblekv

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A log record is stored under its shard and position: the uvarint distance to the record before it, then the data. The trim
// point of a shard is the last position that was forgotten, 8 bytes. Whatever changes a log raises the mark of its trim point.

// maxTailBytes is about how much data TailLog returns at once.
const maxTailBytes = 1 << 20

// logs assign positions.
type logs struct {
	mu    sync.Mutex        // held until what has been given a position is visible
	heads map[uint64]kv.Pos // the newest position of shards, as far as it is known
}

// place adds log entries to b. The caller holds l.mu, and until it lets go applies b or ends the process.
func (l *logs) place(db *DB, b *pebble.Batch, entries []kv.LogEntry) error {
	for _, e := range entries {
		if err := l.know(db, e.Shard); err != nil {
			return err
		}
	}
	for _, e := range entries {
		prev := l.heads[e.Shard]
		if err := appendRecord(b, e, prev+1, prev); err != nil {
			return err
		}
		l.heads[e.Shard] = prev + 1
	}
	return nil
}

// appendRecord encodes a record straight into b.
func appendRecord(b *pebble.Batch, e kv.LogEntry, pos, prev kv.Pos) error {
	var distance [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(distance[:], uint64(pos-prev))
	op := b.SetDeferred(keys.LogLen, n+len(e.Data))
	keys.AppendLog(op.Key[:0], e.Shard, uint64(pos))
	copy(op.Value, distance[:n])
	copy(op.Value[n:], e.Data)
	return op.Finish()
}

// know makes sure that the head of a shard is known.
func (l *logs) know(db *DB, shard uint64) error {
	if _, ok := l.heads[shard]; ok {
		return nil
	}
	head, err := trimPoint(db.pebble, shard)
	if err != nil {
		return err
	}
	lo, hi := keys.Log(shard)
	it, err := db.pebble.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return readError(err)
	}
	if it.Last() {
		head = kv.Pos(keys.LogPos(it.Key()))
	}
	if err := it.Close(); err != nil {
		return readError(err)
	}
	l.heads[shard] = head
	return nil
}

// trimPoint returns the last position of a shard that was forgotten.
func trimPoint(r pebble.Reader, shard uint64) (kv.Pos, error) {
	val, closer, err := r.Get(keys.LogHead(shard))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, readError(err)
	}
	defer closer.Close()
	if len(val) != 8 {
		return 0, fmt.Errorf("%w: trim point of log %d has %d bytes", kv.ErrCorrupt, shard, len(val))
	}
	return kv.Pos(binary.BigEndian.Uint64(val)), nil
}

// TailLog implements kv.Engine. It returns fewer records than limit also when they are large: a log has been read to its
// end when nothing is returned.
func (db *DB) TailLog(ctx context.Context, shard uint64, after kv.Pos, limit int) ([]kv.Record, kv.Pos, error) {
	v, err := db.open(ctx, kv.ViewOpts{})
	if err != nil {
		return nil, 0, err
	}
	recs, next, err := v.tail(shard, after, limit)
	if cerr := v.Close(); cerr != nil {
		return nil, 0, cerr
	}
	return recs, next, err
}

// tail reads a log. Records become visible in the order of their positions, so none can be missing before one that is seen.
func (v *view) tail(shard uint64, after kv.Pos, limit int) (recs []kv.Record, next kv.Pos, err error) {
	if after == kv.Newest {
		next, err = v.db.logs.head(v.db, shard)
	} else {
		recs, err = readLog(v.reader(), shard, after, limit)
	}
	if err != nil {
		return nil, 0, err
	}
	// Read after the records, so that none is missing because it was trimmed in between; and the mark that covers them is noted.
	trimmed, err := trimPoint(v.reader(), shard)
	if err != nil {
		return nil, 0, err
	}
	v.see(v.db.marks.key(hash(keys.LogHead(shard))))
	switch {
	case after == kv.Newest:
		return nil, next, nil
	case trimmed > after:
		return nil, trimmed, kv.ErrTrimmed
	}
	for _, r := range recs {
		if r.Prev != after {
			return nil, 0, fmt.Errorf("%w: log %d goes from %d to %d", kv.ErrCorrupt, shard, after, r.Pos)
		}
		after = r.Pos
	}
	return recs, after, nil
}

// head returns the newest position of a shard.
func (l *logs) head(db *DB, shard uint64) (kv.Pos, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.know(db, shard)
	return l.heads[shard], err
}

// readLog returns the records that are stored after a position.
func readLog(r pebble.Reader, shard uint64, after kv.Pos, limit int) ([]kv.Record, error) {
	_, hi := keys.Log(shard)
	lo := keys.Next(keys.AppendLog(nil, shard, uint64(after)))
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return nil, readError(err)
	}
	var recs []kv.Record
	size := 0
	for ok := it.First(); ok && len(recs) < limit && size < maxTailBytes; ok = it.Next() {
		rec, err := decodeRecord(it)
		if err != nil {
			it.Close()
			return nil, err
		}
		recs = append(recs, rec)
		size += len(rec.Data)
	}
	return recs, readError(it.Close())
}

func decodeRecord(it *pebble.Iterator) (kv.Record, error) {
	val, err := it.ValueAndErr()
	if err != nil {
		return kv.Record{}, readError(err)
	}
	pos := kv.Pos(keys.LogPos(it.Key()))
	distance, n := binary.Uvarint(val)
	if n <= 0 {
		return kv.Record{}, fmt.Errorf("%w: log record %x", kv.ErrCorrupt, it.Key())
	}
	return kv.Record{Pos: pos, Prev: pos - kv.Pos(distance), Data: bytes.Clone(val[n:])}, nil
}

// TrimLog implements kv.Engine.
func (db *DB) TrimLog(ctx context.Context, shard uint64, upTo kv.Pos) error {
	if err := db.gate.Enter(); err != nil {
		return err
	}
	defer db.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	b, n, err := db.trim(shard, upTo)
	if err != nil {
		return err
	}
	if b == nil { // somebody else has
		return db.watermark.wait(ctx, db.marks.key(hash(keys.LogHead(shard))))
	}
	return db.settle(b, n)
}

// trim makes a trim visible; b is nil if there was nothing to do.
func (db *DB) trim(shard uint64, upTo kv.Pos) (b *pebble.Batch, n uint64, err error) {
	l := &db.logs
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.know(db, shard); err != nil {
		return nil, 0, err
	}
	trimmed, err := trimPoint(db.pebble, shard)
	if err != nil {
		return nil, 0, err
	}
	head := l.heads[shard]
	forget := upTo == kv.Newest
	upTo = min(upTo, head)
	if upTo <= trimmed && !forget {
		return nil, 0, nil
	}
	b = db.pebble.NewBatch()
	if err := stageTrim(b, shard, trimmed, upTo, forget); err != nil {
		return nil, 0, err
	}
	n = db.watermark.begin()
	db.recent.enter().add(db.change(keys.LogHead(shard), n))
	db.recent.leave()
	if upTo == head {
		delete(l.heads, shard) // the trim point says it; shards that are left for good must not pile up
	}
	return b, n, db.apply(b)
}

// stageTrim puts into b what moves a trim point.
func stageTrim(b *pebble.Batch, shard uint64, from, upTo kv.Pos, forget bool) error {
	// From the last trim point on: deletions that lie side by side cost less than ones that lie on each other.
	lo, hi := keys.AppendLog(nil, shard, uint64(from)), keys.Next(keys.AppendLog(nil, shard, uint64(upTo)))
	if err := b.DeleteRange(lo, hi, nil); err != nil {
		return err
	}
	if forget {
		return b.Delete(keys.LogHead(shard), nil)
	}
	return b.Set(keys.LogHead(shard), binary.BigEndian.AppendUint64(nil, uint64(upTo)), nil)
}
