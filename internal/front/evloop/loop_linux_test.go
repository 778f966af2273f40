package evloop

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newServer returns a server that does not run, and the client's end of a connection of it.
func newServer(t *testing.T, h Handler) (*Server, *conn, int) {
	t.Helper()
	s, err := New(Config{Handler: h})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.file.Close() })
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Close(ends[0])
		_ = unix.Close(ends[1])
	})
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(ends[0])}
	if err := unix.EpollCtl(s.ep, unix.EPOLL_CTL_ADD, ends[0], &event); err != nil {
		t.Fatal(err)
	}
	c := &conn{s: s, fd: ends[0]}
	s.conns.set(c.fd, c)
	return s, c, ends[1]
}

func write(t *testing.T, fd int, text string) {
	t.Helper()
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// TestPokeOnce: a poke ends one wait and not those after it, whatever was looked at in between.
func TestPokeOnce(t *testing.T) {
	s, _, _ := newServer(t, nil)
	for range 2 {
		s.poke()
		s.poke()
		s.loops[0].wait()
		if err := s.raw.Read(func(uintptr) bool { return true }); err != nil {
			t.Fatalf("the next wait would end at once: %v", err)
		}
	}
}

// join adds a connection of which nothing comes.
func join(s *Server, fd int) { s.conns.set(fd, &conn{s: s, fd: fd}) }

// TestWatchIsAwake: the watch is awake while a request is answered on the spot, also if it fell asleep when its event had been taken. It sleeps on if
// there is no other connection.
func TestWatchIsAwake(t *testing.T) {
	s, c, client := newServer(t, &echo{})
	m := &member{s: s, in: inboxes.Get().(*inbox)}
	for _, lone := range []bool{true, false} {
		if !lone {
			join(s, client)
		}
		write(t, client, request("quick"))
		s.watch.asleep.Store(true)
		if got := m.ready(s.loops[0], c, false); got != onward {
			t.Fatal(got)
		}
		if slept := len(s.watch.wake) == 0; slept != lone {
			t.Errorf("lone %v: it slept %v", lone, slept)
		}
	}
}

// TestDoze: a watch does not fall asleep over a request that began when it was awake.
func TestDoze(t *testing.T) {
	s, _, client := newServer(t, nil)
	join(s, client)
	seen := make([]uint64, len(s.loops))
	s.loops[0].turn.Add(1) // its leader has found the watch awake
	woken := make(chan bool, 1)
	go func() { woken <- s.doze(seen) }()
	select {
	case on := <-woken:
		if !on {
			t.Error("the server has not ended")
		}
	case <-time.After(5 * time.Second):
		t.Error("it sleeps")
	}
}
