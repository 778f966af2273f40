package pebblekv

import (
	"bytes"
	"encoding/binary"

	"github.com/maypok86/otter/v2"
)

// values keeps in memory what views have read: to find a value there takes a tenth of what it takes Pebble.
//
// What is kept is current and durable. A reader keeps what it read only if the key's mark is still that of a commit that was
// durable before it read: so there is no commit that it may have missed, or that could still be taken back. A commit raises
// the marks of its keys, then drops their values, and only then becomes visible: whoever would keep an older value after that
// finds the mark raised.
type values struct {
	cache *otter.Cache[uint64, entry] // by hash: of keys that share one the last is kept
}

// An entry is a copy of a pair: the length of the key in two bytes, the key, the value. It never changes.
type entry []byte

const (
	// maxKept is the size from which on copying a pair costs more than looking it up.
	maxKept = 8 << 10
	// overhead is about what the cache needs beside an entry.
	overhead = 128
)

func newValues(bytes int64) *values {
	return &values{otter.Must(&otter.Options[uint64, entry]{
		MaximumWeight: uint64(max(1, bytes)),
		Weigher:       func(_ uint64, e entry) uint32 { return uint32(overhead + len(e)) },
		Executor:      func(f func()) { f() }, // no goroutine that nobody waits for
	})}
}

func newEntry(key, val []byte) entry {
	e := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(key)+len(val)), uint16(len(key)))
	return append(append(e, key...), val...)
}

// value returns the value of an entry whose key has that length.
func (e entry) value(keyLen int) []byte { return e[2+keyLen : len(e) : len(e)] }

// get returns the value under key, whose hash is h, if it is kept.
func (c *values) get(h uint64, key []byte) ([]byte, bool) {
	e, ok := c.cache.GetIfPresent(h)
	if !ok || int(binary.BigEndian.Uint16(e)) != len(key) || string(e[2:2+len(key)]) != string(key) {
		return nil, false
	}
	return e.value(len(key)), true
}

// keep returns a copy of a value, which it keeps if no commit after that with the number durable has announced a change of
// the key.
func (c *values) keep(h uint64, key, val []byte, marks *marks, durable uint64) []byte {
	if len(key)+len(val) > maxKept {
		return bytes.Clone(val)
	}
	e := newEntry(key, val)
	c.cache.Compute(h, func(entry, bool) (entry, otter.ComputeOp) {
		if marks.key(h) > durable {
			return nil, otter.CancelOp
		}
		return e, otter.WriteOp
	})
	return e.value(len(key))
}

// drop forgets the value of a key that a commit is about to change.
func (c *values) drop(h uint64) { c.cache.Invalidate(h) }

// clear forgets everything.
func (c *values) clear() { c.cache.InvalidateAll() }
