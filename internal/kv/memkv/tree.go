package memkv

import (
	"unsafe"

	"github.com/tidwall/btree"
)

// A tree is an ordered map of bytes. The B-tree's keys are strings, since it compares those without calling anybody; a string and
// its value are one piece of memory, and what the tree holds is never changed, so that both may be handed out.
type tree struct {
	m *btree.Map[string, []byte]
}

func newTree() tree { return tree{new(btree.Map[string, []byte])} }

// copy returns a tree that holds what t does now. It takes no time; t copies nodes later, when it changes them.
func (t tree) copy() *tree { return &tree{t.m.Copy()} }

// get returns the value under key, nil if there is none.
func (t tree) get(key []byte) []byte {
	val, _ := t.m.Get(text(key))
	return val
}

// put puts copies of key and val.
func (t tree) put(key, val []byte) {
	pair := make([]byte, len(key)+len(val))
	n := copy(pair, key)
	copy(pair[n:], val)
	t.m.Set(text(pair[:n]), pair[n:len(pair):len(pair)])
}

func (t tree) delete(key []byte) { t.m.Delete(text(key)) }

// keys returns the first limit keys in [lo, hi), and where to go on: at hi if these were all.
func (t tree) keys(lo, hi []byte, limit int) (found [][]byte, next []byte) {
	next = hi
	t.m.Ascend(text(lo), func(key string, _ []byte) bool {
		switch {
		case key >= text(hi):
			return false
		case len(found) == limit:
			next = bytesOf(key)
			return false
		}
		found = append(found, bytesOf(key))
		return true
	})
	return found, next
}

// text returns b's bytes as a string, which lasts as long as b is not changed.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s's bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
