package evloop

import (
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A conn is a connection.
type conn struct {
	s  *Server
	fd int

	mu    sync.Mutex // for what follows
	state state
	again bool   // an event came while it was served
	swept uint32 // the server's sweeps when it was last heard of
	fresh bool   // no request has come yet
	in    []byte // the beginning of a request
}

type state int

const (
	idle   state = iota // nobody's
	served              // somebody's, who alone uses fresh and in
	closed
)

// begin makes an idle connection the caller's. If it is somebody's, it is for that one to look again; so it is once the client has ended its
// side, because the end is read after what came before it, and makes no event of its own.
func (c *conn) begin(halfClosed bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == served || halfClosed {
		c.again = true
	}
	if c.state != idle {
		return false
	}
	c.state = served
	return true
}

// end makes the caller's connection idle, with what there is of a request. It reports true if the connection is to be looked at again and still the caller's.
func (c *conn) end(part []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := len(c.in) == 0
	c.in = append(c.in[:0], part...)
	switch {
	case c.again:
		c.again = false
		return true
	case c.s.stopping.Load() && len(part) == 0:
		c.close()
		return false
	}
	c.state = idle
	if first {
		c.swept = c.s.sweeps.Load()
	}
	return false
}

// drop ends the caller's connection.
func (c *conn) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
}

// cut makes all that is done with c fail from now on.
func (c *conn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != closed {
		_ = unix.Shutdown(c.fd, unix.SHUT_RDWR)
	}
}

// close closes c; c.mu is held.
func (c *conn) close() {
	if c.state == closed {
		return
	}
	c.state = closed
	last := c.s.conns.remove(c.fd) // before another connection gets the descriptor
	_ = unix.Close(c.fd)
	if last && c.s.stopping.Load() {
		c.s.poke() // that may be the end
	}
}

// inspect ends c if it is idle and has been for too long, or all is to end.
func (c *conn) inspect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != idle {
		return
	}
	cfg := &c.s.cfg
	within, limit := c.fresh || len(c.in) > 0, cfg.Idle
	if within {
		limit = cfg.Request
	}
	switch silent := time.Duration(c.s.sweeps.Load()-c.swept) * cfg.sweep(); {
	case silent >= limit:
		if within {
			rawWrite(c.fd, cfg.Late, nil) // if it does not fit, so be it
		}
		c.close()
	case c.s.stopping.Load() && len(c.in) == 0:
		c.close()
	}
}

// detached returns c as Go knows connections, with a descriptor of its own.
func (c *conn) detached() (net.Conn, error) {
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "connection")
	defer f.Close()
	return net.FileConn(f)
}

// away gives the caller's connection to the other server, with what has been read.
func (c *conn) away(read []byte) {
	nc, err := c.detached()
	_ = unix.EpollCtl(c.s.ep, unix.EPOLL_CTL_DEL, c.fd, nil) // closing does not: the connection lives on
	c.drop()
	if err == nil {
		c.s.cfg.Other(nc, read)
	}
}

// reply sends a. It reports whether the connection goes on.
func (c *conn) reply(a *Answer) bool {
	if len(a.Body) < joinBelow {
		a.Head = append(a.Head, a.Body...)
		a.Body = nil
	}
	n, err := rawWrite(c.fd, a.Head, a.Body)
	switch {
	case err == unix.EAGAIN:
		n = 0
	case err != 0:
		return false
	}
	return (n == len(a.Head)+len(a.Body) || c.replySlowly(a, n)) && !a.Close
}

// replySlowly sends what is left of a to a client that takes its time.
func (c *conn) replySlowly(a *Answer, sent int) bool {
	nc, err := c.detached()
	if err != nil {
		return false
	}
	defer nc.Close()
	if nc.SetWriteDeadline(time.Now().Add(c.s.cfg.Write)) != nil {
		return false
	}
	head := min(sent, len(a.Head))
	rest := net.Buffers{a.Head[head:], a.Body[sent-head:]}
	_, err = rest.WriteTo(nc)
	return err == nil
}
