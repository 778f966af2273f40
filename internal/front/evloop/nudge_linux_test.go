package evloop

import (
	"testing"

	"golang.org/x/sys/unix"
)

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
			s, err := New(Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.file.Close()
			ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(ends[0])
			defer unix.Close(ends[1])
			event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(ends[0])}
			if err := unix.EpollCtl(s.ep, unix.EPOLL_CTL_ADD, ends[0], &event); err != nil {
				t.Fatal(err)
			}
			if tt.ready {
				if _, err := unix.Write(ends[1], []byte("POST")); err != nil {
					t.Fatal(err)
				}
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
