package evloop

import "testing"

// TestNudge: the loop that waits is woken if a connection is ready, whose event stays, and only then.
func TestNudge(t *testing.T) {
	for _, tt := range []struct {
		name           string
		waiting, ready bool
		want           bool
	}{
		{"waits", true, true, true},
		{"nothing came", true, false, false},
		{"is at it", false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _, client := newServer(t, nil)
			if tt.ready {
				write(t, client, "POST")
			}
			s.waiting.Store(tt.waiting)
			s.Nudge()
			if got := s.poked.Load(); got != tt.want {
				t.Errorf("woken: %v", got)
			}
			if got := s.loops[0].take(); got != tt.ready {
				t.Errorf("there is an event: %v", got)
			}
		})
	}
}
