package keys

import (
	"bytes"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// spaceLen is the length of the prefix that the rows of one table or index share: kind, table, index.
const spaceLen = 1 + 8 + 2

// AppendTable appends the prefix of all rows of a table and its indexes.
func AppendTable(dst []byte, table uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, kindRow), table)
}

// AppendSpace appends the prefix of all rows of a table (index 0) or of one of its indexes.
func AppendSpace(dst []byte, table uint64, index uint16) []byte {
	return binary.BigEndian.AppendUint16(AppendTable(dst, table), index)
}

// Space returns the prefix of a row's key that AppendSpace made, or nil if key is shorter. Applied to a key of another kind it
// returns some prefix of it, which still is no row's.
func Space(key []byte) []byte {
	if len(key) < spaceLen {
		return nil
	}
	return key[:spaceLen]
}

// AppendPartition appends hash and partition part to a space: the prefix of an item collection.
func AppendPartition(dst []byte, attrs ...[]byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0)
	for _, a := range attrs {
		dst = appendSized(dst, a)
	}
	hash := xxhash.Sum64(dst[at+2:])
	binary.BigEndian.PutUint16(dst[at:], uint16(hash>>48))
	return dst
}

// CollectionOf returns the prefix of a row's key that ends with the first partition attribute: where that is the only one the row's item
// collection, else what it and some others begin with. It is nil for a key that ends before, and for one of another kind.
func CollectionOf(key []byte) []byte {
	const at = spaceLen + 2
	if len(key) < at || key[0] != kindRow {
		return nil
	}
	size, width := binary.Uvarint(key[at:])
	if width <= 0 || size > uint64(len(key)-at-width) {
		return nil
	}
	return key[:at+width+int(size)]
}

// appendSized appends b behind its length.
func appendSized(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// AppendSort appends one sort attribute of an index, escaped and terminated.
func AppendSort(dst, b []byte) []byte {
	return append(AppendSortPrefix(dst, b), 0x00, 0x01)
}

// AppendSortPrefix appends the beginning of a sort attribute of an index: what all keys that begin with b begin with.
func AppendSortPrefix(dst, b []byte) []byte {
	for {
		zero := bytes.IndexByte(b, 0)
		if zero < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:zero]...)
		dst = append(dst, 0x00, 0xff)
		b = b[zero+1:]
	}
}

// AppendTableKey appends the table's key as it ends an index entry's key. sk is nil where the table has no sort key.
func AppendTableKey(dst, pk, sk []byte) []byte {
	return append(appendSized(dst, pk), sk...)
}

// Hash returns the hash in a row's key.
func Hash(row []byte) uint16 {
	return binary.BigEndian.Uint16(row[spaceLen:])
}

// Segment returns the range of the rows of a table or index that segment s of total holds: those with hash*total>>16 == s.
// The segments of one total are disjoint and cover all rows; of more than 65,536 some are empty (lo equals hi).
func Segment(table uint64, index uint16, s, total int) (lo, hi []byte) {
	return segmentStart(table, index, s, total), segmentStart(table, index, s+1, total)
}

// segmentStart returns the first key of segment s: that of the smallest hash h with h*total >= s<<16.
func segmentStart(table uint64, index uint16, s, total int) []byte {
	space := AppendSpace(make([]byte, 0, spaceLen+2), table, index)
	first := (int64(s)<<16 + int64(total) - 1) / int64(total)
	if first >= 1<<16 {
		return Next(space)
	}
	return binary.BigEndian.AppendUint16(space, uint16(first))
}

// Next returns the first key after all keys that begin with prefix; nil if there is none.
func Next(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			next := bytes.Clone(prefix[:i+1])
			next[i]++
			return next
		}
	}
	return nil
}

// Within reports whether all keys in [lo, hi), if there are any, begin with prefix.
func Within(prefix, lo, hi []byte) bool {
	return bytes.HasPrefix(lo, prefix) && (bytes.HasPrefix(hi, prefix) || isNext(hi, prefix))
}

// isNext reports whether key is Next(prefix).
func isNext(key, prefix []byte) bool {
	end := len(key) - 1
	if end < 0 || end >= len(prefix) || prefix[end] == 0xff || key[end] != prefix[end]+1 || !bytes.HasPrefix(prefix, key[:end]) {
		return false
	}
	for _, b := range prefix[end+1:] {
		if b != 0xff {
			return false
		}
	}
	return true
}
