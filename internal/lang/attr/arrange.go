package attr

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// A span is where an entry of a map or a set stands in a Decoder's buffer, and its key: the name of the attribute, or the
// content of the member.
type span struct {
	start, key, keyEnd, end int
	first                   uint64 // bytes of the key, by which most keys are told apart
}

func (d *Decoder) key(s span) []byte { return d.buf[s.key:s.keyEnd] }

// first returns the first eight bytes of a span's key as a number whose order is theirs; a shorter key counts as if zeros followed.
func (d *Decoder) first(s *span) uint64 {
	n := s.keyEnd - s.key
	if s.key+8 > len(d.buf) {
		var b [8]byte
		copy(b[:], d.buf[s.key:s.keyEnd])
		return binary.BigEndian.Uint64(b[:])
	}
	first := binary.BigEndian.Uint64(d.buf[s.key:])
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
	return bytes.Compare(d.key(*a), d.key(*b))
}

// ascending reports whether the keys are in ascending order and no two are equal.
func (d *Decoder) ascending(entries []span) bool {
	for i := 1; i < len(entries); i++ {
		if d.compare(&entries[i-1], &entries[i]) >= 0 {
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
			return a.start - b.start
		})
		return
	}
	for i := 1; i < len(entries); i++ {
		e, at := entries[i], i
		for ; at > 0 && d.compare(&entries[at-1], &e) > 0; at-- {
			entries[at] = entries[at-1]
		}
		entries[at] = e
	}
}

// arrange rewrites the buffer from content on, where the entries stand, in their new order. Of those with one key it
// keeps the last.
func (d *Decoder) arrange(content int, entries []span) {
	d.spare = append(d.spare[:0], d.buf[content:]...)
	buf := d.buf[:content] // a store into d each time would be work for a garbage collector that runs
	for i, s := range entries {
		if i+1 < len(entries) {
			next := entries[i+1]
			if s.first == next.first && bytes.Equal(d.spare[s.key-content:s.keyEnd-content], d.spare[next.key-content:next.keyEnd-content]) {
				continue
			}
		}
		buf = append(buf, d.spare[s.start-content:s.end-content]...)
	}
	d.buf = buf
}
