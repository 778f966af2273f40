package main

import (
	"testing"
	"time"
)

// TestLull: memory is released once after each time of work, when nothing has been done for a while.
func TestLull(t *testing.T) {
	const mib = 1 << 20
	var l lull
	allocated, worked := uint64(0), time.Duration(0)
	for i, tt := range []struct {
		intervals int
		more      uint64 // allocated in each of them
		millis    time.Duration
		want      bool // at the end of the last
	}{
		{1, 3 * mib, 50, false},       // the start
		{2 * lullLength, 0, 0, false}, // too little to release
		{1, 50 * mib, 500, false},
		{lullLength, 2 * mib, 1, false}, // still at work
		{lullLength - 1, mib / 2, 1, false},
		{1, mib / 2, 1, true},
		{2 * lullLength, mib / 2, 1, false},
		{1, 10 * mib, 100, false},
		{2 * lullLength, mib / 2, 300, false}, // reads from caches
		{lullLength - 1, 0, 1, false},
		{1, 0, 300, false},
		{lullLength, 0, 1, true},
	} {
		for n := range tt.intervals {
			allocated, worked = allocated+tt.more, worked+tt.millis*time.Millisecond
			if got, want := l.begins(allocated, worked), tt.want && n == tt.intervals-1; got != want {
				t.Errorf("step %d, interval %d, %d MiB: %v", i, n, allocated/mib, got)
			}
		}
	}
}
