package workload

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/grammedb/gramme/internal/bench/dist"
)

// Bounds of the size of an item in bytes, by DynamoDB's count.
const (
	MinSize = 100
	MaxSize = 400 << 10
)

// A Size says how large items are. That of an item depends on its number only, so it can be told when the item is read.
type Size struct {
	lo, hi int
	zipf   *dist.Zipf // nil: uniform
}

// FixedSize is one size for all items.
func FixedSize(n int) Size { return Size{lo: n, hi: n} }

// ParseSize reads "400", "100-4096" (uniform) or "100-4096:zipfian" (small ones are many).
func ParseSize(text string) (Size, error) {
	wrong := fmt.Errorf("%q: a size is written 400, 100-4096 or 100-4096:zipfian, from %d to %d bytes", text, MinSize, MaxSize)
	span, shape, _ := strings.Cut(text, ":")
	from, to, ranged := strings.Cut(span, "-")
	if !ranged {
		to = from
	}
	lo, err := strconv.Atoi(from)
	if err != nil {
		return Size{}, wrong
	}
	hi, err := strconv.Atoi(to)
	if err != nil || lo < MinSize || hi > MaxSize || lo > hi {
		return Size{}, wrong
	}
	s := Size{lo: lo, hi: hi}
	switch shape {
	case "", "uniform":
	case "zipfian":
		s.zipf = dist.NewZipf(uint64(hi - lo + 1))
	default:
		return Size{}, wrong
	}
	return s, nil
}

// Of returns the size of item i.
func (s Size) Of(i uint64) int {
	if s.lo == s.hi {
		return s.lo
	}
	r := dist.RNG(dist.Mix64(^i))
	if s.zipf != nil {
		return s.lo + int(s.zipf.Rank(&r))
	}
	return s.lo + int(r.Below(uint64(s.hi-s.lo+1)))
}

// Min returns the smallest size.
func (s Size) Min() int { return s.lo }

// String writes s as ParseSize reads it.
func (s Size) String() string {
	switch {
	case s.lo == s.hi:
		return strconv.Itoa(s.lo)
	case s.zipf != nil:
		return fmt.Sprintf("%d-%d:zipfian", s.lo, s.hi)
	}
	return fmt.Sprintf("%d-%d", s.lo, s.hi)
}
