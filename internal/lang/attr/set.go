package attr

import "bytes"

// Contains reports whether the set has the member. Of a member of another type there is none.
func Contains(set, member Value) bool {
	for m := range set.Elems() {
		if Equal(m, member) {
			return true
		}
	}
	return false
}

// Union returns the set of what is in a or b, two sets of one type or nil.
func Union(a, b Value) Value {
	if a == nil {
		return b
	}
	return combine(a, b, keep{onlyA: true, both: true, onlyB: true})
}

// Subtract returns the set of what is in a but not in b, two sets of one type or nil; nil if nothing is left.
func Subtract(a, b Value) Value { return combine(a, b, keep{onlyA: true}) }

// keep says which members of two sets go into a third.
type keep struct{ onlyA, both, onlyB bool }

// combine merges two sets, whose members are in ascending order.
func combine(a, b Value, k keep) Value {
	if a == nil || b == nil {
		return a
	}
	out := open(make(Value, 0, len(a)+len(b)), a.Type())
	content := len(out)
	for x, y := a.content(), b.content(); len(x)+len(y) > 0; {
		var m Value
		var kept bool
		switch c := compareFirst(x, y); {
		case c < 0:
			m, x = cutValue(x)
			kept = k.onlyA
		case c > 0:
			m, y = cutValue(y)
			kept = k.onlyB
		default:
			m, x = cutValue(x)
			_, y = cutValue(y)
			kept = k.both
		}
		if kept {
			out = append(out, m...)
		}
	}
	if len(out) == content {
		return nil
	}
	return seal(out, content)
}

// compareFirst compares the first members of two sequences; the end of a sequence is greater than any.
func compareFirst(x, y []byte) int {
	if len(x) == 0 || len(y) == 0 {
		return len(y) - len(x)
	}
	a, _ := cutValue(x)
	b, _ := cutValue(y)
	return bytes.Compare(a.content(), b.content())
}
