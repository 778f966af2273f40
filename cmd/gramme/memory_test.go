package main

import (
	"testing"
	"time"
)

// TestLull: memory is released once after each time of work.
func TestLull(t *testing.T) {
	const mib = 1 << 20
	var l lull
	allocated, worked := uint64(0), time.Duration(0)
	for i, tt := range []struct {
		more   uint64
		millis time.Duration
		want   bool
	}{
		{3 * mib, 1, false}, // the start
		{0, 1, false},       // too little to release
		{50 * mib, 1, false},
		{2 * mib, 1, false}, // still at work
		{mib / 2, 1, true},
		{0, 1, false},
		{mib / 2, 1, false},
		{10 * mib, 1, false},
		{mib / 2, 300, false}, // reads from caches
		{0, 300, false},
		{0, 1, true},
	} {
		allocated, worked = allocated+tt.more, worked+tt.millis*time.Millisecond
		if got := l.begins(allocated, worked); got != tt.want {
			t.Errorf("step %d, %d MiB: %v", i, allocated/mib, got)
		}
	}
}
