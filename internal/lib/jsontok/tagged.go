package jsontok

import "encoding/binary"

// The start of {"X":" as a word, and its bytes that count.
const (
	taggedHead = '{' | '"'<<8 | '"'<<24 | ':'<<32
	taggedMask = 0xff | 0xff<<8 | 0xff<<24 | 0xff<<32
)

// Tagged reads an object of one member whose name is one character and whose value is a string, {"X":"text"}, in one step; Bytes then
// returns the text. It reports false, and has read nothing, where something else comes next, or the same in another spelling: with an
// escape, with white space other than a space after the colon. Next reads that as well as this.
//
// Most of what DynamoDB's clients send are such objects, and most of those are spelled so.
func (r *Reader) Tagged() (tag byte, ok bool) {
	if r.state != wantValue || r.peek() != '{' || r.depth == MaxDepth || r.pos+8 > len(r.buf) {
		return 0, false
	}
	at := r.pos + 5
	head := binary.LittleEndian.Uint64(r.buf[r.pos:])
	if head&taggedMask != taggedHead {
		return 0, false
	}
	if r.buf[at] == ' ' {
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
