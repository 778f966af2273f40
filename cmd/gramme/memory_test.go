package main

import (
	"runtime/debug"
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

// TestPercent: what the collector lets pile up is bounded, and not so little that it collects all the time.
func TestPercent(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		live uint64
		want int
	}{{0, 100}, {5 * mib, 100}, {96 * mib, 100}, {192 * mib, 50}, {256 * mib, 37}, {384 * mib, 25}, {5000 * mib, 25}} {
		if got := percent(tt.live); got != tt.want {
			t.Errorf("%d MiB live: %d", tt.live/mib, got)
		}
	}
}

// TestCollector: the setting follows what is live where that is worth it, and what the user has set stays.
func TestCollector(t *testing.T) {
	t.Setenv("GOGC", "70")
	for _, memory := range []bool{false, true} {
		if !newCollector(memory).fixed {
			t.Error("the user's GOGC is lost")
		}
	}
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	newCollector(false).follow(400 << 20)
	if now := debug.SetGCPercent(100); now != 100 {
		t.Errorf("GOGC is %d, which the user has not asked for", now)
	}
	c := &collector{percent: 100}
	for _, tt := range []struct {
		live uint64
		want int
	}{{10 << 20, 100}, {256 << 20, 37}, {270 << 20, 37}, {400 << 20, 25}, {10 << 20, 100}} {
		c.follow(tt.live)
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		if now != tt.want {
			t.Errorf("%d MiB live: GOGC is %d, want %d", tt.live>>20, now, tt.want)
		}
	}
}
