package gateway

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// An httpsListener tells clients that speak plain HTTP, where TLS is wanted, what is wrong; net/http does the same.
type httpsListener struct{ net.Listener }

// Accept returns the next connection.
func (l httpsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &httpsConn{Conn: c}, nil
}

// An httpsConn is a connection on which TLS is to begin.
type httpsConn struct {
	net.Conn
	begun bool // the first bytes have been looked at
}

var errPlainHTTP = errors.New("plain HTTP on a port for HTTPS")

// Read implements net.Conn. Every request of HTTP begins with a capital letter, and nothing of TLS does.
func (c *httpsConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.begun || n == 0 {
		return n, err
	}
	c.begun = true
	if 'A' <= p[0] && p[0] <= 'Z' {
		c.explain()
		return 0, errPlainHTTP
	}
	return n, err
}

// explain answers the request. What has not been read of it is read, for a while: a connection that is closed before that is reset, and
// the client might not see the answer.
func (c *httpsConn) explain() {
	const text = "Client sent an HTTP request to an HTTPS server.\n"
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, err := fmt.Fprintf(c.Conn, "HTTP/1.1 400 Bad Request\r\nServer: %s\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s",
		ServerName, len(text), text)
	if err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, 1<<20))
	}
}
