package attr

import (
	"bytes"
	"slices"
)

// A span is where an entry of a map or a set stands in a Decoder's buffer, and its key: the name of the attribute, or the
// content of the member.
type span struct{ start, key, keyEnd, end int }

func (d *Decoder) key(s span) []byte { return d.buf[s.key:s.keyEnd] }

// ascending reports whether the keys are in ascending order and no two are equal.
func (d *Decoder) ascending(entries []span) bool {
	for i := 1; i < len(entries); i++ {
		if bytes.Compare(d.key(entries[i-1]), d.key(entries[i])) >= 0 {
			return false
		}
	}
	return true
}

// sort puts the entries into ascending order of their keys, those with one key into that of the text.
func (d *Decoder) sort(entries []span) {
	slices.SortFunc(entries, func(a, b span) int {
		if c := bytes.Compare(d.key(a), d.key(b)); c != 0 {
			return c
		}
		return a.start - b.start
	})
}

// arrange rewrites the buffer from content on, where the entries stand, in their new order. Of those with one key it
// keeps the last.
func (d *Decoder) arrange(content int, entries []span) {
	d.spare = append(d.spare[:0], d.buf[content:]...)
	d.buf = d.buf[:content]
	for i, s := range entries {
		if i+1 < len(entries) {
			next := entries[i+1]
			if bytes.Equal(d.spare[s.key-content:s.keyEnd-content], d.spare[next.key-content:next.keyEnd-content]) {
				continue
			}
		}
		d.buf = append(d.buf, d.spare[s.start-content:s.end-content]...)
	}
}
