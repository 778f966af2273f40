package gateway

import (
	"net"
	"sync/atomic"
	"time"
)

// A deadlineListener makes the deadlines of its connections cheap.
type deadlineListener struct {
	net.Listener
	slack time.Duration
}

// Accept returns the next connection.
func (l deadlineListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newDeadlineConn(c, l.slack, nil), nil
}

// A deadlineConn sets a deadline when it is about to read or write, not when it is told to, and leaves one that is nearly
// the same as it is. The server moves three deadlines with each request, most of which nobody ever waits for: setting them all
// took 4 % of the CPU of a GetItem. A deadline may come early by the slack. It does not end a Read or Write that has begun: Close does.
type deadlineConn struct {
	net.Conn
	unread      []byte // what somebody has read of it: Read begins with that
	read, write deadline
	hold        hold
}

func newDeadlineConn(c net.Conn, slack time.Duration, unread []byte) *deadlineConn {
	d := &deadlineConn{Conn: c, unread: unread}
	d.read.slack, d.write.slack = int64(slack), int64(slack)
	return d
}

// A deadline is what was asked for and what is set, in nanoseconds since the epoch; 0 is none. TLS may ask from another goroutine.
type deadline struct {
	slack      int64
	asked, set atomic.Int64
}

func (d *deadline) ask(t time.Time) {
	if t.IsZero() {
		d.asked.Store(0)
		return
	}
	d.asked.Store(t.UnixNano())
}

// settle calls set if what is set is not what was asked for.
func (d *deadline) settle(set func(time.Time) error) error {
	asked, now := d.asked.Load(), d.set.Load()
	if asked == now || asked != 0 && now != 0 && now <= asked && asked-now <= d.slack {
		return nil
	}
	d.set.Store(asked)
	if asked == 0 {
		return set(time.Time{})
	}
	return set(time.Unix(0, asked))
}

// Read implements net.Conn.
func (c *deadlineConn) Read(p []byte) (int, error) {
	if len(c.unread) > 0 {
		n := copy(p, c.unread)
		if c.unread = c.unread[n:]; len(c.unread) == 0 {
			c.unread = nil
		}
		return n, nil
	}
	if err := c.read.settle(c.Conn.SetReadDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *deadlineConn) Write(p []byte) (int, error) {
	if c.hold.takes(p) {
		return len(p), nil
	}
	if err := c.write.settle(c.Conn.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.hold.write(c.Conn, p)
}

// SetDeadline implements net.Conn.
func (c *deadlineConn) SetDeadline(t time.Time) error {
	c.read.ask(t)
	c.write.ask(t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (c *deadlineConn) SetReadDeadline(t time.Time) error {
	c.read.ask(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *deadlineConn) SetWriteDeadline(t time.Time) error {
	c.write.ask(t)
	return nil
}
