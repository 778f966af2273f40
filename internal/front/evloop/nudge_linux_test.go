package evloop

import "testing"

// TestNudge: the loop that waits is woken if a connection is ready, whose event stays, and only then. That one is ready or answered is told.
func TestNudge(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		waiting, ready, answer bool
		woken, short           bool
	}{
		{"waits", true, true, false, true, true},
		{"nothing came", true, false, false, false, false},
		{"is at it", false, true, false, false, true},
		{"another answers", true, false, true, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _, client := newServer(t, nil)
			if tt.ready {
				write(t, client, "POST")
			}
			s.waiting.Store(tt.waiting)
			if tt.answer {
				s.loops[0].turn.Add(1)
			}
			if got := s.Nudge(); got != tt.short {
				t.Errorf("short work: %v", got)
			}
			if got := s.poked.Load(); got != tt.woken {
				t.Errorf("woken: %v", got)
			}
			if got := s.loops[0].take(); got != tt.ready {
				t.Errorf("there is an event: %v", got)
			}
		})
	}
}
