package main

import (
	"context"
	"os"
	"runtime"
	"time"
)

// processors says how many of Go's scheduler serve a store's commits best, beside as many as there are.
type processors int

const (
	usual processors = iota // as many as there are: where few commits are

	// one: commits come one at a time, as of a lone client, and with nothing else to do. With more, each step of a commit begins by waking another
	// processor, which takes longer than the step: a third of the commits are lost, and the work is half as much again.
	one

	// spare: commits come faster than the disk takes them one by one. Who waits for an fsync keeps the scheduler's processor until the
	// runtime takes it away, 20 us to 10 ms later: of two cores one then does nothing, a tenth to a fifth of the commits are lost, and reads
	// beside them wait. One more makes up for it. Elsewhere it only costs: a Query a tenth, a commit alone a twentieth.
	spare
)

// A load is what a store and its process have done so far.
type load struct {
	commits, overlaps uint64        // overlaps are the commits that began when others were on their way to the disk
	worked, at        time.Duration // the time for which processors worked, and the clock
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
	commits, overlaps := now.commits-s.last.commits, now.overlaps-s.last.overlaps
	work := float64(now.worked-s.last.worked) / float64(now.at-s.last.at)
	s.last = now
	s.calm++
	switch {
	case overlaps >= scheduleFrom:
		s.calm = 0
		s.processors = spare
	case s.processors == spare && s.calm < scheduleCalm:
	case commits >= scheduleFrom && work > 0 && work < 0.85: // else something runs beside them: a flush, or reads
		s.processors = one
	default:
		s.processors = usual
	}
	return s.processors != was
}

// scheduleCommits follows the load until ctx ends. What the user has chosen stays.
func scheduleCommits(ctx context.Context, commits func() (all, overlaps uint64)) {
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
		all, overlaps := commits()
		if s.follow(load{all, overlaps, processorTime(), time.Since(began)}) {
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
