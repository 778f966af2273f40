package memkv

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"
)

// order keeps the cells of pairs in the order of their keys. It lags behind them: to put one key into a large tree takes a dozen cache
// misses, which keys put together, in their order, share. So changes wait (pairs.late) until there are many or somebody needs the order.
// Those who write meanwhile wait for none of that.
type order struct {
	mu   sync.Mutex // locked before DB.mu
	tree *tree
	late []change // memory to exchange for that of pairs.late
}

// A tree holds pairs in order. What it holds is never changed, only replaced, so that it may be handed out; a copy of it costs
// nothing until one of both is changed.
type tree = btree.BTreeG[entry]

func newTree() *tree { return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}) }

// lateMost is how many changes wait for the order.
const lateMost = 4096

// A change is a cell that has been put or, if it is gone, deleted.
type change struct {
	entry
	number int32 // of changes to one key the last counts
	gone   bool
}

func (c *change) compare(d *change) int {
	if c.digest != d.digest {
		return cmp.Compare(c.digest, d.digest)
	}
	if by := strings.Compare(c.key, d.key); by != 0 {
		return by
	}
	return int(c.number - d.number)
}

// add makes the changes.
func (o *order) add(late []change) {
	slices.SortFunc(late, func(a, b change) int { return a.compare(&b) })
	var hint btree.PathHint
	for i := range late {
		if c := &late[i]; c.gone {
			o.tree.DeleteHint(c.entry, &hint)
		} else {
			o.tree.SetHint(c.entry, &hint)
		}
	}
	clear(late)
	o.late = late[:0]
}

// first returns the first limit keys in [lo, hi), and where to go on: at hi if these were all.
func (o *order) first(limit int, lo, hi []byte) (keys [][]byte, next []byte) {
	next = hi
	o.tree.Ascend(entryOf(&cell{key: text(lo)}), func(e entry) bool {
		switch {
		case e.key >= text(hi):
			return false
		case len(keys) == limit:
			next = bytesOf(e.key)
			return false
		}
		keys = append(keys, bytesOf(e.key))
		return true
	})
	return keys, next
}

// An entry is a cell in a tree. Its digest, of which most comparisons are made, saves them the cache miss of looking at the key.
type entry struct {
	digest uint64
	*cell
}

func entryOf(c *cell) entry { return entry{digest(c.key), c} }

func less(a, b entry) bool {
	if a.digest != b.digest {
		return a.digest < b.digest
	}
	return a.key < b.key
}

// digest returns a number that is never smaller for a greater key. It is made for keys of rows: a kind, a table, an index, and what tells
// partitions apart, at the offsets that package keys gives them. Numbers that are too large for it are all the same to it.
func digest(key string) uint64 {
	var b [15]byte
	copy(b[:], key)
	kind, table := uint64(b[0])<<56, binary.BigEndian.Uint64(b[1:9])
	if table >= 0xffff {
		return kind | 0xffff<<40
	}
	index := uint64(binary.BigEndian.Uint16(b[9:11]))
	if index >= 0xff {
		return kind | table<<40 | 0xff<<32
	}
	return kind | table<<40 | index<<32 | uint64(binary.BigEndian.Uint32(b[11:15]))
}
