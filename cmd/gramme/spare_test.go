package main

import (
	"context"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSparing: there is one processor more from the first busy interval until there have been some calm ones.
func TestSparing(t *testing.T) {
	var s sparing
	overlaps := uint64(0)
	for i, tt := range []struct {
		more uint64
		on   bool
	}{
		{0, false},
		{spareFrom - 1, false},
		{spareFrom, true},
		{10 * spareFrom, true},
		{0, true}, {1, true},
		{spareFrom, true}, // just in time
		{0, true}, {0, true}, {0, false},
		{0, false},
		{spareFrom, true},
	} {
		was := s.on
		overlaps += tt.more
		if changed := s.follow(overlaps); s.on != tt.on || changed != (was != tt.on) {
			t.Errorf("step %d: on is %v, changed %v; want %v", i, s.on, changed, tt.on)
		}
	}
}

// TestSpareProcessor sees the scheduler get one processor more, and lose it when all is over.
func TestSpareProcessor(t *testing.T) {
	t.Setenv("GOMAXPROCS", "7")
	spareProcessor(t.Context(), nil) // returns at once: the user has chosen

	if err := os.Unsetenv("GOMAXPROCS"); err != nil { // Setenv has seen to it that it comes back
		t.Fatal(err)
	}
	runtime.SetDefaultGOMAXPROCS()
	n := runtime.GOMAXPROCS(0)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var overlaps atomic.Uint64
	wg.Go(func() { spareProcessor(ctx, func() uint64 { return overlaps.Add(spareFrom) }) })
	for runtime.GOMAXPROCS(0) != n+1 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	wg.Wait()
	if got := runtime.GOMAXPROCS(0); got != n {
		t.Errorf("%d processors when all is over, want %d", got, n)
	}
}
