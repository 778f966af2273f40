package evloop

import (
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A conn is a connection of a loop.
type conn struct {
	l  *loop
	fd int

	mu       sync.Mutex // for what follows
	state    state
	disarmed bool   // epoll does not report it: something came while it was served
	swept    uint32 // the loop's sweeps when it was last heard of
	fresh    bool   // no request has come yet
	in       []byte // the beginning of a request
}

type state int

const (
	idle   state = iota // nobody's: the loop may begin with it
	served              // somebody serves it, and alone uses in
	closed
)

// An outcome is what became of a connection that was ready.
type outcome int

const (
	onward  outcome = iota
	given           // another goroutine serves it
	deposed         // another goroutine leads the loop
)

// begin makes an idle connection the caller's.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case idle:
		c.state = served
		return true
	case served: // a request behind one that is being answered, or the end: not now
		if !c.disarmed {
			c.l.disarm(c.fd)
			c.disarmed = true
		}
	}
	return false
}

// end makes a connection idle again.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.l.s.stopping.Load() {
		c.close()
		return
	}
	c.state, c.swept = idle, c.l.sweeps.Load()
	if c.disarmed {
		c.disarmed = false
		if c.l.arm(c.fd) != nil {
			c.close()
		}
	}
}

// keep makes a connection idle of whose request there is only the beginning so far.
func (c *conn) keep(got []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.in) == 0 {
		c.swept = c.l.sweeps.Load()
	}
	c.state, c.in = idle, append(c.in[:0], got...)
}

// drop ends a connection that is the caller's.
func (c *conn) drop() {
	c.mu.Lock()
	c.close()
	c.mu.Unlock()
}

// close closes c; c.mu is held.
func (c *conn) close() {
	if c.state == closed {
		return
	}
	c.state = closed
	c.l.forget(c) // before another connection gets the descriptor
	_ = unix.Close(c.fd)
}

// inspect ends c if it is idle and has been for too long, or all is to end.
func (c *conn) inspect(stopping bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != idle {
		return
	}
	cfg := &c.l.s.cfg
	within, limit := c.fresh || len(c.in) > 0, cfg.Idle
	if within {
		limit = cfg.Request
	}
	switch silent := time.Duration(c.l.sweeps.Load()-c.swept) * cfg.sweep(); {
	case silent >= limit:
		if within {
			rawWrite(c.fd, cfg.Late, nil) // if it does not fit, so be it
		}
		c.close()
	case stopping && len(c.in) == 0:
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

// away gives c to the other server, with what has been read.
func (c *conn) away(read []byte) {
	nc, err := c.detached()
	c.l.disarm(c.fd) // closing does not: the connection lives on
	c.drop()
	if err == nil {
		c.l.s.cfg.Other(nc, read)
	}
}

// reply sends a. It returns false if c has ended.
func (c *conn) reply(a *Answer) bool {
	if len(a.Body) < joinBelow {
		a.Head = append(a.Head, a.Body...)
		a.Body = a.Body[len(a.Body):]
	}
	n, err := rawWrite(c.fd, a.Head, a.Body)
	if err == unix.EAGAIN || err == 0 && n < len(a.Head)+len(a.Body) {
		return c.replySlowly(a, max(n, 0)) && !a.Close
	}
	return err == 0 && !a.Close
}

// replySlowly sends what is left of a to a client that takes its time.
func (c *conn) replySlowly(a *Answer, sent int) bool {
	nc, err := c.detached()
	if err != nil {
		return false
	}
	defer nc.Close()
	if nc.SetWriteDeadline(time.Now().Add(c.l.s.cfg.Write)) != nil {
		return false
	}
	head := min(sent, len(a.Head))
	rest := net.Buffers{a.Head[head:], a.Body[sent-head:]}
	_, err = rest.WriteTo(nc)
	runtime.KeepAlive(a)
	return err == nil
}
