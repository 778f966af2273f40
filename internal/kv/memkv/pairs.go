package memkv

import (
	"unsafe"

	"github.com/tidwall/btree"
)

// A tree holds pairs in order. What it holds is never changed, only replaced, so that it may be handed out; a copy of it costs
// nothing until one of both is changed.
type tree = btree.Map[string, *cell]

// A cell holds the value of one key.
type cell struct {
	key   string
	val   []byte
	epoch uint64 // in which it was put into the tree
}

// pairs are an ordered map of bytes: the tree, and an index of its cells by key. To find a key in the tree takes a dozen cache misses,
// in the index three.
type pairs struct {
	tree  tree
	index map[string]*cell

	// snap is a copy of the tree, if it has not changed since. Whenever one is made an epoch begins. Cells of the present epoch
	// are in no copy, so their values may be replaced in place.
	snap  *tree
	epoch uint64
}

func newPairs() pairs { return pairs{index: map[string]*cell{}} }

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
	p.tree.Set(name, c)
}

// name returns the key as a string: that of the cell which has been there, if one has.
func (p *pairs) name(old *cell, key []byte) string {
	if old != nil {
		return old.key
	}
	return string(key)
}

func (p *pairs) delete(key []byte) {
	if _, ok := p.index[string(key)]; !ok {
		return
	}
	p.snap = nil
	delete(p.index, string(key))
	p.tree.Delete(text(key))
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
	p.tree.Ascend(text(lo), func(key string, _ *cell) bool {
		switch {
		case key >= text(hi):
			return false
		case len(keys) == limit:
			next = bytesOf(key)
			return false
		}
		keys = append(keys, bytesOf(key))
		return true
	})
	return keys, next
}

// text returns b's bytes as a string, which lasts as long as b is not changed.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s's bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
