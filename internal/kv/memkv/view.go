package memkv

import (
	"context"
	"errors"
	"slices"

	"github.com/grammedb/gramme/internal/kv"
)

// view implements kv.View.
type view struct {
	db   *DB   // nil once closed
	snap *tree // of a pinned view
}

// View implements kv.Engine.
func (db *DB) View(ctx context.Context, o kv.ViewOpts) (kv.View, error) {
	if err := db.gate.Enter(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		db.gate.Leave()
		return nil, err
	}
	v := &view{db: db}
	if o.Pinned {
		v.snap = db.snapshot()
	}
	return v, nil
}

// Get implements kv.View.
func (v *view) Get(key []byte) ([]byte, error) {
	if v.snap == nil {
		return v.db.get(key), nil
	}
	if c := v.snap.find(text(key)); c != nil {
		return c.value(), nil
	}
	return nil, nil
}

// MultiGet implements kv.View.
func (v *view) MultiGet(keys, vals [][]byte) error {
	if v.snap == nil {
		v.db.mu.RLock()
		defer v.db.mu.RUnlock()
		for i, k := range keys {
			vals[i] = v.db.pairs.get(k)
		}
		return nil
	}
	for i, k := range keys {
		vals[i], _ = v.Get(k)
	}
	return nil
}

// Scan implements kv.View.
func (v *view) Scan(r kv.Range) (kv.Iterator, error) {
	t := v.snap
	if t == nil {
		t = v.db.snapshot()
	}
	bounds := text(slices.Concat(r.Lo, r.Hi)) // the range's own memory is the caller's
	lo, hi := bounds[:len(r.Lo)], bounds[len(r.Lo):]
	return &iterator{tree: t, lo: lo, hi: hi, bounded: r.Hi != nil, reverse: r.Reverse, most: r.Most}, nil
}

// Close implements kv.View.
func (v *view) Close() error {
	if v.db == nil {
		return errors.New("memkv: view closed twice")
	}
	v.db.gate.Leave()
	v.db = nil
	return nil
}

// iterator implements kv.Iterator.
type iterator struct {
	cursor
	tree    *tree
	lo, hi  string
	bounded bool // by hi
	reverse bool
	most    int // pairs; 0: no limit
	given   int
	begun   bool
	ended   bool
}

// Next implements kv.Iterator.
func (it *iterator) Next() bool {
	if !it.begun {
		it.begin()
	}
	it.ended = it.ended || it.given == it.most && it.most > 0 || !it.step(it.reverse) || !it.inside()
	it.given++
	return !it.ended
}

// begin puts the cursor where the range begins.
func (it *iterator) begin() {
	it.begun = true
	switch {
	case !it.reverse:
		it.seek(it.tree, it.lo, false)
	case it.bounded:
		it.seek(it.tree, it.hi, true)
	default:
		it.end(it.tree)
	}
}

// inside reports whether the iterator is still in its range.
func (it *iterator) inside() bool {
	key := it.entry().key()
	if it.reverse {
		return key >= it.lo
	}
	return !it.bounded || key < it.hi
}

// Key implements kv.Iterator.
func (it *iterator) Key() []byte { return bytesOf(it.entry().key()) }

// Value implements kv.Iterator.
func (it *iterator) Value() []byte { return it.entry().value() }

// Close implements kv.Iterator.
func (it *iterator) Close() error { return nil }
