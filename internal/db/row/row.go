// Package row is the stored form of an item or an index entry.
//
//	format(1) stamp(8) origin(2) size(uvarint) attributes
//
// format is 1. stamp is a hybrid clock, big-endian: microseconds since 1970 shifted left by 12, and a counter. origin is the
// number of the region that wrote it, 0 for this one. size is what DynamoDB counts for the attributes, so capacity and page
// limits need no decoding. The attributes are an attr.Item.
package row

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
)

const (
	format = 1
	fixed  = 1 + 8 + 2
)

// Overhead is the most that a row's form adds to its attributes, in bytes.
const Overhead = fixed + binary.MaxVarintLen32

// A Stamp orders the versions of an item: by time, then by region.
type Stamp struct {
	Time   uint64
	Origin uint16
}

// counterBits is how far a stamp's microseconds are shifted to the left.
const counterBits = 12

// After returns a stamp of now or, where the clock has not moved on, the one after last.
func After(last uint64, now time.Time) uint64 {
	return max(uint64(now.UnixMicro())<<counterBits, last+1)
}

// At returns the time that the stamp tells.
func (s Stamp) At() time.Time { return time.UnixMicro(int64(s.Time >> counterBits)) }

// A Row is a decoded row; Item aliases what it was decoded from.
type Row struct {
	Stamp Stamp
	Size  int
	Item  attr.Item // nil: there is no such row
}

// Append appends the stored form of an item of the given size.
func Append(dst []byte, s Stamp, size int, it attr.Item) []byte {
	dst = append(dst, format)
	dst = binary.BigEndian.AppendUint64(dst, s.Time)
	dst = binary.BigEndian.AppendUint16(dst, s.Origin)
	dst = binary.AppendUvarint(dst, uint64(size))
	return append(dst, it...)
}

// Decode reads a stored row. nil, no row, is the zero Row. It fails with kv.ErrCorrupt.
func Decode(b []byte) (Row, error) {
	if b == nil {
		return Row{}, nil
	}
	if len(b) <= fixed || b[0] != format {
		return Row{}, fmt.Errorf("row of %d bytes: %w", len(b), kv.ErrCorrupt)
	}
	size, w := binary.Uvarint(b[fixed:])
	if w <= 0 {
		return Row{}, fmt.Errorf("row without a size: %w", kv.ErrCorrupt)
	}
	return Row{
		Stamp: Stamp{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint16(b[9:])},
		Size:  int(size),
		Item:  attr.Item(b[fixed+w:]),
	}, nil
}
