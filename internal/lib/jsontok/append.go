package jsontok

import (
	"encoding/binary"
	"slices"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// AppendString appends s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	return AppendBytes(dst, unsafe.Slice(unsafe.StringData(s), len(s))) // only read
}

// AppendBytes is AppendString for text in bytes.
func AppendBytes(dst, s []byte) []byte {
	return append(AppendContent(append(dst, '"'), s), '"')
}

// AppendContent is AppendBytes without the quotes.
func AppendContent(dst, s []byte) []byte {
	at := len(dst)
	dst = slices.Grow(dst, len(s))[:at+len(s)]
	if copyPlain(dst[at:], s) {
		return dst
	}
	return appendSpecial(dst, at, s)
}

// AppendTagged appends "name":{"X":" with X for the tag, the start of a member as Tagged reads it; the text and "} are to follow.
func AppendTagged(dst, name []byte, tag byte) []byte {
	at := len(dst) + 1
	dst = slices.Grow(dst, len(name)+9)[:at+len(name)]
	dst[at-1] = '"'
	if !copyPlain(dst[at:], name) {
		dst = appendSpecial(dst, at, name)
	}
	return append(dst, '"', ':', '{', '"', tag, '"', ':', '"')
}

// appendSpecial makes dst[at:], a copy of s, the content of a string: copyPlain has met something special.
func appendSpecial(dst []byte, at int, s []byte) []byte {
	if end, _ := plain(s, 0); end == len(s) && utf8.Valid(s) {
		return dst
	}
	return appendUnusual(dst[:at], s)
}

// copyPlain copies s to dst, which is as long, and reports whether all of it is ASCII that JSON does not escape: nearly every
// string is, and short. It goes eight bytes at a time, some of them twice, and does not branch on what they are.
func copyPlain(dst, s []byte) bool {
	le := binary.LittleEndian
	n := len(s)
	dst = dst[:n]
	var seen, sound uint64 = 0, highs
	// Of bytes below 0x80 no sum carries into the next byte, and its high bit says: not a control character and, because the
	// exclusive or swaps the quote and the space, no quote; not a backslash.
	look := func(x uint64) {
		sound &= ((x ^ ('"'^' ')*ones) + (0x80-'!')*ones) & ((x ^ '\\'*ones) + 0x7f*ones)
		seen |= x
	}
	switch {
	case n >= 8:
		last := le.Uint64(s[n-8:])
		for i := 0; i < n-8; i += 8 {
			x := le.Uint64(s[i : i+8])
			le.PutUint64(dst[i:i+8], x)
			look(x)
		}
		le.PutUint64(dst[n-8:], last)
		look(last)
	case n >= 4:
		first, last := le.Uint32(s), le.Uint32(s[n-4:])
		le.PutUint32(dst, first)
		le.PutUint32(dst[n-4:], last)
		look(uint64(first) | uint64(last)<<32)
	case n > 0:
		first, middle, last := s[0], s[n/2], s[n-1]
		dst[0], dst[n/2], dst[n-1] = first, middle, last
		look(uint64(first) | uint64(middle)<<8 | uint64(last)<<16 | 0x2020202020<<24)
	}
	return sound&^seen&highs == highs
}

// appendUnusual appends the content of a string of which something is escaped or replaced.
func appendUnusual(dst, s []byte) []byte {
	for {
		end, ascii := plain(s, 0)
		if !ascii && !utf8.Valid(s[:end]) {
			return appendReplaced(dst, s)
		}
		dst = append(dst, s[:end]...)
		if end == len(s) {
			return dst
		}
		dst = appendEscape(dst, s[end])
		s = s[end+1:]
	}
}

// appendReplaced is appendUnusual for invalid UTF-8.
func appendReplaced(dst, s []byte) []byte {
	for len(s) > 0 {
		if c := s[0]; c == '"' || c == '\\' || c < 0x20 {
			dst = appendEscape(dst, c)
			s = s[1:]
			continue
		}
		r, n := utf8.DecodeRune(s)
		dst = utf8.AppendRune(dst, r)
		s = s[n:]
	}
	return dst
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if c < 0x10 {
		return strconv.AppendUint(append(dst, `\u000`...), uint64(c), 16)
	}
	return strconv.AppendUint(append(dst, `\u00`...), uint64(c), 16)
}
