package evloop

// Nudge wakes the loop that waits if connections are ready. Go's poller would, but it is asked late while all processors are busy: this is
// for goroutines that keep one busy.
func (s *Server) Nudge() {
	if s.waiting.Load() && !s.poked.Load() && rawReadable(s.ep) {
		s.poke()
	}
}
