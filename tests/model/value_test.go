package model

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Value is an attribute value.
type Value struct {
	T string           // S, N, B, BOOL, NULL, SS, NS, L or M
	X string           `json:",omitempty"` // text of an S, an integer, a B in hex, true or false
	R int              `json:",omitempty"` // how many x follow the text of an S
	L []Value          `json:",omitempty"` // members of a set in ascending order, elements of a list
	M map[string]Value `json:",omitempty"`
}

// An Item is named values: an item, a key, the content of an M.
type Item = map[string]Value

func str(s string) Value   { return Value{T: "S", X: s} }
func num(n int64) Value    { return Value{T: "N", X: strconv.FormatInt(n, 10)} }
func bin(h string) Value   { return Value{T: "B", X: h} }
func list(l []Value) Value { return Value{T: "L", L: l} }

// set returns the set of type t with the members, nil if there are none.
func set(t string, members []Value) *Value {
	sorted := slices.Clone(members)
	slices.SortFunc(sorted, func(a, b Value) int { c, _ := compare(a, b); return c })
	sorted = slices.CompactFunc(sorted, equal)
	if len(sorted) == 0 {
		return nil
	}
	return &Value{T: t, L: sorted}
}

func (v Value) text() string { return v.X + strings.Repeat("x", v.R) }

func (v Value) int() int64 {
	n, _ := strconv.ParseInt(v.X, 10, 64)
	return n
}

// compare orders two values of one type that has an order; ok is false for any others.
func compare(a, b Value) (c int, ok bool) {
	if a.T != b.T {
		return 0, false
	}
	switch a.T {
	case "S":
		return strings.Compare(a.text(), b.text()), true
	case "B":
		return strings.Compare(a.X, b.X), true // two digits for each byte
	case "N":
		return int(max(-1, min(1, a.int()-b.int()))), true
	}
	return 0, false
}

func equal(a, b Value) bool {
	if a.T != b.T || len(a.M) != len(b.M) || !slices.EqualFunc(a.L, b.L, equal) {
		return false
	}
	for name, v := range a.M {
		if w, ok := b.M[name]; !ok || !equal(v, w) {
			return false
		}
	}
	return a.text() == b.text()
}

func equalItems(a, b Item) bool { return equal(Value{M: a}, Value{M: b}) }

// size is what DynamoDB counts for a value.
func (v Value) size() int {
	switch v.T {
	case "S":
		return len(v.X) + v.R
	case "B":
		return len(v.X) / 2
	case "N":
		digits := strings.TrimRight(strings.TrimPrefix(v.X, "-"), "0")
		n := 1 + (len(digits)+1)/2
		if v.X[0] == '-' {
			n++
		}
		return n
	case "SS", "NS":
		return sizes(v.L)
	case "L":
		return 3 + len(v.L) + sizes(v.L)
	case "M":
		return 3 + len(v.M) + itemSize(v.M)
	}
	return 1
}

func sizes(vs []Value) (n int) {
	for _, v := range vs {
		n += v.size()
	}
	return n
}

func itemSize(it Item) (n int) {
	for name, v := range it {
		n += len(name) + v.size()
	}
	return n
}

// length is what the function size tells; ok is false for types that have none.
func (v Value) length() (n int, ok bool) {
	switch v.T {
	case "S":
		return len(utf16.Encode([]rune(v.text()))), true
	case "B":
		return len(v.X) / 2, true
	case "SS", "NS", "L":
		return len(v.L), true
	case "M":
		return len(v.M), true
	}
	return 0, false
}

// wire returns the value as it stands in a request's JSON.
func (v Value) wire() map[string]any {
	var content any
	switch v.T {
	case "S", "N":
		content = v.text()
	case "B":
		b, _ := hex.DecodeString(v.X)
		content = base64.StdEncoding.EncodeToString(b)
	case "BOOL":
		content = v.X == "true"
	case "NULL":
		content = true
	case "SS", "NS":
		texts := make([]string, len(v.L))
		for i, e := range v.L {
			texts[i] = e.text()
		}
		content = texts
	case "L":
		elems := make([]any, len(v.L))
		for i, e := range v.L {
			elems[i] = e.wire()
		}
		content = elems
	case "M":
		content = wire(v.M)
	}
	return map[string]any{v.T: content}
}

func wire(it Item) map[string]any {
	m := make(map[string]any, len(it))
	for name, v := range it {
		m[name] = v.wire()
	}
	return m
}

// encode returns an item as the database has it; nil for nil.
func encode(it Item) attr.Item {
	if it == nil {
		return nil
	}
	text, err := json.Marshal(wire(it))
	if err != nil {
		panic(err)
	}
	out, err := attr.ParseItem(string(text))
	if err != nil {
		panic(err)
	}
	return out
}

func (v Value) encode() attr.Value { return encode(Item{"v": v}).Get("v") }

// show prints an item for comparison, "" for none.
func show(it attr.Item) string {
	if it == nil {
		return ""
	}
	return it.String()
}
