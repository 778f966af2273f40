package attr

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/grammedb/gramme/internal/lib/decimal"
)

// A Field is one named value on its way into an Item.
type Field struct {
	Name  string
	Value Value // nil: none; Make leaves it out, Merge removes it
}

// Make returns the item of the fields. Of two with one name the later counts.
func Make(fields ...Field) Item {
	fields = byName(fields)
	it := make(Item, 0, room(fields))
	for i, f := range fields {
		if f.Value != nil && (i+1 == len(fields) || f.Name != fields[i+1].Name) {
			it = append(appendName(it, f.Name), f.Value...)
		}
	}
	return it
}

// Merge returns it with the changes made: set where Value is not nil, removed where it is. Names are distinct.
func (it Item) Merge(changes []Field) Item {
	changes = byName(changes)
	out := make(Item, 0, len(it)+room(changes))
	rest := []byte(it)
	for _, c := range changes {
		out, rest = appendBelow(out, rest, c.Name)
		if c.Value != nil {
			out = append(appendName(out, c.Name), c.Value...)
		}
	}
	return append(out, rest...)
}

// appendBelow appends to dst the attributes of it with lower names and returns those with higher names.
func appendBelow(dst, it []byte, name string) (out, above []byte) {
	for rest := it; len(rest) > 0; {
		found, _, next := cutAttribute(rest)
		switch {
		case string(found) == name:
			return append(dst, it[:len(it)-len(rest)]...), next
		case string(found) > name:
			return append(dst, it[:len(it)-len(rest)]...), rest
		}
		rest = next
	}
	return append(dst, it...), nil
}

// byName returns the fields in ascending order of their names, those with one name in the order given.
func byName(fields []Field) []Field {
	compare := func(a, b Field) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(fields, compare) {
		fields = slices.Clone(fields)
		slices.SortStableFunc(fields, compare)
	}
	return fields
}

// room returns the bytes that are enough for the fields.
func room(fields []Field) int {
	n := 0
	for _, f := range fields {
		n += binary.MaxVarintLen32 + len(f.Name) + len(f.Value)
	}
	return n
}

func appendName[T ~string | ~[]byte](dst []byte, name T) []byte {
	return append(appendLen(dst, len(name)), name...)
}

func appendLen(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	return binary.AppendUvarint(dst, uint64(n))
}

// appendHead appends the type and the length of a content that will follow.
func appendHead(dst []byte, t Type, n int) []byte {
	return appendLen(append(dst, byte(t)), n)
}

// open appends a type and a byte for the length of a content that is not known yet: when it has been appended, seal writes it.
func open(dst []byte, t Type) []byte { return append(dst, byte(t), 0) }

// seal writes the length of the content that starts at content and ends dst into the byte before it, and makes room
// first where one byte is not enough.
func seal(dst []byte, content int) []byte {
	n := len(dst) - content
	if n < 0x80 {
		dst[content-1] = byte(n)
		return dst
	}
	var length [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(length[:], uint64(n))
	dst = append(dst, length[1:w]...)
	copy(dst[content-1+w:], dst[content:content+n])
	copy(dst[content-1:], length[:w])
	return dst
}

func scalar[T ~string | ~[]byte](t Type, content T) Value {
	v := make(Value, 0, 1+binary.MaxVarintLen32+len(content))
	return append(appendHead(v, t, len(content)), content...)
}

// AppendItem appends it to dst as an M value.
func AppendItem(dst []byte, it Item) []byte {
	return append(appendHead(dst, M, len(it)), it...)
}

// String returns the S value of s, which is valid UTF-8.
func String(s string) Value { return scalar(S, s) }

// Number returns the N value of a number as clients write it, or an *Error.
func Number(text string) (Value, error) {
	form, err := decimal.Append(make([]byte, 0, decimal.MaxLen), []byte(text))
	if err != nil {
		return nil, &Error{Text: numberFault(err, []byte(text))}
	}
	return Decimal(form), nil
}

// Int returns the N value of n.
func Int(n int64) Value {
	v := decimal.AppendInt(open(make(Value, 0, 2+decimal.MaxLen), N), n)
	return seal(v, 2)
}

// Decimal returns the N value of a form of lib/decimal.
func Decimal(form []byte) Value { return scalar(N, form) }

// Binary returns the B value of b.
func Binary(b []byte) Value { return scalar(B, b) }

// Boolean returns the BOOL value of b.
func Boolean(b bool) Value {
	if b {
		return Value{byte(BOOL), 1}
	}
	return Value{byte(BOOL), 0}
}

// Null returns the NULL value.
func Null() Value { return Value{byte(NULL)} }

// List returns the L value of the elements.
func List(elems ...Value) Value { return container(L, elems) }

// Map returns the M value with the attributes of it.
func Map(it Item) Value { return scalar(M, it) }

// Set returns the set of type t with the members, which it sorts, or an *Error if there are none, two are equal or one
// is not of the type that t's members have.
func Set(t Type, members ...Value) (Value, error) {
	if len(members) == 0 {
		return nil, &Error{Text: emptySet(t)}
	}
	for _, m := range members {
		if m.Type() != t.Elem() || t.Elem() == Missing {
			return nil, &Error{Text: "a set of type " + t.String() + " cannot hold a value of type " + m.Type().String()}
		}
	}
	sorted := slices.Clone(members)
	slices.SortFunc(sorted, func(a, b Value) int { return bytes.Compare(a.content(), b.content()) })
	for i, m := range sorted[1:] {
		if Equal(m, sorted[i]) {
			return nil, &Error{Text: duplicates(t, members)}
		}
	}
	return container(t, sorted), nil
}

// container returns the value of type t with the elements in the given order.
func container(t Type, elems []Value) Value {
	n := 0
	for _, e := range elems {
		n += len(e)
	}
	v := appendHead(make(Value, 0, 1+binary.MaxVarintLen32+n), t, n)
	for _, e := range elems {
		v = append(v, e...)
	}
	return v
}
