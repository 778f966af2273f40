package memkv

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// An entry is a cell in a tree. Its digest, of which most comparisons are made, saves them the cache misses of looking at the key.
type entry struct {
	digest uint64
	*cell
}

func entryOf(c *cell) entry { return entry{digest(c.key()), c} }

func less(a, b entry) bool {
	if a.digest != b.digest {
		return a.digest < b.digest
	}
	return a.key() < b.key()
}

// digest returns a number that is never smaller for a greater key. It is made for keys of rows: a kind, a table, an index, and what tells
// partitions apart, at the offsets that package keys gives them. Numbers that are too large for it are all the same to it.
func digest(key string) uint64 {
	const most = rowPrefix + 4
	if len(key) < most {
		var b [most]byte
		return digest(string(append(b[:0], key...)[:most]))
	}
	b := bytesOf(key)
	kind, table := uint64(b[0])<<56, binary.BigEndian.Uint64(b[1:])
	if table >= 0xffff {
		return kind | 0xffff<<40
	}
	index := uint64(binary.BigEndian.Uint16(b[9:]))
	if index >= 0xff {
		return kind | table<<40 | 0xff<<32
	}
	return kind | table<<40 | index<<32 | uint64(binary.BigEndian.Uint32(b[11:]))
}

// rowPrefix is the length of what all rows of a table or an index begin with.
const rowPrefix = 1 + 8 + 2

// first returns the first entry under n, with a digest of the whole key.
func (n *node) first() entry {
	if n.lowest.cell != n.entries[0].cell {
		n.lowest = entryOf(n.entries[0].cell)
	}
	return n.lowest
}

// digest returns the digest that a key, which has the prefix, has in n.
func (n *node) digest(key string) uint64 {
	if n.prefix == "" {
		return digest(key)
	}
	rest := key[len(n.prefix):]
	if len(rest) >= 8 {
		return binary.BigEndian.Uint64(bytesOf(rest))
	}
	var b [8]byte
	copy(b[:], rest)
	return binary.BigEndian.Uint64(b[:])
}

// search returns the place, not before from, of the first entry that is not less than key, and whether it has that key.
func (n *node) search(from int, key string) (at int, found bool) {
	to := len(n.entries)
	if !strings.HasPrefix(key, n.prefix) {
		if key > n.prefix {
			from = to
		}
		return from, false
	}
	digest := n.digest(key)
	for from < to {
		mid := int(uint(from+to) >> 1)
		by := 0
		if e := n.entries[mid]; e.digest != digest {
			by = cmp.Compare(e.digest, digest)
		} else {
			by = strings.Compare(e.key(), key)
		}
		switch {
		case by == 0:
			return mid, true
		case by < 0:
			from = mid + 1
		default:
			to = mid
		}
	}
	return from, false
}

// insert puts a cell, whose key n does not have yet, at its place.
func (n *node) insert(at int, c *cell) {
	key := c.key()
	n.widen(key)
	n.entries = slices.Insert(n.entries, at, entry{n.digest(key), c})
}

// widen shortens the prefix of n to one that key has too.
func (n *node) widen(key string) {
	if !strings.HasPrefix(key, n.prefix) {
		n.setPrefix(n.prefix[:common(n.prefix, key)])
	}
}

// sharpen gives n a longer prefix if its digests do not tell its keys apart. Keys of one partition, or of one hash, have much in common: to
// find the place of one among those with its digest takes cache misses for each that it is compared with.
func (n *node) sharpen() {
	for i := 1; i < len(n.entries); i++ {
		if n.entries[i-1].digest != n.entries[i].digest {
			continue
		}
		first, last := n.entries[0].key(), n.entries[len(n.entries)-1].key()
		if p := common(first, last); p > len(n.prefix) {
			n.setPrefix(strings.Clone(first[:p]))
		}
		return
	}
}

// setPrefix makes the digests of n anew. One that does not reach into what tells rows apart is of no use.
func (n *node) setPrefix(prefix string) {
	if len(prefix) < rowPrefix {
		prefix = ""
	}
	if n.prefix == prefix {
		return
	}
	n.prefix = prefix
	for i := range n.entries {
		n.entries[i].digest = n.digest(n.entries[i].key())
	}
}

// common returns how many bytes a and b both begin with.
func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
