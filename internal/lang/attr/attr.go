// Package attr holds DynamoDB's attribute values: one canonical binary form that the wire's JSON is decoded into, that
// conditions and filters read without decoding, and that the store keeps.
//
// # The form
//
// A value is a type byte followed by its content:
//
//	S B     uvarint length, bytes
//	N       uvarint length, the form of lib/decimal
//	BOOL    0 or 1
//	NULL    nothing
//	SS NS BS    uvarint length in bytes, members as S, N or B values in ascending order
//	L       uvarint length in bytes, elements
//	M       uvarint length in bytes, attributes as in an Item
//
// An Item is its attributes in ascending order of their names, each a uvarint length, the name and a value. Sets and maps
// being sorted and numbers canonical, two values are equal exactly when their bytes are.
package attr

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// A Type is one of DynamoDB's data types. The numbers are stored.
type Type byte

// MaxLevels is how many levels a value may have (see Depth), MaxName how many bytes the name of an attribute.
const (
	MaxLevels = 32
	MaxName   = 65535
)

// The types. Missing is the type of no value at all.
const (
	Missing Type = iota
	S
	N
	B
	BOOL
	NULL
	SS
	NS
	BS
	L
	M
)

// String returns the name that the wire uses: S, N, ...
func (t Type) String() string { return typeNames[t] }

var typeNames = [...]string{"", "S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}

// Elem returns the type of the members of the set type t, Missing for any other.
func (t Type) Elem() Type {
	if t >= SS && t <= BS {
		return t - SS + S
	}
	return Missing
}

// ParseType returns the type of that name, Missing if there is none.
func ParseType[T ~string | ~[]byte](name T) Type {
	switch string(name) {
	case "S":
		return S
	case "N":
		return N
	case "B":
		return B
	case "BOOL":
		return BOOL
	case "NULL":
		return NULL
	case "SS":
		return SS
	case "NS":
		return NS
	case "BS":
		return BS
	case "L":
		return L
	case "M":
		return M
	}
	return Missing
}

// A Value is one attribute value in the canonical form. It is never changed in place; nil is no value.
type Value []byte

// Type returns v's type, Missing for nil.
func (v Value) Type() Type {
	if len(v) == 0 {
		return Missing
	}
	return Type(v[0])
}

// Bytes returns the text of an S, the bytes of a B, the decimal form of an N. It aliases v.
// REQUIRES: a scalar of these types.
func (v Value) Bytes() []byte { return v.content() }

// Bool returns the value of a BOOL.
func (v Value) Bool() bool { return len(v) > 1 && v[1] == 1 }

// Elems ranges over the members of a set or the elements of a list; they alias v.
func (v Value) Elems() iter.Seq[Value] { return elems(v.content()) }

// elems ranges over the values that rest consists of.
func elems(rest []byte) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for rest := rest; len(rest) > 0; {
			var e Value
			if e, rest = cutValue(rest); !yield(e) {
				return
			}
		}
	}
}

// Len counts the members of a set, the elements of a list or the attributes of a map.
func (v Value) Len() int {
	if v.Type() == M {
		return v.Item().Len()
	}
	n := 0
	for range v.Elems() {
		n++
	}
	return n
}

// Index returns element i of a list, nil if there is none.
func (v Value) Index(i int) Value {
	for e := range v.Elems() {
		if i == 0 {
			return e
		}
		i--
	}
	return nil
}

// Item returns the attributes of an M, never nil; it aliases v.
func (v Value) Item() Item { return Item(v.content()) }

// Depth counts the levels of v: 1 for what is neither list nor map, and for one of these that is empty.
func (v Value) Depth() int {
	deepest := 0
	switch v.Type() {
	case L:
		for e := range v.Elems() {
			deepest = max(deepest, e.Depth())
		}
	case M:
		for _, e := range v.Item().All() {
			deepest = max(deepest, e.Depth())
		}
	}
	return 1 + deepest
}

