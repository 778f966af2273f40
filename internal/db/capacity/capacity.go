// Package capacity turns sizes into capacity units. It is pure arithmetic; sizes are bytes as DynamoDB counts them, units are
// read or write units, in halves where reads are eventually consistent.
package capacity

import "github.com/grammedb/gramme/internal/db/index"

// A Mode is how a read is charged: a factor on its 4 KB blocks.
type Mode float64

// The modes.
const (
	Eventual      Mode = 0.5
	Strong        Mode = 1
	Transactional Mode = 2
)

// ReadMode returns the mode of a read outside of a transaction.
func ReadMode(consistent bool) Mode {
	if consistent {
		return Strong
	}
	return Eventual
}

const (
	readBlock  = 4 << 10
	writeBlock = 1 << 10
)

// Read returns the units for reading size bytes; reading nothing costs a block.
func Read(size int, m Mode) float64 { return float64(blocks(size, readBlock)) * float64(m) }

// Round returns what a read of size bytes is charged as, in bytes.
func Round(size int) int { return blocks(size, readBlock) * readBlock }

// Write returns the units for writing an item, the larger of its size before and after.
func Write(old, new int) float64 { return float64(blocks(max(old, new), writeBlock)) }

func blocks(size, block int) int { return max(1, (size+block-1)/block) }

// IndexWrite returns the units that a write costs on one index: nothing where the entry stays as it is, the larger image where
// it changes in place, both where it moves.
func IndexWrite(c index.Change) float64 {
	switch {
	case c.Same:
		return 0
	case c.OldKey == nil:
		return Write(0, c.NewSize)
	case c.NewKey == nil:
		return Write(c.OldSize, 0)
	case string(c.OldKey) == string(c.NewKey):
		return Write(c.OldSize, c.NewSize)
	}
	return Write(0, c.OldSize) + Write(0, c.NewSize)
}
