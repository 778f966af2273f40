package pebblekv

import (
	"encoding/binary"
	"io"

	"github.com/cockroachdb/pebble/v2"
)

// counterMerger adds up counters: 8-byte big-endian two's complement, wrapping. A counter whose sum is 0 stays: dropping it
// in a compaction would uncover what a deletion merged into the sum had hidden.
var counterMerger = &pebble.Merger{Name: mergerName, Merge: newSum}

// sum is a counter being added up.
type sum uint64

func newSum(_, operand []byte) (pebble.ValueMerger, error) {
	s := new(sum)
	return s, s.add(operand)
}

func (s *sum) add(operand []byte) error {
	if len(operand) != 8 {
		return pebble.ErrCorruption
	}
	*s += sum(binary.BigEndian.Uint64(operand))
	return nil
}

// MergeNewer implements pebble.ValueMerger.
func (s *sum) MergeNewer(operand []byte) error { return s.add(operand) }

// MergeOlder implements pebble.ValueMerger.
func (s *sum) MergeOlder(operand []byte) error { return s.add(operand) }

// Finish implements pebble.ValueMerger.
func (s *sum) Finish(bool) ([]byte, io.Closer, error) {
	return binary.BigEndian.AppendUint64(nil, uint64(*s)), nil, nil
}
