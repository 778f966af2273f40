package pebblekv

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"

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

	first iterator // most views have but one
	scans int
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
	var f finder
	defer f.close()
	return v.get(&f, key)
}

// MultiGet implements kv.View.
func (v *view) MultiGet(keys, vals [][]byte) (err error) {
	var f finder
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
	val, err := f.find(v.reader(), v.db.watermark, key)
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
	it := &v.first
	if v.scans > 0 {
		it = new(iterator)
	}
	v.scans++
	if r.Hi != nil && bytes.Compare(r.Lo, r.Hi) >= 0 {
		*it = iterator{state: ended}
		return it, nil
	}
	crowded := v.db.crowds.of(r.Lo)
	*it = iterator{options: pebble.IterOptions{LowerBound: r.Lo, UpperBound: r.Hi}, reverse: r.Reverse, crowded: crowded, seeks: crowded.Load()}
	var err error
	if it.pebble, err = v.reader().NewIter(&it.options); err != nil {
		return nil, readError(err)
	}
	// What the iterator shows was visible when it was made.
	mark, ok := v.db.marks.space(r)
	if !ok {
		mark = v.db.watermark.issued.Load()
	}
	v.see(mark)
	return it, nil
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
		v.first, v.scans = iterator{}, 0
	}
}

// Where an iterator is.
const (
	before = iota // the first pair
	within
	ended
)

// iterator implements kv.Iterator.
type iterator struct {
	pebble  *pebble.Iterator // nil if the range is empty
	options pebble.IterOptions
	reverse bool
	seeks   bool         // past other versions of a key
	crowded *atomic.Bool // what is to be told of a crowd
	state   int
	val     []byte
	err     error
}

// Next implements kv.Iterator.
func (it *iterator) Next() bool {
	if it.state == ended || !it.step() {
		it.state = ended
		return false
	}
	it.state = within
	if it.val, it.err = it.pebble.ValueAndErr(); it.err != nil {
		it.state = ended
		return false
	}
	return true
}

func (it *iterator) step() bool {
	switch {
	case it.state == before && it.reverse:
		return it.pebble.Last()
	case it.state == before:
		return it.pebble.First()
	case it.reverse:
		return it.pebble.Prev()
	case it.seeks:
		return it.pebble.NextPrefix()
	}
	return it.pebble.Next()
}

// Key implements kv.Iterator.
func (it *iterator) Key() []byte { return it.pebble.Key() }

// Value implements kv.Iterator.
func (it *iterator) Value() []byte { return it.val }

// Close implements kv.Iterator.
func (it *iterator) Close() error {
	err := it.err
	if it.pebble != nil {
		if !it.seeks && metCrowd(it.pebble) {
			it.crowded.Store(true)
		}
		if cerr := it.pebble.Close(); err == nil {
			err = cerr
		}
		it.pebble = nil
	}
	it.state = ended
	return readError(err)
}
