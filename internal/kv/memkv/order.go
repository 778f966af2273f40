package memkv

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// order keeps the cells of pairs in the order of their keys. It lags behind them: to put one key into a large tree takes a dozen cache
// misses, which keys put together, in their order, share. So changes wait (pairs.late) until there are many or somebody needs the order.
// Those who write meanwhile wait for none of that.
type order struct {
	mu   sync.Mutex // locked before DB.mu
	tree *tree
	late []change // memory to exchange for that of pairs.late
}

// lateMost is how many changes wait for the order. The more there are, the more of them share a leaf; to make this many takes some
// milliseconds, for which the write that comes upon the last or the scan that asks for them has to wait.
const lateMost = 16384

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
	return int(d.number - c.number)
}

// add makes the changes.
func (o *order) add(late []change) {
	slices.SortFunc(late, func(a, b change) int { return a.compare(&b) })
	o.tree.apply(slices.CompactFunc(late, func(a, b change) bool { return a.is(b.entry) }))
	clear(late)
	o.late = late[:0]
}

// first returns the first limit keys in [lo, hi), and where to go on: at hi if these were all.
func (o *order) first(limit int, lo, hi []byte) (keys [][]byte, next []byte) {
	var c cursor
	c.seek(o.tree, entryOf(&cell{key: text(lo)}), false)
	for c.step(false) {
		key := c.entry().key
		switch {
		case key >= text(hi):
			return keys, hi
		case len(keys) == limit:
			return keys, bytesOf(key)
		}
		keys = append(keys, bytesOf(key))
	}
	return keys, hi
}
