package store

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A staging is what one update plans and stages, in memory that later updates use again: an engine keeps nothing of it. It is used
// from the plan until Engine.Update returns.
type staging struct {
	*kv.Batch           // what the engine is to apply
	now       time.Time // of this run; the zero Time if nothing has asked for it

	one    [1]Write // of an Apply
	effect [1]Effect

	keys  [][]byte // of the rows
	fence []kv.Fence
	piece []byte // the last piece of the memory, as far as it is in use
}

var stagings = sync.Pool{New: func() any { return new(staging) }}

// keptPiece bounds the memory that is kept for later updates.
const keptPiece = 64 << 10

func newStaging() *staging { return stagings.Get().(*staging) }

// release gives g back.
func (g *staging) release() {
	clear(g.keys)
	clear(g.fence)
	if cap(g.piece) > keptPiece {
		g.piece = nil
	}
	*g = staging{keys: g.keys[:0], fence: g.fence[:0], piece: g.piece[:0]}
	stagings.Put(g)
}

// begin makes g ready for a run of an update.
func (g *staging) begin(b *kv.Batch) { g.Batch, g.now = b, time.Time{} }

// room returns memory to append n bytes to. Beyond them append finds other memory.
func (g *staging) room(n int) []byte {
	at := len(g.piece)
	if cap(g.piece)-at < n {
		g.piece, at = make([]byte, 0, max(n, min(2*cap(g.piece), keptPiece))), 0
	}
	g.piece = g.piece[:at+n]
	return g.piece[at : at : at+n]
}

// keyRoom is room for most keys.
const keyRoom = 64

// plan declares the rows of the writes and the definitions that they were planned with.
func (g *staging) plan(writes []Write) kv.Txn {
	g.keys, g.fence = g.keys[:0], g.fence[:0]
	for i := range writes {
		g.keys = append(g.keys, writes[i].Table.AppendRowKey(g.room(keyRoom), writes[i].Key))
	}
	return kv.Txn{Keys: g.keys, Fence: g.fences(writes)}
}

func (g *staging) fences(writes []Write) []kv.Fence {
	var last *table.Definition
	for i := range writes {
		d := writes[i].Table
		if d == last {
			continue
		}
		last = d
		f := d.Fence()
		if !slices.ContainsFunc(g.fence, func(known kv.Fence) bool { return bytes.Equal(known.Key, f.Key) }) {
			g.fence = append(g.fence, f)
		}
	}
	return g.fence
}

// putRow puts an item or an entry of an index.
func (g *staging) putRow(key []byte, stamp row.Stamp, size int, it attr.Item) {
	g.Put(key, row.Append(g.room(len(it)+row.Overhead), stamp, size, it))
}

// count keeps the counters of a table or index exact.
func (g *staging) count(number uint64, index uint16, was, is bool, oldSize, newSize int) {
	if was != is {
		n := int64(1)
		if was {
			n = -1
		}
		g.Add(keys.AppendCounter(g.room(keys.CounterLen), number, index, keys.Items), n)
	}
	if oldSize != newSize {
		g.Add(keys.AppendCounter(g.room(keys.CounterLen), number, index, keys.Bytes), int64(newSize-oldSize))
	}
}

// sum makes one addition to each counter of several: they are mostly those of the table. Engines put away each by itself.
func (g *staging) sum() {
	sums, at := g.Adds[:0], 0 // writes add to the same counters in the same order, so the next is mostly the one after the last
	for _, a := range g.Adds {
		if at = find(sums, a.Key, at); at < len(sums) {
			sums[at].Delta += a.Delta
		} else {
			sums = append(sums, a)
		}
		at++
	}
	g.Adds = sums
}

// find returns the place of the counter, looking from some place on and then from the start; len(adds) if it is not there.
func find(adds []kv.Add, key []byte, from int) int {
	same := func(a kv.Add) bool { return bytes.Equal(a.Key, key) }
	from = min(from, len(adds))
	if i := slices.IndexFunc(adds[from:], same); i >= 0 {
		return from + i
	}
	if i := slices.IndexFunc(adds[:from], same); i >= 0 {
		return i
	}
	return len(adds)
}
