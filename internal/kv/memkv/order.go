package memkv

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// order keeps the cells of pairs in the order of their keys. It lags behind them: to put one key into a large tree takes a dozen cache
// misses, which keys put together, in their order, share. So changes wait (pairs.late) until there are many. Then they are sorted, and each
// of the writes that follow makes a few of them, so that none has to wait for all. Whoever needs the order makes all there are.
type order struct {
	mu     sync.Mutex // locked before DB.mu
	tree   *tree
	sorted []change     // to be made next
	owed   atomic.Int64 // how many these are
	room   []change     // their memory and that of those that have been made
	late   []change     // memory to exchange for that of pairs.late
}

const (
	// lateMost is how many changes wait for the order. The more there are, the more of them share a leaf; to make this many takes some
	// milliseconds, for which a scan may have to wait.
	lateMost = 16384
	// owedLeast is how many of them are worth making.
	owedLeast = 64
)

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
	if by := strings.Compare(c.key(), d.key()); by != 0 {
		return by
	}
	return int(d.number - c.number)
}

// add makes all changes that wait, and then these.
func (o *order) add(late []change) {
	o.settle(len(o.sorted))
	o.sort(late)
	o.settle(len(o.sorted))
}

// sort takes changes to be made. There are no others.
func (o *order) sort(late []change) {
	slices.SortFunc(late, func(a, b change) int { return a.compare(&b) })
	o.room = late
	o.sorted = slices.CompactFunc(late, func(a, b change) bool { return a.digest == b.digest && a.key() == b.key() })
	o.owed.Store(int64(len(o.sorted)))
}

// settle makes up to limit of the changes that wait.
func (o *order) settle(limit int) {
	n := min(limit, len(o.sorted))
	fetch(o.sorted[:n])
	o.tree.apply(o.sorted[:n])
	clear(o.sorted[:n]) // of what is gone this was the last to know
	o.sorted = o.sorted[n:]
	o.owed.Store(int64(len(o.sorted)))
	if len(o.sorted) == 0 {
		clear(o.room)
		o.late, o.room, o.sorted = o.room[:0], nil, nil
	}
}

// fetch looks at the keys of changes. Each is two cache misses, for which the processor waits if it has something to decide by it. Those of
// several keys in a row it waits for together.
func fetch(changes []change) {
	for i := range changes {
		_ = changes[i].key()[0]
	}
}

// first returns the first limit keys in [lo, hi), and where to go on: at hi if these were all.
func (o *order) first(limit int, lo, hi []byte) (keys [][]byte, next []byte) {
	var c cursor
	c.seek(o.tree, text(lo), false)
	for c.step(false) {
		key := c.entry().key()
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
