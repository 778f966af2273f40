package attr

import "github.com/grammedb/gramme/internal/lib/decimal"

// Size returns the bytes that DynamoDB counts for a value: the UTF-8 text or the bytes, about half a byte for a digit,
// 1 for BOOL and NULL, the sum of its members for a set, 3 and 1 for each element for a list or a map.
func (v Value) Size() int {
	if len(v) == 0 {
		return 0
	}
	from, to := extent(v)
	return sizeOf(Type(v[0]), v[from:to])
}

// Size returns the bytes that DynamoDB counts for an item: its names and values. 409,600 is the most it stores.
func (it Item) Size() int {
	size, _ := attributesSize(it)
	return size
}

// Within reports whether the item's size is at most limit. Most items are too short for a look into them: no value's size is as much
// as twice the length of its form. That is so for an empty list or map, where they are 3 and 2, and each element adds 1 and its own
// size to the one, its own length to the other.
func (it Item) Within(limit int) bool { return 2*len(it) <= limit || it.Size() <= limit }

// sizeOf returns the size of a value of type t.
func sizeOf(t Type, content []byte) int {
	switch t {
	case S, B:
		return len(content)
	case N:
		return decimal.Size(content)
	case BOOL, NULL:
		return 1
	case SS, NS, BS:
		size, _ := elementsSize(content)
		return size
	case L:
		size, n := elementsSize(content)
		return 3 + n + size
	case M:
		size, n := attributesSize(content)
		return 3 + n + size
	}
	return 0
}

// attributesSize returns the size of names and values, and how many there are.
func attributesSize(b []byte) (size, n int) {
	for ; len(b) > 0; n++ {
		name, w := length(b)
		b = b[w+name:]
		from, to := extent(b)
		size += name + sizeOf(Type(b[0]), b[from:to])
		b = b[to:]
	}
	return size, n
}

// elementsSize returns the size of the values that b consists of, and how many there are.
func elementsSize(b []byte) (size, n int) {
	for ; len(b) > 0; n++ {
		from, to := extent(b)
		size += sizeOf(Type(b[0]), b[from:to])
		b = b[to:]
	}
	return size, n
}
