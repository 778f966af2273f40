package attr

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/grammedb/gramme/internal/lib/decimal"
)

// Valid reports whether b is a well-formed, canonical item that DynamoDB could hold, its size apart. For bytes that come
// from outside the process.
func Valid(b []byte) bool { return validItem(b, 1) }

// validItem reports whether b holds attributes whose values are at the given level.
func validItem(b []byte, level int) bool {
	var last []byte
	for len(b) > 0 {
		name, rest, ok := cutPrefixed(b)
		if !ok || len(name) == 0 || len(name) > MaxName || !utf8.Valid(name) || bytes.Compare(last, name) >= 0 {
			return false
		}
		if b, ok = cutValid(rest, level); !ok {
			return false
		}
		last = name
	}
	return true
}

// cutValid splits off the value that b starts with, if it is well formed.
func cutValid(b []byte, level int) (rest []byte, ok bool) {
	if len(b) == 0 || level > MaxLevels {
		return nil, false
	}
	t := Type(b[0])
	switch t {
	case NULL:
		return b[1:], true
	case BOOL:
		if len(b) < 2 || b[1] > 1 {
			return nil, false
		}
		return b[2:], true
	}
	content, rest, ok := cutPrefixed(b[1:])
	if !ok {
		return nil, false
	}
	switch t {
	case S:
		ok = utf8.Valid(content)
	case N:
		ok = len(content) > 0 && decimal.Len(content) == len(content)
	case B:
	case SS, NS, BS:
		ok = validSet(content, t.Elem())
	case L:
		ok = validList(content, level+1)
	case M:
		ok = validItem(content, level+1)
	default:
		ok = false
	}
	return rest, ok
}

func validList(b []byte, level int) bool {
	for ok := true; len(b) > 0; {
		if b, ok = cutValid(b, level); !ok {
			return false
		}
	}
	return true
}

// validSet reports whether b holds a set's members, which are of type t.
func validSet(b []byte, t Type) bool {
	var last Value
	for rest := b; len(rest) > 0; {
		next, ok := cutValid(rest, 1)
		if !ok || Type(rest[0]) != t {
			return false
		}
		m := Value(rest[:len(rest)-len(next)])
		if last != nil && bytes.Compare(last.content(), m.content()) >= 0 {
			return false
		}
		last, rest = m, next
	}
	return len(b) > 0
}

// cutPrefixed splits off what b starts with: a length in its shortest form and as many bytes.
func cutPrefixed(b []byte) (content, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || w > 1 && b[w-1] == 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	end := w + int(n)
	return b[w:end], b[end:], true
}
