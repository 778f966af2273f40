package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// A breach is a set of ways to break a rule.
type breach uint8

const (
	tooSmall breach = 1 << iota
	tooLarge
	tooLongARN
	noMatch
	unlisted
)

var (
	lengthFirst  = []breach{tooSmall, tooLarge, tooLongARN, noMatch, unlisted}
	patternFirst = []breach{noMatch, tooSmall, tooLarge, tooLongARN, unlisted}
)

// order returns the breaches in the order of their checks; a member that is reported alone has at most one.
func (r *Rule) order() []breach {
	if r.PatternFirst {
		return patternFirst
	}
	return lengthFirst
}

func (p *Phrases) of(b breach) string {
	switch b {
	case tooSmall:
		return p.Short
	case tooLarge:
		return p.Long
	case unlisted:
		return p.Unlisted
	}
	return ""
}

// breaches returns the ways in which a present value breaks the rule.
func (r *Rule) breaches(v reflect.Value) breach {
	switch v.Kind() {
	case reflect.Pointer:
		return r.breaches(v.Elem())
	case reflect.String:
		return r.text(v.String())
	case reflect.Int64:
		return r.within(v.Int())
	case reflect.Slice, reflect.Map:
		return r.within(int64(v.Len()))
	}
	return 0
}

func (r *Rule) within(n int64) breach {
	switch {
	case r.Min != nil && n < *r.Min:
		return tooSmall
	case r.Max != nil && n > *r.Max:
		return tooLarge
	}
	return 0
}

// maxARN is the length of the longest ARN that is taken where a name is.
const maxARN = 1024

func (r *Rule) text(s string) breach {
	if r.ARN && strings.HasPrefix(s, "arn:") {
		if len(s) > maxARN {
			return tooLongARN
		}
		return 0
	}
	var b breach
	if r.Min != nil || r.Max != nil {
		b = r.within(textLen(s))
	}
	if r.Pattern != nil && !r.Pattern.match(s) {
		b |= noMatch
	}
	if r.Enum != nil && !slices.Contains(r.Enum, s) {
		b |= unlisted
	}
	return b
}

// textLen returns the length of s in UTF-16 units, which is how the service counts.
func textLen(s string) int64 {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			for _, c := range s[i:] {
				if n++; c > 0xffff {
					n++
				}
			}
			return int64(i + n)
		}
	}
	return int64(len(s))
}

// phrase words a breach.
func (r *Rule) phrase(b breach, number bool) string {
	what := "length"
	if number {
		what = "value"
	}
	switch b {
	case tooSmall:
		return fmt.Sprintf("Member must have %s greater than or equal to %d", what, *r.Min)
	case tooLarge:
		return fmt.Sprintf("Member must have %s less than or equal to %d", what, *r.Max)
	case tooLongARN:
		return fmt.Sprintf("Member must have length less than or equal to %d", maxARN)
	case noMatch:
		return "Member must satisfy regular expression pattern: " + r.Pattern.String()
	}
	return "Member must satisfy enum value set: [" + strings.Join(r.Enum, ", ") + "]"
}

// list words all of a rule for the keys or elements of a list or map.
func (r *Rule) list() string {
	var parts []string
	if r.Max != nil {
		parts = append(parts, r.phrase(tooLarge, false))
	}
	if r.Min != nil {
		parts = append(parts, r.phrase(tooSmall, false))
	}
	if r.Pattern != nil {
		parts = append(parts, r.phrase(noMatch, false))
	}
	if r.Enum != nil {
		parts = append(parts, r.phrase(unlisted, false))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func isNumber(v reflect.Value) bool {
	return v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Int64
}
