package main

import (
	"context"
	"os"
	"runtime"
	"time"

	"github.com/grammedb/gramme"
)

// processors says how many of Go's scheduler serve a store's commits best.
type processors int

const (
	usual processors = iota // as many as there are: where few commits are

	// one: there is one client, which waits for one commit after the other, and nothing else to do. With more, each step of a commit begins by waking
	// another processor, which takes longer than the step: a third of the commits are lost, and the work is half as much again.
	one

	// spare: commits come faster than the disk takes them one by one. Who waits for an fsync keeps the scheduler's processor until the
	// runtime takes it away, 20 us to 10 ms later: of two cores one then does nothing, a tenth to a fifth of the commits are lost, and reads
	// beside them wait. One more makes up for it. Elsewhere it only costs: a Query a tenth, a commit alone a twentieth.
	spare
)

// A load is what a database and its process have done so far.
type load struct {
	gramme.Load
	worked, at time.Duration // the time for which processors worked, and the clock
}

const (
	scheduleInterval = 250 * time.Millisecond
	scheduleFrom     = 50 // commits in an interval: fewer leave the processors to others most of the time
	scheduleCalm     = 3  // intervals without overlaps end spare: to change the number stops everything for a moment
)

// A schedule follows the load.
type schedule struct {
	last       load
	calm       int
	processors processors
}

// follow takes the load so far and reports whether another number of processors is due.
func (s *schedule) follow(now load) (changed bool) {
	was := s.processors
	commits, overlaps := now.Commits-s.last.Commits, now.Overlaps-s.last.Overlaps
	work := float64(now.worked-s.last.worked) / float64(now.at-s.last.at)
	s.last = now
	s.calm++
	switch {
	case overlaps >= scheduleFrom:
		s.calm = 0
		s.processors = spare
	case s.processors == spare && s.calm < scheduleCalm:
	case commits >= scheduleFrom && now.Connections <= 1 && work > 0 && work < 0.85: // with more of it there is a flush or a job beside them
		s.processors = one
	default:
		s.processors = usual
	}
	return s.processors != was
}

// scheduleCommits follows the load until ctx ends. What the user has chosen stays.
func scheduleCommits(ctx context.Context, soFar func() gramme.Load) {
	if _, chosen := os.LookupEnv("GOMAXPROCS"); chosen {
		return
	}
	t := time.NewTicker(scheduleInterval)
	defer t.Stop()
	defer runtime.SetDefaultGOMAXPROCS()
	began := time.Now()
	s := schedule{last: load{worked: processorTime()}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if s.follow(load{soFar(), processorTime(), time.Since(began)}) {
			s.processors.set()
		}
	}
}

// set tells Go's scheduler.
func (p processors) set() {
	runtime.SetDefaultGOMAXPROCS() // as many as there are now: a container's limit may have changed
	switch p {
	case one:
		runtime.GOMAXPROCS(1)
	case spare:
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
