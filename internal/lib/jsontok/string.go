package jsontok

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads the string that starts at r.pos.
func (r *Reader) str() bool {
	start := r.pos + 1
	end, ascii := plain(r.buf, start)
	if end == len(r.buf) || r.buf[end] != '"' {
		return r.unescape(start, end)
	}
	r.start, r.end, r.pos = start, end, end+1
	if !ascii && !utf8.Valid(r.buf[start:end]) {
		r.fail("invalid UTF-8 in the string before")
		return false
	}
	return true
}

// unescape reads a string that starts at start and whose first character that does not stand for itself is at i.
func (r *Reader) unescape(start, i int) bool {
	out := append(r.room[:0], r.buf[start:i]...)
	for i < len(r.buf) && r.buf[i] != '"' {
		var run int
		if out, run = unescape(out, r.buf, i); run == i {
			r.pos = i
			r.fail("malformed string")
			return false
		}
		i, _ = plain(r.buf, run)
		out = append(out, r.buf[run:i]...)
	}
	r.room, r.end, r.pos = out, -1, min(i+1, len(r.buf))
	if i == len(r.buf) {
		r.fail("unfinished string")
		return false
	}
	if !utf8.Valid(out) {
		r.fail("invalid UTF-8 in the string before")
		return false
	}
	return true
}

// unescape appends to out what the escape sequence at b[i] stands for and returns the index after it, i if there is none.
func unescape(out, b []byte, i int) ([]byte, int) {
	if b[i] != '\\' || i+1 == len(b) {
		return out, i
	}
	if c := escaped[b[i+1]]; c != 0 {
		return append(out, c), i + 2
	}
	u, ok := hex4(b, i)
	if !ok {
		return out, i
	}
	i += 6
	if utf16.IsSurrogate(u) {
		low, _ := hex4(b, i)
		if u = utf16.DecodeRune(u, low); u != utf8.RuneError {
			i += 6
		}
	}
	return utf8.AppendRune(out, u), i
}

// escaped maps the character after a backslash to what they stand for.
var escaped = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// hex4 returns the UTF-16 unit of the escape sequence \uXXXX at b[i].
func hex4(b []byte, i int) (rune, bool) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	u := rune(0)
	for _, c := range b[i+2 : i+6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		u = u<<4 | rune(c)
	}
	return u, true
}

// Eight bytes at a time: a word with one bit or number in each of its bytes.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// plain returns the index of the first quote, backslash or control character at or after b[i], len(b) if there is none,
// and whether all before it is ASCII.
func plain(b []byte, i int) (end int, ascii bool) {
	var seen uint64
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^'"'*ones, x^'\\'*ones
		// Subtracting borrows into a byte's high bit where it was less; a borrow can mislead only above the first such byte.
		stop := ((quote-ones)&^quote | (slash-ones)&^slash | (x-0x20*ones)&^x) & highs
		if stop != 0 {
			before := bits.TrailingZeros64(stop) &^ 7
			seen |= x & (1<<before - 1)
			return i + before/8, seen&highs == 0
		}
		seen |= x
	}
	for ; i < len(b); i++ {
		c := b[i]
		if c == '"' || c == '\\' || c < 0x20 {
			break
		}
		seen |= uint64(c)
	}
	return i, seen&highs == 0
}
