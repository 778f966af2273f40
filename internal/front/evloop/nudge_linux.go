package evloop

import "slices"

// Nudge wakes the loop that waits if connections are ready, and reports whether any are, or a loop answers a request. Go's poller would wake it, but it is asked late while
// all processors are busy: this is for goroutines that keep one busy.
func (s *Server) Nudge() bool {
	if rawReadable(s.ep) {
		if s.waiting.Load() && !s.poked.Load() {
			s.poke()
		}
		return true
	}
	return slices.ContainsFunc(s.loops, (*loop).answers)
}

// answers reports whether the leader answers a request on the spot.
func (l *loop) answers() bool { return l.turn.Load()&1 == 1 }
