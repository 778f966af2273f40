package main

import "testing"

// TestLull: memory is released once after each time of work.
func TestLull(t *testing.T) {
	const mib = 1 << 20
	var l lull
	allocated := uint64(0)
	for i, tt := range []struct {
		more uint64
		want bool
	}{
		{3 * mib, false}, // the start
		{0, false},       // too little to release
		{50 * mib, false},
		{2 * mib, false}, // still at work
		{mib / 2, true},
		{0, false},
		{mib / 2, false},
		{10 * mib, false},
		{0, true},
	} {
		allocated += tt.more
		if got := l.begins(allocated); got != tt.want {
			t.Errorf("step %d, %d MiB: %v", i, allocated/mib, got)
		}
	}
}
