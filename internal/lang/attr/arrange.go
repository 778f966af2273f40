package attr

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// A span is where an entry of a map or a set stands in a Decoder's buffer, and its key: the name of the attribute, or the
// content of the member. Spans are moved when they are sorted, so they are small: a buffer has less than 4 GB.
type span struct {
	first                   uint64 // bytes of the key, by which most keys are told apart
	start, key, keyEnd, end uint32
}

func (d *Decoder) key(s *span) []byte { return d.buf[s.key:s.keyEnd] }

// leading returns the first eight bytes of a key as a number whose order is theirs; a shorter key counts as if zeros followed.
func leading(key []byte) uint64 {
	n := len(key)
	if cap(key) < 8 {
		var b [8]byte
		copy(b[:], key)
		return binary.BigEndian.Uint64(b[:])
	}
	first := binary.BigEndian.Uint64(key[:8])
	if n < 8 {
		first &^= 1<<(64-8*n) - 1 // what comes behind the key
	}
	return first
}

// compare orders spans by their keys.
func (d *Decoder) compare(a, b *span) int {
	if a.first != b.first {
		if a.first < b.first {
			return -1
		}
		return 1
	}
	return bytes.Compare(d.key(a), d.key(b))
}

// after reports whether the key of a comes after that of b.
func (d *Decoder) after(a, b *span) bool {
	return a.first > b.first || a.first == b.first && d.compare(a, b) > 0
}

// ascending reports whether the keys are in ascending order and no two are equal.
func (d *Decoder) ascending(entries []span) bool {
	for i := 1; i < len(entries); i++ {
		if entries[i-1].first >= entries[i].first && d.compare(&entries[i-1], &entries[i]) >= 0 {
			return false
		}
	}
	return true
}

// fewEntries is up to where moving each entry to its place is the fastest way to sort.
const fewEntries = 16

// sort puts the entries into ascending order of their keys, those with one key into that of the text.
func (d *Decoder) sort(entries []span) {
	if len(entries) > fewEntries {
		slices.SortFunc(entries, func(a, b span) int {
			if c := d.compare(&a, &b); c != 0 {
				return c
			}
			return int(a.start) - int(b.start)
		})
		return
	}
	for i := 1; i < len(entries); i++ {
		e, at := entries[i], i
		for ; at > 0 && d.after(&entries[at-1], &e); at-- {
			entries[at] = entries[at-1]
		}
		entries[at] = e
	}
}

// arrange rewrites the buffer from content on, where the entries stand, in their new order. Of those with one key it
// keeps the last.
func (d *Decoder) arrange(content int, entries []span) {
	d.spare = append(d.spare[:0], d.buf[content:]...)
	buf := d.buf[:content]
	for i := range entries {
		s := &entries[i]
		if i+1 < len(entries) && s.first == entries[i+1].first && bytes.Equal(d.spared(content, s), d.spared(content, &entries[i+1])) {
			continue
		}
		buf = append(buf, d.spare[int(s.start)-content:int(s.end)-content]...)
	}
	d.appended(buf)
}

// spared returns a key in what arrange copies from, which stood in the buffer from content on.
func (d *Decoder) spared(content int, s *span) []byte {
	return d.spare[int(s.key)-content : int(s.keyEnd)-content]
}
