package evloop

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Server is what the loops share. A nil *Server has no connections.
type Server struct {
	cfg      Config
	loops    []*loop
	crew     crew
	watch    watch
	open     atomic.Int64 // connections
	stopping atomic.Bool
	done     chan struct{} // closed when the loops have ended
}

// New makes loops, one for each processor that Go uses.
func New(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, done: make(chan struct{})}
	s.crew.s = s
	s.watch.wake = make(chan struct{}, 1)
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop(s)
		if err != nil {
			s.release()
			return nil, err
		}
		s.loops = append(s.loops, l)
	}
	return s, nil
}

// Serve takes connections from ln until it is closed. Those that have no descriptor go to the other server.
func (s *Server) Serve(ln net.Listener) error {
	s.start()
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

// take gives a new connection to the loop that has the fewest.
func (s *Server) take(c net.Conn) {
	fd, err := descriptor(c)
	if err != nil {
		s.cfg.Other(c, nil)
		return
	}
	_ = c.Close() // which takes it from Go's poller
	least := s.loops[0]
	for _, l := range s.loops[1:] {
		if l.size.Load() < least.size.Load() {
			least = l
		}
	}
	least.add(fd)
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
		s.release()
		close(s.done)
	}()
}

// Open returns how many connections the loops have.
func (s *Server) Open() int {
	if s == nil {
		return 0
	}
	return int(s.open.Load())
}

// Shutdown closes idle connections and waits for the others to be answered, or for ctx. The listener must have been closed.
func (s *Server) Shutdown(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.stopping.Store(true)
	s.poke()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes all connections and waits until nobody serves one.
func (s *Server) Close() {
	if s == nil {
		return
	}
	s.stopping.Store(true)
	for _, l := range s.loops {
		l.shutdown()
	}
	s.poke()
	<-s.done
}

// release frees the descriptors of the loops.
func (s *Server) release() {
	for _, l := range s.loops {
		l.close()
	}
	s.crew.dismiss(0)
}

func (s *Server) poke() {
	for _, l := range s.loops {
		l.poke()
	}
}

// sweep ends connections that take too long.
func (s *Server) sweep() {
	t := time.NewTicker(s.cfg.sweep())
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
		}
		for _, l := range s.loops {
			if l.size.Load() > 0 {
				l.expire.Store(true)
				l.poke()
			}
		}
		s.crew.dismiss(spare)
	}
}
