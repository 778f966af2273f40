// Package eventpattern matches JSON documents against the patterns with which AWS Lambda filters events (AWS Lambda developer guide:
// Control which events Lambda sends to your function).
//
// A pattern is an object with the shape of the documents. Its leaves are lists of which one element must match what stands there: a
// text, a number, null, true or false for itself, or an object with one comparison:
//
//	{"exists": true}                 {"exists": false}
//	{"prefix": "a"}                  {"suffix": "z"}
//	{"equals-ignore-case": "Tea"}    {"anything-but": ["a", 1]}
//	{"numeric": [">", 0, "<=", 5]}   {"anything-but": {"prefix": "a"}}
//
// All members of an object must match, and of the list under "$or" one. Of a list in the document one element must match.
package eventpattern

import (
	"strings"
	"unicode/utf8"
)

// A Pattern is a compiled pattern. It is safe for concurrent use.
type Pattern struct{ root object }

// Match reports whether a document, as encoding/json decodes it into an any, matches.
func (p *Pattern) Match(document any) bool { return p.root.match(document) }

// An object is what the members of an object in the document must be like.
type object struct {
	members []member
	or      []object // of which one must match; nil: no such condition
}

// A member is what the member of that name must be like: an object, or one of some values.
type member struct {
	name   string
	object *object
	leaves []leaf
}

// A leaf is one condition on a value. present is false where there is none.
type leaf func(value any, present bool) bool

func (o *object) match(v any) bool {
	if list, ok := v.([]any); ok {
		return anyOf(list, o.match)
	}
	fields, _ := v.(map[string]any)
	for i := range o.members {
		if !o.members[i].match(fields) {
			return false
		}
	}
	if o.or == nil {
		return true
	}
	for i := range o.or {
		if o.or[i].match(v) {
			return true
		}
	}
	return false
}

func anyOf(list []any, match func(any) bool) bool {
	for _, v := range list {
		if match(v) {
			return true
		}
	}
	return false
}

func (m *member) match(fields map[string]any) bool {
	v, present := fields[m.name]
	if m.object != nil {
		return m.object.match(v)
	}
	if list, ok := v.([]any); ok && len(list) > 0 {
		return anyOf(list, func(v any) bool { return m.matchLeaf(v, true) })
	}
	return m.matchLeaf(v, present)
}

func (m *member) matchLeaf(v any, present bool) bool {
	for _, l := range m.leaves {
		if l(v, present) {
			return true
		}
	}
	return false
}

// exists is about leaves: an object is none.
func exists(want bool) leaf {
	return func(v any, present bool) bool {
		_, isObject := v.(map[string]any)
		return (present && !isObject) == want
	}
}

// equal compares with a text, a number, true, false or null.
func equal(want any) leaf {
	return func(v any, present bool) bool { return present && same(v, want) }
}

// same compares values that may be of types that Go cannot compare.
func same(v, want any) bool {
	switch v.(type) {
	case nil, string, float64, bool:
		return v == want
	}
	return false
}

// onText makes a leaf of a condition on texts.
func onText(ok func(string) bool) leaf {
	return func(v any, _ bool) bool {
		s, isText := v.(string)
		return isText && ok(s)
	}
}

func prefix(p string) leaf { return onText(func(s string) bool { return strings.HasPrefix(s, p) }) }
func suffix(p string) leaf { return onText(func(s string) bool { return strings.HasSuffix(s, p) }) }

func foldedPrefix(p string) leaf {
	n := utf8.RuneCountInString(p)
	return onText(func(s string) bool {
		r := []rune(s)
		return len(r) >= n && strings.EqualFold(string(r[:n]), p)
	})
}

func foldedSuffix(p string) leaf {
	n := utf8.RuneCountInString(p)
	return onText(func(s string) bool {
		r := []rune(s)
		return len(r) >= n && strings.EqualFold(string(r[len(r)-n:]), p)
	})
}

func folded(p string) leaf { return onText(func(s string) bool { return strings.EqualFold(s, p) }) }

// not matches what is there and none of the leaves match. Objects have no value to compare.
func not(leaves []leaf) leaf {
	inner := member{leaves: leaves}
	return func(v any, present bool) bool {
		if _, isObject := v.(map[string]any); isObject || !present {
			return false
		}
		return !inner.matchLeaf(v, true)
	}
}

// A bound is one side of a range of numbers.
type bound struct {
	op string
	x  float64
}

func (b bound) holds(x float64) bool {
	switch b.op {
	case "=":
		return x == b.x
	case "<":
		return x < b.x
	case "<=":
		return x <= b.x
	case ">":
		return x > b.x
	}
	return x >= b.x
}

func numeric(bounds []bound) leaf {
	return func(v any, _ bool) bool {
		x, ok := v.(float64)
		for _, b := range bounds {
			ok = ok && b.holds(x)
		}
		return ok
	}
}
