package evloop

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A loop takes events and serves their connections, one after the other. All loops take from the same epoll instance, whoever has
// time; epoll tells each event once. One loop that has nothing to do waits for epoll, and the others for a loop that sees more than it can do at once.
type loop struct {
	s *Server
	// turn is odd while the leader answers a request on the spot, and counts up. Whoever makes it even has the lead from then on:
	// the leader when it has answered, or the watch, for another member, before.
	turn  atomic.Uint64
	rouse chan struct{}
	ended func()

	// Of the leader.
	events  [maxEvents]unix.EpollEvent
	n       int // events that there are
	at      int // those that have been seen to
	rounds  int
	collect func(uintptr) bool
}

const (
	// maxEvents is how many events a loop takes at once: few, so that the others get some.
	maxEvents = 4
	// fairness is how many rounds a loop makes without giving way to other goroutines.
	fairness = 8
)

func newLoop(s *Server) *loop {
	l := &loop{s: s, rouse: make(chan struct{}, 1)}
	l.collect = func(uintptr) bool { return l.take() }
	return l
}

// take takes events that there are now, and reports whether there are any.
func (l *loop) take() bool {
	l.n, l.at = rawEpollWait(l.s.ep, l.events[:]), 0
	return l.n > 0
}

// lead serves what l takes until m loses the lead or the server has ended.
func (m *member) lead(l *loop) {
	for gave := false; ; {
		for l.at < l.n { // first what a leader before has left
			event := l.events[l.at]
			l.at++
			c := l.s.conns.get(int(event.Fd))
			if c == nil {
				continue
			}
			switch m.ready(l, c, event.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0) {
			case deposed:
				return
			case given:
				gave = true
			}
		}
		if l.rounds++; gave || l.rounds%fairness == 0 {
			gave = false
			runtime.Gosched()
		}
		if !l.next() {
			l.ended()
			return
		}
	}
}

// next waits for events. It reports false when the server has ended.
func (l *loop) next() bool {
	s := l.s
	for {
		if s.ended() {
			s.rouseAll()
			s.poke() // the one that waits, too
			return false
		}
		if l.take() {
			break
		}
		if !s.waiting.CompareAndSwap(false, true) {
			l.sleep()
			continue
		}
		l.wait()
		s.waiting.Store(false)
		if l.n > 0 {
			break
		}
	}
	if l.n == maxEvents && s.sleepers.Load() > 0 {
		s.rouseOne()
	}
	return true
}

// wait waits for epoll until there are events or it is poked. One loop does at a time.
func (l *loop) wait() {
	s := l.s
	if s.raw.Read(l.collect) == nil {
		return
	}
	_ = s.file.SetReadDeadline(time.Time{})
	s.poked.Store(false) // after that, so that the next poke is not undone
}

// sleep waits for another loop.
func (l *loop) sleep() {
	s := l.s
	s.mu.Lock()
	s.asleep = append(s.asleep, l)
	s.sleepers.Store(int32(len(s.asleep)))
	s.mu.Unlock()
	if s.ended() || !s.waiting.Load() {
		s.rouseOne() // the one that waited does not know of l
	}
	<-l.rouse
}

// rouseOne wakes a loop.
func (s *Server) rouseOne() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.asleep) - 1
	if n < 0 {
		return false
	}
	s.asleep[n].rouse <- struct{}{}
	s.asleep = s.asleep[:n]
	s.sleepers.Store(int32(n))
	return true
}

func (s *Server) rouseAll() {
	for s.rouseOne() {
	}
}

// poke makes the loop that waits look around. What there is to see must be there before.
func (s *Server) poke() {
	if s.poked.CompareAndSwap(false, true) {
		_ = s.file.SetReadDeadline(time.Unix(1, 0))
	}
}

// ended reports whether there is nothing left to do. It stays so.
func (s *Server) ended() bool {
	return s.stopping.Load() && !s.accepting.Load() && s.conns.size.Load() == 0
}
