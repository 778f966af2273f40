package main

import (
	"context"
	"os"
	"runtime"
	"time"
)

// A sparing gives Go's scheduler one processor more than there are while commits come faster than the disk takes them one by one. Who waits for an
// fsync keeps the scheduler's processor until the runtime takes it away, 20 us to 10 ms later: of two cores one then does nothing, a tenth to a fifth
// of the commits are lost, and reads beside them wait. Where nobody else waits one more only costs: a Query a tenth, a commit alone a twentieth.
type sparing struct {
	last uint64 // commits that overlapped others
	calm int    // intervals in a row
	on   bool
}

const (
	spareInterval = 250 * time.Millisecond
	spareFrom     = 50 // commits in an interval: fewer leave the processors to others most of the time
	spareCalm     = 3  // intervals: to change the number stops everything for a moment
)

// follow takes the number of overlapping commits so far and reports whether a change is due.
func (s *sparing) follow(overlaps uint64) bool {
	busy := overlaps-s.last >= spareFrom
	s.last = overlaps
	if busy {
		s.calm = 0
	} else {
		s.calm++
	}
	if busy == s.on || s.on && s.calm < spareCalm {
		return false
	}
	s.on = busy
	return true
}

// spareProcessor follows the commits of a store until ctx ends. What the user has chosen stays.
func spareProcessor(ctx context.Context, overlaps func() uint64) {
	if _, chosen := os.LookupEnv("GOMAXPROCS"); chosen {
		return
	}
	t := time.NewTicker(spareInterval)
	defer t.Stop()
	defer runtime.SetDefaultGOMAXPROCS()
	var s sparing
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if !s.follow(overlaps()) {
			continue
		}
		runtime.SetDefaultGOMAXPROCS() // as many as there are now: a container's limit may have changed
		if s.on {
			runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
		}
	}
}
