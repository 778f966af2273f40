package gateway

import (
	"net"
	"sync"
	"time"
)

// A handedListener is a listener of connections that somebody else has accepted and read from.
type handedListener struct {
	addr   net.Addr
	slack  time.Duration
	conns  chan net.Conn
	closed chan struct{}
	close  sync.Once
}

func newHandedListener(addr net.Addr, slack time.Duration) *handedListener {
	return &handedListener{addr: addr, slack: slack, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// hand gives l a connection, of which read has been read.
func (l *handedListener) hand(c net.Conn, read []byte) {
	select {
	case l.conns <- newDeadlineConn(c, l.slack, read):
	case <-l.closed:
		_ = c.Close()
	}
}

// Accept returns the next connection.
func (l *handedListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. No connection is lost: one that nobody has accepted is closed.
func (l *handedListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *handedListener) Addr() net.Addr { return l.addr }
