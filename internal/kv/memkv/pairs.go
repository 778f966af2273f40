package memkv

import (
	"encoding/binary"
	"hash/maphash"
	"sync/atomic"
	"unsafe"
)

// A block is the first byte of a pair's memory, which never changes: the lengths of the key and of the value, the key, the value. Beside
// the cell a pair is one object, which the collector need not look into.
type block byte

const blockHeader = 8

// newBlock returns a copy of a pair.
func newBlock(key, val []byte) *block {
	b := make([]byte, blockHeader, blockHeader+len(key)+len(val))
	binary.LittleEndian.PutUint32(b, uint32(len(key)))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(val)))
	return (*block)(unsafe.SliceData(append(append(b, key...), val...)))
}

// lens returns the lengths of the key and of the value.
func (b *block) lens() (key, val int) {
	head := (*[blockHeader]byte)(unsafe.Pointer(b))
	return int(binary.LittleEndian.Uint32(head[:])), int(binary.LittleEndian.Uint32(head[4:]))
}

func (b *block) key() string {
	n, _ := b.lens()
	return text(unsafe.Slice((*byte)(b), blockHeader+n)[blockHeader:])
}

// value returns the value, not nil even if it is empty.
func (b *block) value() []byte {
	k, v := b.lens()
	size := blockHeader + k + v
	return unsafe.Slice((*byte)(b), size)[blockHeader+k : size : size]
}

// A cell holds the pair of one key. Another block may take the place of its own while somebody looks at the key, which is the same.
type cell struct {
	block atomic.Pointer[block]
	epoch uint64 // in which it was put
	next  *cell  // of the keys with the same hash; guarded by DB.mu
}

func newCell(b *block, epoch uint64, next *cell) *cell {
	c := &cell{epoch: epoch, next: next}
	c.block.Store(b)
	return c
}

func (c *cell) key() string   { return c.block.Load().key() }
func (c *cell) value() []byte { return c.block.Load().value() }

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
	if c := p.find(p.hash(key), text(key)); c != nil {
		return c.value()
	}
	return nil
}

func (p *pairs) hash(key []byte) uint64 { return maphash.Bytes(p.seed, key) }

// find returns the cell of a key with its hash.
func (p *pairs) find(hash uint64, key string) *cell {
	c := p.cells[hash]
	for c != nil && c.key() != key {
		c = c.next
	}
	return c
}

// put puts a pair.
func (p *pairs) put(b *block) {
	p.snap = nil
	key := b.key()
	hash := p.hash(bytesOf(key))
	old := p.find(hash, key)
	switch {
	case old == nil:
		c := newCell(b, p.epoch, p.cells[hash])
		p.cells[hash] = c
		p.change(c, false)
	case old.epoch == p.epoch:
		old.block.Store(b)
	default:
		c := newCell(b, p.epoch, old.next)
		p.replace(hash, old, c)
		p.change(c, false)
	}
}

func (p *pairs) delete(key []byte) {
	hash := p.hash(key)
	c := p.find(hash, text(key))
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

// text returns b's bytes as a string, which lasts as long as b is not changed.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s's bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
