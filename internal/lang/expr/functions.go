package expr

import (
	"bytes"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/decimal"
)

// hasType evaluates attribute_type, whose second operand names a type.
func (b *binding) hasType(n *node, it attr.Item) bool {
	var x scratch
	v := b.operand(&n.args[0], it, &x)
	return v != nil && string(b.values[n.args[1].index].Bytes()) == v.Type().String()
}

func (b *binding) beginsWith(n *node, it attr.Item) bool {
	v, prefix := b.stored(&n.args[0], it), b.stored(&n.args[1], it)
	return v.Type() == prefix.Type() && prefixTypes.has(v.Type()) && bytes.HasPrefix(v.Bytes(), prefix.Bytes())
}

// contains finds a part of a string or of binary data, a member of a set, an element of a list.
func (b *binding) contains(n *node, it attr.Item) bool {
	if n.args[0].op == opSize { // a number
		return false
	}
	var y scratch
	v, part := b.stored(&n.args[0], it), b.operand(&n.args[1], it, &y)
	switch t := v.Type(); t {
	case attr.S, attr.B:
		return part.Type() == t && bytes.Contains(v.Bytes(), part.Bytes())
	case attr.L, attr.SS, attr.NS, attr.BS:
		for e := range v.Elems() {
			if attr.Equal(e, part) {
				return true
			}
		}
	}
	return false
}

// scratch is space for a computed operand, the number that size returns.
type scratch [2 + decimal.MaxLen]byte

// size evaluates size: nil for what is missing or of a type without a size.
func (space *scratch) size(v attr.Value) attr.Value {
	if !sizedTypes.has(v.Type()) {
		return nil
	}
	number := decimal.AppendInt(space[:2], int64(length(v)))
	number[0], number[1] = byte(attr.N), byte(len(number)-2)
	return attr.Value(number)
}

// length counts UTF-16 code units of a string, bytes of binary data, elements of the rest.
func length(v attr.Value) int {
	switch v.Type() {
	case attr.S:
		return utf16Len(v.Bytes())
	case attr.B:
		return len(v.Bytes())
	}
	return v.Len()
}

// utf16Len counts one unit for a character, two for one that UTF-8 writes with four bytes. REQUIRES: valid UTF-8.
func utf16Len(s []byte) int {
	n := 0
	for _, c := range s {
		if c&0xC0 != 0x80 {
			n++
		}
		if c >= 0xF0 {
			n++
		}
	}
	return n
}
