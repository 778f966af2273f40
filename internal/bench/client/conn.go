// Package client is the HTTP of the commands that call a server, load tests above all: it signs, sends and reads DynamoDB requests
// over one connection at a time at the least cost to the machine, which it often shares with the server under test.
package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// An Endpoint is where the server is.
type Endpoint struct {
	Address string      // host:port to connect to
	Host    string      // what the Host header says
	TLS     *tls.Config // nil: plain HTTP
}

// ParseEndpoint reads a URL such as https://dynamodb.eu-west-1.amazonaws.com.
func ParseEndpoint(text string) (Endpoint, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return Endpoint{}, fmt.Errorf("%q is not a URL like http://127.0.0.1:8000", text)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return Endpoint{}, fmt.Errorf("%q: an endpoint has a host and a port, nothing else", text)
	}
	e := Endpoint{Address: u.Host, Host: u.Host}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if u.Port() == "" {
		e.Address = net.JoinHostPort(u.Hostname(), port)
	} else if u.Port() == port {
		e.Host = strings.TrimSuffix(u.Host, ":"+port) // as every HTTP client and so the server's view of the signature has it
	}
	if u.Scheme == "https" {
		e.TLS = &tls.Config{ServerName: u.Hostname(), ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	}
	return e, nil
}

// Trust adds certificates in PEM to those that the endpoint may show.
func (e *Endpoint) Trust(pem []byte) error {
	if e.TLS == nil {
		return errors.New("certificates need an https endpoint")
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New("there is no certificate in it")
	}
	e.TLS.RootCAs = pool
	return nil
}

// Loopback reports whether the endpoint is on this machine.
func (e Endpoint) Loopback() bool {
	host, _, err := net.SplitHostPort(e.Address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// A Conn sends one request after the other. It connects when it must. It is not safe for concurrent use.
type Conn struct {
	endpoint Endpoint
	signer   *Signer
	timeout  time.Duration
	net      net.Conn
	deadline time.Time // that is set on net
	out, in  []byte
	unwatch  func() bool // of the context
}

// NewConn returns a connection that is opened by the first request. A request may take timeout, and up to half as long again.
func NewConn(e Endpoint, cred Credentials, agent string, timeout time.Duration) *Conn {
	return &Conn{
		endpoint: e,
		signer:   NewSigner(cred, e.Host, "User-Agent: "+agent+"\r\nAccept-Encoding: identity\r\n"),
		timeout:  timeout,
		in:       make([]byte, 16<<10),
	}
}

// Do sends a request and reads its answer, which is valid until the next Do. When ctx ends, so does the connection; every Do
// of a Conn must be given the same. sent is how many bytes the request had.
func (c *Conn) Do(ctx context.Context, operation string, body []byte, r *Response) (sent int, err error) {
	c.signer.SetTime(time.Now())
	c.out = c.signer.Append(c.out[:0], operation, body)
	for {
		kept := c.net != nil
		if !kept {
			if err := c.dial(ctx); err != nil {
				return 0, cmp.Or(ctx.Err(), err)
			}
		}
		err := c.exchange(r)
		if err == nil {
			return len(c.out), nil
		}
		c.Close()
		if ctx.Err() != nil { // closing the connection was its doing
			return 0, ctx.Err()
		}
		if !kept || !errors.Is(err, errUnanswered) { // a server may end a connection that it has kept open, at any time
			return 0, err
		}
	}
}

// dial connects.
func (c *Conn) dial(ctx context.Context) error {
	d := net.Dialer{Timeout: c.timeout}
	nc, err := d.DialContext(ctx, "tcp", c.endpoint.Address)
	if err != nil {
		return err
	}
	if c.endpoint.TLS != nil {
		t := tls.Client(nc, c.endpoint.TLS)
		shake, cancel := context.WithTimeout(ctx, c.timeout)
		err := t.HandshakeContext(shake)
		cancel()
		if err != nil {
			_ = nc.Close()
			return err
		}
		nc = t
	}
	c.net, c.deadline = nc, time.Time{}
	c.unwatch = context.AfterFunc(ctx, func() { _ = nc.Close() })
	return nil
}

// errUnanswered: the connection ended before a byte of the answer.
var errUnanswered = errors.New("closed by the server")

func unanswered(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", errUnanswered, err)
}

// exchange writes the request and reads the answer.
func (c *Conn) exchange(r *Response) error {
	// A deadline for each request would cost more than a look at the clock: it is moved when half of it has gone.
	if now := time.Now(); c.deadline.Sub(now) < c.timeout {
		c.deadline = now.Add(c.timeout + c.timeout/2)
		if err := c.net.SetDeadline(c.deadline); err != nil {
			return err
		}
	}
	if _, err := c.net.Write(c.out); err != nil {
		return unanswered(err)
	}
	n, need := 0, 0
	for {
		if n == len(c.in) {
			grown := make([]byte, max(2*len(c.in), need))
			copy(grown, c.in[:n])
			c.in = grown
		}
		m, err := c.net.Read(c.in[n:])
		n += m
		if n == 0 && err != nil {
			return unanswered(err)
		}
		if err == nil && n < need {
			continue
		}
		ok, whole, perr := r.Parse(c.in[:n], err == io.EOF)
		switch {
		case perr != nil:
			return perr
		case ok:
			if r.Close || err != nil || r.Total != n {
				c.Close()
			}
			return nil
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
		need = whole
	}
}

// Close ends the connection. The next request opens a new one.
func (c *Conn) Close() {
	if c.net != nil {
		c.unwatch()
		_ = c.net.Close()
		c.net = nil
	}
}
