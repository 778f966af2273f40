package evloop

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Server is an epoll instance with its connections, and the loops that wait for it. A nil *Server has no connections.
type Server struct {
	cfg   Config
	ep    int
	file  *os.File // ep, as Go's poller knows it: waiting for it is a parked goroutine
	raw   syscall.RawConn
	conns table
	loops []*loop
	crew  crew
	watch watch

	waiting  atomic.Bool // a loop waits for epoll; the others wait for a loop
	mu       sync.Mutex
	asleep   []*loop
	sleepers atomic.Int32 // len(asleep)

	poked     atomic.Bool   // the file's deadline has passed, so that nobody waits for epoll
	sweeps    atomic.Uint32 // how many there have been
	accepting atomic.Bool   // there may be more connections
	stopping  atomic.Bool
	done      chan struct{} // closed when the loops have ended
}

// New makes a Server with a loop for each processor that Go uses.
func New(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, done: make(chan struct{})}
	s.crew.s = s
	s.watch.wake = make(chan struct{}, 1)
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	s.ep = ep
	if err := unix.SetNonblock(ep, true); err != nil { // which makes Go's poller take it
		_ = unix.Close(ep)
		return nil, err
	}
	s.file = os.NewFile(uintptr(ep), "epoll")
	if err := s.file.SetReadDeadline(time.Time{}); err != nil { // it has not
		return nil, errors.Join(err, s.file.Close())
	}
	if s.raw, err = s.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	for range runtime.GOMAXPROCS(0) {
		s.loops = append(s.loops, newLoop(s))
	}
	return s, nil
}

// Serve takes connections from ln until it is closed. Those that have no descriptor go to the other server.
func (s *Server) Serve(ln net.Listener) error {
	s.accepting.Store(true)
	s.start()
	defer func() {
		s.accepting.Store(false)
		s.poke() // that may be the end
	}()
	for {
		c, err := ln.Accept()
		switch {
		case err == nil:
			s.take(c)
		case errors.Is(err, net.ErrClosed):
			return nil
		case isShort(err):
			time.Sleep(10 * time.Millisecond) // until somebody closes something
		default:
			return err
		}
	}
}

// isShort reports whether a connection could not be accepted for want of something that comes back.
func isShort(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM)
}

// start begins to lead the loops and to look after them.
func (s *Server) start() {
	var loops sync.WaitGroup
	loops.Add(len(s.loops))
	for _, l := range s.loops {
		l.ended = loops.Done
		s.crew.do(task{lead: l})
	}
	go s.sweep()
	go s.watchLoops()
	go func() {
		loops.Wait()
		_ = s.file.Close()
		s.crew.dismiss(0)
		close(s.done)
	}()
}

// take makes c one of the server's connections.
func (s *Server) take(nc net.Conn) {
	fd, err := descriptor(nc)
	if err != nil || !s.conns.holds(fd) {
		if err == nil {
			_ = unix.Close(fd)
		}
		s.cfg.Other(nc, nil)
		return
	}
	_ = nc.Close() // which takes it from Go's poller
	c := &conn{s: s, fd: fd, fresh: true, swept: s.sweeps.Load()}
	s.conns.set(fd, c)
	if !s.lone() {
		s.awake() // the one before may be held up
	}
	if err := unix.EpollCtl(s.ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}); err != nil {
		c.drop()
	}
	if s.stopping.Load() {
		c.inspect() // Shutdown may have done so before c was there
	}
}

// descriptor returns a descriptor of c that is the caller's.
func descriptor(c net.Conn) (int, error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return -1, ErrUnsupported
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	if failed := raw.Control(func(of uintptr) { fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0) }); failed != nil {
		return -1, failed
	}
	return fd, err
}

// Open returns how many connections there are.
func (s *Server) Open() int {
	if s == nil {
		return 0
	}
	return int(s.conns.size.Load())
}

// Shutdown closes idle connections and waits for the others to be answered and for Serve to return, or for ctx. The listener must have
// been closed.
func (s *Server) Shutdown(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.stopping.Store(true)
	s.inspect()
	s.poke()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends all connections and waits until nobody serves one.
func (s *Server) Close() {
	if s == nil {
		return
	}
	s.stopping.Store(true)
	for c := range s.conns.all {
		c.cut()
	}
	s.poke()
	<-s.done
}

// inspect ends the connections that are to end.
func (s *Server) inspect() {
	for c := range s.conns.all {
		c.inspect()
	}
}

// sweep looks for connections that take too long.
func (s *Server) sweep() {
	t := time.NewTicker(s.cfg.sweep())
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
		}
		s.sweeps.Add(1)
		s.inspect()
		s.crew.dismiss(spare)
	}
}
