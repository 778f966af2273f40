package pebblekv

import (
	"sync/atomic"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/kv/latch"
)

const (
	stripes      = 4096 // of keys, and of item collections
	spaceStripes = 1024 // of tables and indexes, for scans
)

// marks remember, by stripe, the number of the newest commit that changed a key.
//
// A commit raises the marks of all keys it changes before it becomes visible. So a reader that loads a mark after it has
// read finds at least the number of the commit whose value, or whose deletion, it saw. Marks are shared by many
// keys; a reader may then wait for a commit that it did not see, which only delays it.
type marks struct {
	keys        [stripes]atomic.Uint64      // by the key
	collections [stripes]atomic.Uint64      // by the key's item collection, for scans within one
	spaces      [spaceStripes]atomic.Uint64 // by the key's table and index, for other scans
	ranges      atomic.Uint64               // range deletions, which may have changed any key
}

func hash(key []byte) uint64 { return latch.Hash(key) }

// raise marks a key, whose hash is h, as changed by commit n.
func (m *marks) raise(key []byte, h, n uint64) {
	raise(&m.keys[h%stripes], n)
	if space := keys.Space(key); space != nil {
		raise(&m.spaces[hash(space)%spaceStripes], n)
	}
}

func raise(mark *atomic.Uint64, n uint64) {
	for {
		old := mark.Load()
		if old >= n || mark.CompareAndSwap(old, n) {
			return
		}
	}
}

// key returns the mark of the key whose hash is h.
func (m *marks) key(h uint64) uint64 {
	return max(m.keys[h%stripes].Load(), m.ranges.Load())
}

// collection returns the mark of the item collection (see keys.CollectionOf) whose hash is h.
func (m *marks) collection(h uint64) uint64 {
	return max(m.collections[h%stripes].Load(), m.ranges.Load())
}

// space returns the mark of a range if it lies within one table or index.
func (m *marks) space(r kv.Range) (n uint64, ok bool) {
	space := keys.Space(r.Lo)
	if space == nil || !keys.Within(space, r.Lo, r.Hi) {
		return 0, false
	}
	return max(m.spaces[hash(space)%spaceStripes].Load(), m.ranges.Load()), true
}
