package pebblekv

import (
	"bytes"
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
)

// view implements kv.View.
type view struct {
	db   *DB
	ctx  context.Context
	snap *pebble.Snapshot // of a pinned view
	pin  uint64           // no later commit is in snap
	seen uint64           // the newest commit that may have been read

	// Most views have but one scan.
	first  iterator
	replay replay
	scans  int
}

// View implements kv.Engine.
func (db *DB) View(ctx context.Context, o kv.ViewOpts) (kv.View, error) {
	v, err := db.open(ctx, o)
	if err != nil {
		return nil, err // not v: it would be a nil pointer in an interface
	}
	return v, nil
}

func (db *DB) open(ctx context.Context, o kv.ViewOpts) (*view, error) {
	if err := db.gate.Enter(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		db.gate.Leave()
		return nil, err
	}
	v := db.views.Get().(*view)
	v.ctx = ctx
	if o.Pinned {
		v.snap = db.pebble.NewSnapshot()
		v.pin = db.watermark.issued.Load()
	}
	return v, nil
}

func (v *view) reader() pebble.Reader {
	if v.snap != nil {
		return v.snap
	}
	return v.db.pebble
}

// see notes the mark of what has just been read.
func (v *view) see(mark uint64) {
	if v.snap != nil {
		mark = min(mark, v.pin)
	}
	v.seen = max(v.seen, mark)
}

// Get implements kv.View.
func (v *view) Get(key []byte) ([]byte, error) {
	f := finder{db: v.db, snap: v.snap}
	defer f.close()
	return v.get(&f, key)
}

// MultiGet implements kv.View.
func (v *view) MultiGet(keys, vals [][]byte) (err error) {
	f := finder{db: v.db, snap: v.snap}
	defer f.close()
	for i, k := range keys {
		if vals[i], err = v.get(&f, k); err != nil {
			return err
		}
	}
	return nil
}

// get returns a copy of what is under key, or what the cache has.
func (v *view) get(f *finder, key []byte) ([]byte, error) {
	h, cache, marks := hash(key), v.db.values, &v.db.marks
	if v.snap == nil {
		if val, ok := cache.get(h, key); ok {
			return val, nil // durable: nothing to wait for
		}
	}
	val, err := f.find(key, h)
	v.see(marks.key(h))
	if err != nil || val == nil {
		return nil, err
	}
	if v.snap != nil {
		return bytes.Clone(val), nil
	}
	return cache.keep(h, key, val, marks, f.durable), nil
}

// Scan implements kv.View.
func (v *view) Scan(r kv.Range) (kv.Iterator, error) {
	v.scans++
	s, ok := spanOf(r)
	if ok && v.snap == nil {
		if f := v.db.scans.get(s, r); f != nil {
			it := &v.replay
			if v.scans > 1 {
				it = new(replay)
			}
			*it = f.replay(r.Most) // durable: nothing to wait for
			return it, nil
		}
	}
	it := &v.first
	if v.scans > 1 {
		it = new(iterator)
	}
	if r.Hi != nil && bytes.Compare(r.Lo, r.Hi) >= 0 {
		it.state = ended
		return it, nil
	}
	if ok && v.snap == nil && v.db.scans.again(s) {
		it.record(v.db, s, r)
	}
	if err := it.open(v.db, v.reader(), r); err != nil {
		return nil, err
	}
	// What the iterator shows was visible when it was made.
	v.see(v.db.mark(r, s, ok))
	return it, nil
}

// mark returns the mark of a range, and of its item collection if it is a span.
func (db *DB) mark(r kv.Range, s span, isSpan bool) uint64 {
	if isSpan {
		return db.marks.collection(s.collection)
	}
	if mark, ok := db.marks.space(r); ok {
		return mark
	}
	return db.watermark.issued.Load()
}

// Close implements kv.View.
func (v *view) Close() error {
	if v.ctx == nil {
		return errors.New("pebblekv: view closed twice")
	}
	var err error
	if v.snap != nil {
		err = v.snap.Close()
	}
	db := v.db
	if werr := db.watermark.wait(v.ctx, v.seen); werr != nil {
		err = werr
	}
	v.reset()
	db.views.Put(v)
	db.gate.Leave()
	return err
}

// reset makes v as good as new. It leaves alone what was not used: most views read a few keys, and the iterator is large.
func (v *view) reset() {
	v.ctx, v.snap, v.pin, v.seen = nil, nil, 0, 0
	if v.scans > 0 {
		v.first.reset()
		v.replay, v.scans = replay{}, 0
	}
}
