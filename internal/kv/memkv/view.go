package memkv

import (
	"context"
	"errors"
	"slices"

	"github.com/tidwall/btree"

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
	e, ok := v.snap.Get(entryOf(&cell{key: text(key)}))
	if !ok {
		return nil, nil
	}
	return e.value(), nil
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
	return &iterator{IterG: t.Iter(), lo: lo, hi: hi, bounded: r.Hi != nil, reverse: r.Reverse}, nil
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
	btree.IterG[entry]
	lo, hi  string
	bounded bool // by hi
	reverse bool
	begun   bool
	ended   bool
}

// Next implements kv.Iterator.
func (it *iterator) Next() bool {
	it.ended = it.ended || !it.step() || !it.inside()
	return !it.ended
}

func (it *iterator) step() bool {
	begun := it.begun
	it.begun = true
	switch {
	case begun && it.reverse:
		return it.IterG.Prev()
	case begun:
		return it.IterG.Next()
	case it.reverse && it.bounded && it.seek(it.hi):
		return it.IterG.Prev()
	case it.reverse:
		return it.Last()
	}
	return it.seek(it.lo)
}

func (it *iterator) seek(key string) bool { return it.Seek(entryOf(&cell{key: key})) }

// inside reports whether the iterator is still in its range.
func (it *iterator) inside() bool {
	key := it.Item().key
	if it.reverse {
		return key >= it.lo
	}
	return !it.bounded || key < it.hi
}

// Key implements kv.Iterator.
func (it *iterator) Key() []byte { return bytesOf(it.Item().key) }

// Value implements kv.Iterator.
func (it *iterator) Value() []byte { return it.Item().value() }

// Close implements kv.Iterator.
func (it *iterator) Close() error { return nil }
