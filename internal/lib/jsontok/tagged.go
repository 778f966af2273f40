package jsontok

import "encoding/binary"

// The start of {"X":" as a word, and its bytes that count.
const (
	taggedHead = '{' | '"'<<8 | '"'<<24 | ':'<<32
	taggedMask = 0xff | 0xff<<8 | 0xff<<24 | 0xff<<32
)

// TaggedMember reads a member of an object, and the comma before it, in one step if its value is an object of one member whose name is
// one character and whose value is a string: "name":{"X":"text"}. Bytes then returns the text. It reports false, and has read nothing,
// where something else comes next, or the same in another spelling: with an escape, with other than ASCII characters, with white
// space other than a space after a comma or colon. Next reads that as well as this.
//
// Most of what DynamoDB's clients send are such members, and most of those are spelled so.
func (r *Reader) TaggedMember() (name []byte, tag byte, ok bool) {
	b, at := r.buf, r.pos
	switch {
	case r.state == wantMore && r.inObj && at+1 < len(b) && b[at] == ',':
		if at++; b[at] == ' ' {
			at++
		}
	case r.state != wantName:
		return nil, 0, false
	}
	if at >= len(b) || b[at] != '"' {
		return nil, 0, false
	}
	start := at + 1
	end, ascii := plain(b, start)
	if !ascii || end+3 > len(b) || b[end] != '"' || b[end+1] != ':' {
		return nil, 0, false
	}
	if at = end + 2; b[at] == ' ' {
		at++
	}
	tag, ok = r.tagged(at)
	return b[start:end], tag, ok
}

// tagged reads {"X":"text"} at buf[at].
func (r *Reader) tagged(at int) (tag byte, ok bool) {
	if r.depth == MaxDepth || at+8 > len(r.buf) {
		return 0, false
	}
	head := binary.LittleEndian.Uint64(r.buf[at:])
	if head&taggedMask != taggedHead {
		return 0, false
	}
	if at += 5; r.buf[at] == ' ' {
		at++
	}
	if r.buf[at] != '"' {
		return 0, false
	}
	end, ascii := plain(r.buf, at+1)
	if !ascii || end+2 > len(r.buf) || r.buf[end] != '"' || r.buf[end+1] != '}' {
		return 0, false
	}
	tag = byte(head >> 16)
	if tag < ' ' || tag == '"' || tag == '\\' || tag >= 0x80 {
		return 0, false
	}
	r.start, r.end, r.pos, r.state = at+1, end, end+2, wantMore
	return tag, true
}
