package pebblekv

import (
	"bytes"
	"encoding/binary"
	"sync"
)

// values keeps in memory what views have read and what has replaced what updates read: to find a value there takes a tenth of what it takes Pebble.
//
// What is kept is current and durable. A reader keeps what it read only if the key's mark is still that of a commit that was
// durable before it read: so there is no commit that it may have missed, or that could still be taken back. A commit raises
// the marks of its keys, then drops their values, and only then becomes visible: whoever would keep an older value after that
// finds the mark raised. By the same rule a writer keeps what it wrote, once that and all before it are durable, if no later commit
// has raised the mark.
//
// A library was tried first (otter, which admits by frequency). Its bookkeeping costs several cache misses for each read, as much
// as everything else here together.
type values struct{ shards [valueShards]valueShard }

const valueShards = 64

// A valueShard holds the values of some keys, by their hashes: of keys that share one the last is kept.
type valueShard struct {
	mu sync.Mutex
	clock[entry]
}

// An entry is a copy of a pair: whether it was used, the length of the key in two bytes, the key, the value.
type entry []byte

const (
	entryHeader = 3
	// entryOverhead is about what a shard needs beside an entry.
	entryOverhead = 80
	// maxKept is the size from which on copying a pair costs more than looking it up.
	maxKept = 8 << 10
)

func newEntry(key, val []byte) entry {
	e := make([]byte, 1, entryHeader+len(key)+len(val))
	e = binary.BigEndian.AppendUint16(e, uint16(len(key)))
	return append(append(e, key...), val...)
}

func (e entry) holds(key []byte) bool {
	n := entryHeader + len(key)
	return len(e) >= n && int(binary.BigEndian.Uint16(e[1:])) == len(key) && string(e[entryHeader:n]) == string(key)
}

// value returns the value of an entry whose key has that length. It never changes.
func (e entry) value(keyLen int) []byte { return e[entryHeader+keyLen : len(e) : len(e)] }

// size implements clocked.
func (e entry) size() int { return len(e) + entryOverhead }

// spare implements clocked.
func (e entry) spare() bool {
	used := e[0] != 0
	e[0] = 0
	return used
}

func newValues(bytes int64) *values {
	c := new(values)
	for i := range c.shards {
		c.shards[i].clock = newClock[entry](int(bytes / valueShards))
	}
	return c
}

// shard returns the shard of a hash, by bits that do not choose the stripe of a mark.
func (c *values) shard(h uint64) *valueShard { return &c.shards[h>>58] }

// get returns the value under key, whose hash is h, if it is kept.
func (c *values) get(h uint64, key []byte) ([]byte, bool) {
	s := c.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.kept[h]
	if !ok || !e.holds(key) {
		return nil, false
	}
	e[0] = 1
	return e.value(len(key)), true
}

// keep returns a copy of a value that all commits up to n, which are durable, have left under key. It keeps the copy if no later commit has announced a
// change of the key.
func (c *values) keep(h uint64, key, val []byte, marks *marks, n uint64) []byte {
	if len(key)+len(val) > maxKept {
		return bytes.Clone(val)
	}
	e := newEntry(key, val)
	s := c.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if marks.key(h) <= n {
		s.put(h, e)
	}
	return e.value(len(key))
}

// drop forgets the value of a key that a commit is about to change.
func (c *values) drop(h uint64) {
	s := c.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.drop(h)
}

// clear forgets everything.
func (c *values) clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.clear()
		s.mu.Unlock()
	}
}
