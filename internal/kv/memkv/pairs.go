package memkv

import (
	"encoding/binary"
	"unsafe"

	"github.com/tidwall/btree"
)

// A tree holds pairs in order. What it holds is never changed, only replaced, so that it may be handed out; a copy of it costs
// nothing until one of both is changed.
type tree = btree.BTreeG[entry]

func newTree() *tree { return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}) }

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

// A cell holds the value of one key.
type cell struct {
	key   string
	val   []byte
	epoch uint64 // in which it was put into the tree
}

// pairs are an ordered map of bytes: the tree, and an index of its cells by key. To find a key in the tree takes a dozen cache misses,
// in the index three.
type pairs struct {
	tree  *tree
	index map[string]*cell

	// snap is a copy of the tree, if it has not changed since. Whenever one is made an epoch begins. Cells of the present epoch
	// are in no copy, so their values may be replaced in place.
	snap  *tree
	epoch uint64
}

func newPairs() pairs { return pairs{tree: newTree(), index: map[string]*cell{}} }

// get returns the value under key, nil if there is none.
func (p *pairs) get(key []byte) []byte {
	if c := p.index[string(key)]; c != nil {
		return c.val
	}
	return nil
}

// put puts copies of key and val.
func (p *pairs) put(key, val []byte) {
	p.snap = nil
	own := make([]byte, len(val)) // not nil, even if it is empty
	copy(own, val)
	c := p.index[string(key)]
	if c != nil && c.epoch == p.epoch {
		c.val = own
		return
	}
	name := p.name(c, key)
	c = &cell{name, own, p.epoch}
	p.index[name] = c
	p.tree.Set(entryOf(c))
}

// name returns the key as a string: that of the cell which has been there, if one has.
func (p *pairs) name(old *cell, key []byte) string {
	if old != nil {
		return old.key
	}
	return string(key)
}

func (p *pairs) delete(key []byte) {
	c := p.index[string(key)]
	if c == nil {
		return
	}
	p.snap = nil
	delete(p.index, c.key)
	p.tree.Delete(entryOf(c))
}

// snapshot returns the tree as it is now. It is read without a lock.
func (p *pairs) snapshot() *tree {
	if p.snap == nil {
		p.snap = p.tree.Copy()
		p.epoch++
	}
	return p.snap
}

// first returns the first limit keys in [lo, hi), and where to go on: at hi if these were all.
func (p *pairs) first(limit int, lo, hi []byte) (keys [][]byte, next []byte) {
	next = hi
	p.tree.Ascend(entryOf(&cell{key: text(lo)}), func(e entry) bool {
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

// text returns b's bytes as a string, which lasts as long as b is not changed.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s's bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
