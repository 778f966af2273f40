package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// A connSet knows the open connections, so that those can be closed that do not end by themselves.
type connSet struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	empty sync.Cond
}

func newConnSet() *connSet {
	s := &connSet{conns: make(map[net.Conn]struct{})}
	s.empty.L = &s.mu
	return s
}

func (s *connSet) note(c net.Conn, state fasthttp.ConnState) {
	if state == fasthttp.StateActive || state == fasthttp.StateIdle {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == fasthttp.StateNew {
		s.conns[c] = struct{}{}
		return
	}
	if delete(s.conns, c); len(s.conns) == 0 {
		s.empty.Broadcast()
	}
}

// closeAll closes every connection and returns when all have been given up.
func (s *connSet) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close() // its goroutine notices
	}
	for len(s.conns) > 0 {
		s.empty.Wait()
	}
}

// count returns how many connections are open.
func (s *connSet) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// idleConn is what an open connection needs at least: buffers, and the stack of its goroutine.
const idleConn = readBuffer + 20<<10

// defaultConns returns how many connections may be open if nobody says.
func defaultConns() int {
	limit := debug.SetMemoryLimit(-1) // does not set it
	return int(min(16384, max(256, limit/8/idleConn)))
}

// A limitedListener turns connections away that are too many.
type limitedListener struct {
	net.Listener
	open   func() int // how many there are
	most   int
	secure bool // connections begin with TLS: there is nothing to say to one that is turned away
	log    *slog.Logger
	told   time.Time // when the log was last told
}

// Accept returns the next connection for which there is room.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.open() < l.most {
			return c, err
		}
		l.turnAway(c)
	}
}

// turnAway says why in a way that makes clients come back.
func (l *limitedListener) turnAway(c net.Conn) {
	const body = `{"__type":"com.amazon.coral.availability#ServiceUnavailable","message":"The server has more connections than it can take. Try again."}`
	if time.Since(l.told) > time.Minute {
		l.told = time.Now()
		l.log.Warn("connections are turned away", "open", l.most)
	}
	if !l.secure {
		_ = c.SetWriteDeadline(time.Now().Add(time.Second)) // a new connection's buffer is empty, so this never waits
		_, _ = fmt.Fprintf(c, "HTTP/1.1 503 Service Unavailable\r\nServer: %s\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			ServerName, typeJSON10, len(body), body)
	}
	_ = c.Close()
}
