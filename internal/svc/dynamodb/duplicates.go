package dynamodb

import (
	"bytes"
	"hash/maphash"
	"math/bits"

	"github.com/grammedb/gramme/internal/db/table"
)

// hasDuplicates reports whether two members of the list have the same key. It is a hash set that copies nothing.
func hasDuplicates[T any](list []T, key func(T) []byte) bool {
	slots := make([]int32, 1<<bits.Len(uint(2*len(list)))) // at most half full: 1 + the place of a member
	for i, m := range list {
		k := key(m)
		at := maphash.Bytes(seed, k)
		for ; ; at++ {
			slot := &slots[at&uint64(len(slots)-1)]
			if *slot == 0 {
				*slot = int32(1 + i)
				break
			}
			if bytes.Equal(key(list[*slot-1]), k) {
				return true
			}
		}
	}
	return false
}

var seed = maphash.MakeSeed()

// rowKeys are keys of rows, in memory that they share.
type rowKeys struct {
	list   [][]byte
	memory []byte
}

// reset makes r empty and keeps the memory, unless the keys were long.
func (r *rowKeys) reset() {
	clear(r.list)
	r.list = r.list[:0]
	if cap(r.memory) > keptRowKeys {
		r.memory = nil
	}
	r.memory = r.memory[:0]
}

// keptRowKeys bounds the memory of keys that is kept.
const keptRowKeys = 16 << 10

// newRowKeys makes room for n keys of common length.
func newRowKeys(n int) rowKeys {
	return rowKeys{list: make([][]byte, 0, n), memory: make([]byte, 0, 48*n)}
}

func (r *rowKeys) add(d *table.Definition, k table.Key) {
	at := len(r.memory)
	r.memory = d.AppendRowKey(r.memory, k)
	r.list = append(r.list, r.memory[at:len(r.memory):len(r.memory)])
}

// repeat reports whether two of the keys are equal.
func (r *rowKeys) repeat() bool {
	return hasDuplicates(r.list, func(k []byte) []byte { return k })
}
