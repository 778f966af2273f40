package pebblekv

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv/keys"
)

// crowds remember in which tables and indexes iterators have met many versions of a key, as a memtable holds of a counter that is
// updated all the time. Pebble's Next walks over them all. NextPrefix seeks past them (the whole key is the prefix here), but
// takes up to a half longer than Next over keys of one version. So iterators use Next until one has met a crowd, and NextPrefix from
// then on until the memtable has been flushed, which keeps one version of each key. (Backwards there is no such way.)
type crowds [spaceStripes]atomic.Bool

// of returns what is known of the table or index that key is in, and of those that share its stripe.
func (c *crowds) of(key []byte) *atomic.Bool {
	return &c[hash(keys.Space(key))%spaceStripes]
}

// clear forgets all.
func (c *crowds) clear() {
	for i := range c {
		c[i].Store(false)
	}
}

// crowd is how many steps make one beside twice those that were asked for.
const crowd = 64

// metCrowd reports whether the iterator has walked over many versions, or over many keys that were deleted.
func metCrowd(it *pebble.Iterator) bool {
	n := it.Stats().ForwardStepCount
	return n[pebble.InternalIterCall] > 2*n[pebble.InterfaceCall]+crowd
}
