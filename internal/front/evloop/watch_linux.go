package evloop

import (
	"sync/atomic"
	"time"
)

// A watch looks, while there are requests of more than one connection, every now and then whether a loop's leader is still at the request at which it was the
// last time: waiting for a disk or a lock, or for a client to take a large answer. Then another member takes over the loop.
type watch struct {
	asleep atomic.Bool
	wake   chan struct{}
}

const (
	// glance is the time between two looks, and patience how many looks without any request end the watch until the next.
	glance   = time.Millisecond
	patience = 100
)

// lone reports whether a leader holds up nobody, whatever it does: there is no other connection. Then the watch sleeps, for as long as it is
// awake it costs each request that finds the server idle some 10 us: Go's poller waits for the network with a timer that is due soon.
func (s *Server) lone() bool { return s.Open() <= 1 }

// awake makes sure that there is a watch. The caller has made a turn odd, or the connections more than one.
func (s *Server) awake() {
	if s.watch.asleep.Load() && s.watch.asleep.CompareAndSwap(true, false) {
		s.watch.wake <- struct{}{}
	}
}

// watchLoops watches until the server has ended.
func (s *Server) watchLoops() {
	seen := make([]uint64, len(s.loops))
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for quiet := 0; ; {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		if quiet++; s.look(seen) && !s.lone() {
			quiet = 0
		}
		if quiet < patience {
			continue
		}
		tick.Stop()
		if !s.doze(seen) {
			return
		}
		tick.Reset(glance)
		quiet = 0
	}
}

// doze waits for a request that somebody answers on the spot, or for a second connection. It reports false when the server has ended.
func (s *Server) doze(seen []uint64) bool {
	s.watch.asleep.Store(true)
	if s.look(seen) && !s.lone() {
		s.awake() // by a request whose leader may have found the watch awake
	}
	select {
	case <-s.done:
		return false
	case <-s.watch.wake:
		return true
	}
}

// look compares the loops' turns with those seen before, and reports whether anything happens.
func (s *Server) look(seen []uint64) (busy bool) {
	for i, l := range s.loops {
		turn := l.turn.Load()
		if turn&1 == 1 && turn == seen[i] && l.turn.CompareAndSwap(turn, turn+1) {
			s.crew.do(task{lead: l})
			turn++
		}
		busy = busy || turn != seen[i] || turn&1 == 1
		seen[i] = turn
	}
	return busy
}
