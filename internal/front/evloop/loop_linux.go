package evloop

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A loop is an epoll instance with its connections. Go's own poller waits for it: an idle loop is a parked goroutine.
type loop struct {
	s    *Server
	ep   int
	file *os.File // ep
	raw  syscall.RawConn
	// turn is odd while the leader answers a request on the spot, and counts up. Whoever makes it even has the lead from then on:
	// the leader when it has answered, or the watch, for another goroutine, before.
	turn   atomic.Uint64
	poked  atomic.Bool // there is something else to attend to
	expire atomic.Bool // namely connections that take too long
	size   atomic.Int64
	sweeps atomic.Uint32 // how often that has been looked for
	ended  func()

	mu    sync.Mutex
	conns map[int32]*conn

	// Of the leader.
	events []unix.EpollEvent
	n      int // events that there are
	ready  []*conn
	wait   func(uintptr) bool
	rounds int
}

const (
	maxEvents = 64
	// fairness is how many rounds a loop makes without giving way to other goroutines.
	fairness = 8
)

func newLoop(s *Server) (*loop, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(ep, true); err != nil { // which makes Go's poller take it
		_ = unix.Close(ep)
		return nil, err
	}
	l := &loop{s: s, ep: ep, file: os.NewFile(uintptr(ep), "epoll"), conns: make(map[int32]*conn)}
	if err := l.file.SetReadDeadline(time.Time{}); err != nil { // it has not
		l.close()
		return nil, err
	}
	if l.raw, err = l.file.SyscallConn(); err != nil {
		l.close()
		return nil, err
	}
	l.wait = l.collect
	return l, nil
}

func (l *loop) close() { _ = l.file.Close() }

// poke wakes l's leader.
func (l *loop) poke() {
	l.poked.Store(true)
	_ = l.file.SetReadDeadline(time.Unix(1, 0))
}

// add makes a connection one of l's.
func (l *loop) add(fd int) {
	c := &conn{l: l, fd: fd, fresh: true, swept: l.sweeps.Load()}
	l.mu.Lock()
	l.conns[int32(fd)] = c
	l.mu.Unlock()
	l.size.Add(1)
	l.s.open.Add(1)
	if err := l.arm(fd); err != nil {
		c.mu.Lock()
		c.close()
		c.mu.Unlock()
	}
}

// arm has epoll report when there is something to read.
func (l *loop) arm(fd int) error {
	return unix.EpollCtl(l.ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (l *loop) disarm(fd int) { _ = unix.EpollCtl(l.ep, unix.EPOLL_CTL_DEL, fd, nil) }

// collect looks for events without waiting, and reports whether there are any.
func (l *loop) collect(uintptr) bool {
	l.n = rawEpollWait(l.ep, l.events)
	return l.n > 0
}

// next waits until connections are ready.
func (l *loop) next() {
	l.n = 0
	_ = l.raw.Read(l.wait) // fails when poked
	l.ready = l.ready[:0]
	l.mu.Lock()
	for _, e := range l.events[:l.n] {
		if c := l.conns[e.Fd]; c != nil {
			l.ready = append(l.ready, c)
		}
	}
	l.mu.Unlock()
}

// lead serves l's connections until m loses the lead or the server stops.
func (m *member) lead(l *loop) {
	if l.events == nil {
		l.events = make([]unix.EpollEvent, maxEvents)
	}
	for {
		l.next()
		l.s.awake()
		gave := false
		for _, c := range l.ready {
			switch m.ready(c) {
			case deposed:
				return
			case given:
				gave = true
			}
		}
		if l.rounds++; gave || l.rounds%fairness == 0 {
			runtime.Gosched()
		}
		if (l.poked.Load() || l.n == 0) && l.attend() {
			l.ended()
			return
		}
	}
}

// attend does what l was poked for, and reports whether l has ended.
func (l *loop) attend() bool {
	l.poked.Store(false)
	_ = l.file.SetReadDeadline(time.Time{})
	stopping := l.s.stopping.Load()
	sweep := l.expire.Swap(false)
	if sweep {
		l.sweeps.Add(1)
	}
	if sweep || stopping {
		for _, c := range l.all() {
			c.inspect(stopping)
		}
	}
	return stopping && l.size.Load() == 0
}

// shutdown ends all connections: reads and writes on them fail.
func (l *loop) shutdown() {
	for _, c := range l.all() {
		c.mu.Lock()
		if c.state != closed {
			_ = unix.Shutdown(c.fd, unix.SHUT_RDWR)
		}
		c.mu.Unlock()
	}
}

func (l *loop) all() []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*conn, 0, len(l.conns))
	for _, c := range l.conns {
		all = append(all, c)
	}
	return all
}

// forget takes a connection from l.
func (l *loop) forget(c *conn) {
	l.mu.Lock()
	delete(l.conns, int32(c.fd))
	l.mu.Unlock()
	l.s.open.Add(-1)
	if l.size.Add(-1) == 0 && l.s.stopping.Load() {
		l.poke() // it may end
	}
}
