package memkv

import "unsafe"

// A cell holds the value of one key.
type cell struct {
	key   string
	val   []byte
	epoch uint64 // in which it was put
}

// pairs are a map of bytes, and what its order does not know yet.
type pairs struct {
	index map[string]*cell
	late  []change

	// snap is a copy of the tree with all that is here, if there is one. Whenever one is made an epoch begins. Cells of the present
	// epoch are in no copy, so their values may be replaced in place, and the tree is not touched.
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

// put puts a copy of key, and val itself.
func (p *pairs) put(key, val []byte) {
	p.snap = nil
	c := p.index[string(key)]
	if c != nil && c.epoch == p.epoch {
		c.val = val
		return
	}
	name := p.name(c, key)
	c = &cell{name, val, p.epoch}
	p.index[name] = c
	p.change(c, false)
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
	p.change(c, true)
}

func (p *pairs) change(c *cell, gone bool) {
	p.late = append(p.late, change{entryOf(c), int32(len(p.late)), gone})
}

// owned returns a copy of val that is not nil, even if it is empty.
func owned(val []byte) []byte {
	own := make([]byte, len(val))
	copy(own, val)
	return own
}

// text returns b's bytes as a string, which lasts as long as b is not changed.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s's bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
