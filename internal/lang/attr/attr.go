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
func (v Value) Elems() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for rest := v.content(); len(rest) > 0; {
			n := valueLen(rest)
			if !yield(Value(rest[:n:n])) {
				return
			}
			rest = rest[n:]
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

// Equal reports deep equality: numbers by value, sets without regard to order.
func Equal(a, b Value) bool { return bytes.Equal(a, b) }

// content returns what follows the type and the length. REQUIRES: a type that has a length.
func (v Value) content() []byte {
	n, w := binary.Uvarint(v[1:])
	return v[1+w : 1+w+int(n) : 1+w+int(n)]
}

// valueLen returns the length of the value that b starts with. REQUIRES: b is well formed (see Valid for bytes from outside).
func valueLen(b []byte) int {
	switch Type(b[0]) {
	case NULL:
		return 1
	case BOOL:
		return 2
	}
	if b[1] < 0x80 {
		return 2 + int(b[1])
	}
	n, w := binary.Uvarint(b[1:])
	return 1 + w + int(n)
}

// An Item is a set of named values in the canonical form: an item, a key, the content of a map. It is never changed in
// place. nil is no item, which differs from an empty one.
type Item []byte

// Get returns the value of the attribute, nil if there is none; it aliases it.
func (it Item) Get(name string) Value {
	for rest := []byte(it); len(rest) > 0; {
		n, w := nameLen(rest)
		rest = rest[w:]
		l := valueLen(rest[n:])
		switch c := compare(rest[:n], name); {
		case c == 0:
			return Value(rest[n : n+l : n+l])
		case c > 0:
			return nil
		}
		rest = rest[n+l:]
	}
	return nil
}

func compare(b []byte, s string) int {
	switch {
	case string(b) == s:
		return 0
	case string(b) < s:
		return -1
	}
	return 1
}

// nameLen decodes the length of a name and tells how many bytes that took.
func nameLen(b []byte) (n, width int) {
	if b[0] < 0x80 {
		return int(b[0]), 1
	}
	u, w := binary.Uvarint(b)
	return int(u), w
}

// All ranges over the attributes in ascending order of their names; both alias it.
func (it Item) All() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		for rest := []byte(it); len(rest) > 0; {
			n, w := nameLen(rest)
			rest = rest[w:]
			l := valueLen(rest[n:])
			if !yield(rest[:n:n], Value(rest[n:n+l:n+l])) {
				return
			}
			rest = rest[n+l:]
		}
	}
}

// Len counts the attributes.
func (it Item) Len() int {
	n := 0
	for range it.All() {
		n++
	}
	return n
}