// String returns v as JSON, for messages and debugging.
func (v Value) String() string { return string(v.AppendJSON(nil)) }

// Equal reports deep equality: numbers by value, sets without regard to order.
func Equal(a, b Value) bool { return bytes.Equal(a, b) }

// Compare orders two values of one type S (by UTF-8 bytes), B (by bytes, unsigned) or N (by value); ok is false for any
// other pair.
func Compare(a, b Value) (c int, ok bool) {
	t := a.Type()
	if t != b.Type() || t != S && t != N && t != B {
		return 0, false
	}
	return bytes.Compare(a.content(), b.content()), true
}

// content returns what follows the type and the length. REQUIRES: a type that has a length.
func (v Value) content() []byte {
	n, w := length(v[1:])
	end := 1 + w + n
	return v[1+w : end : end]
}

// length decodes the length that b starts with and tells how many bytes that takes.
func length(b []byte) (n, width int) {
	n, width = int(b[0]), 1
	if n >= 0x80 {
		n, width = longLength(b) // apart, so that length is inlined
	}
	return n, width
}

func longLength(b []byte) (n, width int) {
	u, w := binary.Uvarint(b)
	return int(u), w
}

// extent returns where the content of the value that b starts with begins and ends. REQUIRES: b is well formed (see Valid for bytes
// from outside).
func extent(b []byte) (from, to int) {
	switch Type(b[0]) {
	case NULL:
		return 1, 1
	case BOOL:
		return 1, 2
	}
	n, w := length(b[1:])
	return 1 + w, 1 + w + n
}

// cutValue splits b after the value that it starts with.
func cutValue(b []byte) (v Value, rest []byte) {
	_, n := extent(b)
	return Value(b[:n:n]), b[n:]
}

// cutAttribute splits b after the attribute that it starts with.
func cutAttribute(b []byte) (name []byte, v Value, rest []byte) {
	n, w := length(b)
	b = b[w:]
	v, rest = cutValue(b[n:])
	return b[:n:n], v, rest
}

// An Item is a set of named values in the canonical form: an item, a key, the content of a map. It is never changed in
// place. nil is no item, which differs from an empty one.
type Item []byte

// Get returns the value of the attribute, nil if there is none; it aliases it.
func (it Item) Get(name string) Value {
	for rest := []byte(it); len(rest) > 0; {
		n, w := length(rest)
		found := rest[w : w+n]
		rest = rest[w+n:]
		_, size := extent(rest)
		if n == len(name) && string(found) == name {
			return Value(rest[:size:size])
		}
		if after(found, name) {
			return nil
		}
		rest = rest[size:]
	}
	return nil
}

// after reports whether a comes after b, mostly by their first bytes.
func after(a []byte, b string) bool {
	if len(a) > 0 && len(b) > 0 && a[0] != b[0] {
		return a[0] > b[0]
	}
	return string(a) > b
}

// All ranges over the attributes in ascending order of their names; both alias it.
func (it Item) All() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		for rest := []byte(it); len(rest) > 0; {
			var name []byte
			var v Value
			if name, v, rest = cutAttribute(rest); !yield(name, v) {
				return
			}
		}
	}
}

// Split ranges over the attributes in ascending order of their names, each with an item of it alone; both alias it.
func (it Item) Split() iter.Seq2[[]byte, Item] {
	return func(yield func([]byte, Item) bool) {
		for rest := []byte(it); len(rest) > 0; {
			name, _, behind := cutAttribute(rest)
			n := len(rest) - len(behind)
			if !yield(name, Item(rest[:n:n])) {
				return
			}
			rest = behind
		}
	}
}

// String returns it as JSON, for messages and debugging.
func (it Item) String() string { return string(it.AppendJSON(nil)) }

// Len counts the attributes.
func (it Item) Len() int {
	n := 0
	for range it.All() {
		n++
	}
	return n
}
