package main

import (
	"context"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grammedb/gramme"
)

// TestSchedule: one processor for commits that come one at a time and alone, one more than usual from the first overlaps until there have been
// none for some intervals.
func TestSchedule(t *testing.T) {
	const many, few = scheduleFrom, scheduleFrom - 1
	var s schedule
	var now load
	for i, tt := range []struct {
		conns             int
		commits, overlaps uint64
		percent           time.Duration // of a processor
		want              processors
	}{
		{1, 0, 0, 0, usual},
		{1, few, 0, 10, usual},
		{1, many, few, 50, one},
		{1, many, 0, 84, one},
		{2, many, 0, 60, usual}, // clients
		{1, many, 0, 60, one},
		{1, many, 0, 100, usual}, // a flush
		{1, many, 0, 60, one},
		{1, few, 0, 60, usual}, // reads
		{1, many, 0, 60, one},
		{1, 10 * many, many, 60, spare},
		{1, many, many, 180, spare},
		{1, many, 0, 60, spare}, {1, many, 1, 60, spare},
		{1, many, many, 60, spare}, // just in time
		{1, 0, 0, 0, spare}, {1, 0, 0, 0, spare}, {1, 0, 0, 0, usual},
		{1, many, many, 60, spare},
		{1, many, 0, 60, spare}, {1, many, 0, 60, spare}, {1, many, 0, 60, one},
		{1, many, 0, 0, usual}, // a system that does not tell how long processors worked
	} {
		was := s.processors
		now.Commits += tt.commits
		now.Overlaps += tt.overlaps
		now.Connections = tt.conns
		now.at += scheduleInterval
		now.worked += scheduleInterval * tt.percent / 100
		if changed := s.follow(now); s.processors != tt.want || changed != (was != tt.want) {
			t.Errorf("step %d: %d, changed %v; want %d", i, s.processors, changed, tt.want)
		}
	}
}

// TestScheduleCommits sees the scheduler get one processor more, then only one, and all when it is over.
func TestScheduleCommits(t *testing.T) {
	t.Setenv("GOMAXPROCS", "7")
	scheduleCommits(t.Context(), nil) // returns at once: the user has chosen

	if err := os.Unsetenv("GOMAXPROCS"); err != nil { // Setenv has seen to it that it comes back
		t.Fatal(err)
	}
	runtime.SetDefaultGOMAXPROCS()
	n := runtime.GOMAXPROCS(0)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var alone atomic.Bool
	wg.Go(func() {
		l := gramme.Load{Connections: 1}
		scheduleCommits(ctx, func() gramme.Load {
			l.Commits += scheduleFrom
			if !alone.Load() {
				l.Overlaps += scheduleFrom
			}
			return l
		})
	})
	await := func(want int) {
		for runtime.GOMAXPROCS(0) != want {
			time.Sleep(time.Millisecond)
		}
	}
	await(n + 1)
	alone.Store(true)
	if processorTime() > 0 {
		await(1)
	}
	cancel()
	wg.Wait()
	if got := runtime.GOMAXPROCS(0); got != n {
		t.Errorf("%d processors when all is over, want %d", got, n)
	}
}
