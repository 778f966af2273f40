package attr

import "github.com/grammedb/gramme/internal/lib/decimal"

// Size returns the bytes that DynamoDB counts for a value: the UTF-8 text or the bytes, about half a byte for a digit,
// 1 for BOOL and NULL, the sum of its members for a set, 3 and 1 for each element for a list or a map.
func (v Value) Size() int {
	switch v.Type() {
	case S, B:
		return len(v.content())
	case N:
		return decimal.Size(v.content())
	case BOOL, NULL:
		return 1
	case SS, NS, BS:
		n := 0
		for e := range v.Elems() {
			n += e.Size()
		}
		return n
	case L:
		n := 3
		for e := range v.Elems() {
			n += 1 + e.Size()
		}
		return n
	case M:
		n := 3
		for name, e := range v.Item().All() {
			n += 1 + len(name) + e.Size()
		}
		return n
	}
	return 0
}

// Size returns the bytes that DynamoDB counts for an item: its names and values. 409,600 is the most it stores.
func (it Item) Size() int {
	n := 0
	for name, v := range it.All() {
		n += len(name) + v.Size()
	}
	return n
}
