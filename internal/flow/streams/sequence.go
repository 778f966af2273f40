package streams

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/grammedb/gramme/internal/kv"
)

// A Sequence is a sequence number: a record's shard and its position there. Clients see shard * 10^20 + position, in decimal: numbers of 21
// digits or more, which grow within a shard and from a shard to its children.
type Sequence struct {
	Shard uint64
	Pos   kv.Pos
}

// posDigits is how many digits the position takes.
const posDigits = 20

// String returns the number as clients see it.
func (s Sequence) String() string {
	b := strconv.AppendUint(make([]byte, 0, 2*posDigits), s.Shard, 10)
	pos := strconv.AppendUint(make([]byte, 0, posDigits), uint64(s.Pos), 10)
	for range posDigits - len(pos) {
		b = append(b, '0')
	}
	return string(append(b, pos...))
}

// ParseSequence reads what String returns; leading zeros do no harm.
func ParseSequence(text string) (Sequence, error) {
	cut := len(text) - posDigits
	if cut <= 0 || strings.Trim(text, "0123456789") != "" {
		return Sequence{}, fmt.Errorf("streams: %q is no sequence number", text)
	}
	shard, err := strconv.ParseUint(text[:cut], 10, 64)
	if err != nil {
		return Sequence{}, fmt.Errorf("streams: %q is no sequence number", text)
	}
	pos, err := strconv.ParseUint(text[cut:], 10, 64)
	if err != nil {
		return Sequence{}, fmt.Errorf("streams: %q is no sequence number", text)
	}
	return Sequence{shard, kv.Pos(pos)}, nil
}

// EventID returns what tells a record from every other one of any table: 32 hexadecimal digits.
func (s *Stream) EventID(r *Record) string {
	b := binary.BigEndian.AppendUint64([]byte(s.Table.ID), r.Sequence.Shard)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(r.Sequence.Pos)))
	return hex.EncodeToString(sum[:16])
}
