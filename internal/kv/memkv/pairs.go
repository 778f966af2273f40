package memkv

import (
	"hash/maphash"
	"unsafe"
)

// A cell holds the value of one key.
type cell struct {
	key   string
	val   string
	epoch uint64 // in which it was put
	next  *cell  // of the keys with the same hash; guarded by DB.mu
}

// pairs are a map of bytes, and what its order does not know yet.
type pairs struct {
	// cells holds the first cell of each hash. A map by hashes has half the memory of one by keys, and need not look at the keys, each a
	// cache miss, when it grows.
	cells map[uint64]*cell
	seed  maphash.Seed
	late  []change

	// snap is a copy of the tree with all that is here, if there is one. Whenever one is made an epoch begins. Cells of the present
	// epoch are in no copy, so their values may be replaced in place, and the tree is not touched.
	snap  *tree
	epoch uint64
}

func newPairs() pairs { return pairs{cells: map[uint64]*cell{}, seed: maphash.MakeSeed()} }

// get returns the value under key, nil if there is none.
func (p *pairs) get(key []byte) []byte {
	if c := p.find(p.hash(key), key); c != nil {
		return c.value()
	}
	return nil
}

func (p *pairs) hash(key []byte) uint64 { return maphash.Bytes(p.seed, key) }

// find returns the cell of a key with its hash.
func (p *pairs) find(hash uint64, key []byte) *cell {
	c := p.cells[hash]
	for c != nil && c.key != string(key) {
		c = c.next
	}
	return c
}

// put puts a copy of key, and val itself.
func (p *pairs) put(key []byte, val string) {
	p.snap = nil
	hash := p.hash(key)
	old := p.find(hash, key)
	switch {
	case old == nil:
		c := &cell{string(key), val, p.epoch, p.cells[hash]}
		p.cells[hash] = c
		p.change(c, false)
	case old.epoch == p.epoch:
		old.val = val
	default:
		c := &cell{old.key, val, p.epoch, old.next}
		p.replace(hash, old, c)
		p.change(c, false)
	}
}

func (p *pairs) delete(key []byte) {
	hash := p.hash(key)
	c := p.find(hash, key)
	if c == nil {
		return
	}
	p.snap = nil
	p.replace(hash, c, c.next)
	p.change(c, true)
}

// replace puts c, nil for none, in the place of old.
func (p *pairs) replace(hash uint64, old, c *cell) {
	before := p.cells[hash]
	switch {
	case before != old:
		for before.next != old {
			before = before.next
		}
		before.next = c
	case c == nil:
		delete(p.cells, hash)
	default:
		p.cells[hash] = c
	}
}

func (p *pairs) change(c *cell, gone bool) {
	p.late = append(p.late, change{entryOf(c), int32(len(p.late)), gone})
}

// value returns the value, not nil even if it is empty.
func (c *cell) value() []byte {
	if c.val == "" {
		return []byte{}
	}
	return bytesOf(c.val)
}

// text returns b's bytes as a string, which lasts as long as b is not changed.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s's bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
