// Package evloop serves HTTP/1.1 connections from event loops: a few goroutines each wait for many connections, and answer most
// requests on the spot. A goroutine for each connection, as Go's servers have, is parked and woken for every request, and reads twice,
// the first time in vain: a third of the CPU of a small request.
//
// It knows plain requests only: POST to /, whole and small, one after the other. Of all others it keeps its hands off: what has come of
// one goes, with its connection, to a server that knows all of HTTP.
//
// A loop is led by one goroutine at a time. Requests that may have to wait are given to others (Handler.Waits); should one on
// the spot take long nevertheless, another goroutine takes over the lead (watch_linux.go). There are loops on Linux only.
package evloop

import (
	"errors"
	"net"
	"time"
)

// ErrUnsupported says that there are no loops on this platform.
var ErrUnsupported = errors.New("evloop: not on this platform")

// A Handler answers requests.
type Handler interface {
	// Waits reports whether answering r may take long: because it waits for something, or because there is much to do. It is asked where
	// there are other connections.
	Waits(r *Request) bool
	// Serve answers r in a. It must not panic.
	Serve(r *Request, a *Answer)
	// Sent is called once after Serve, when a has been sent or cannot be.
	Sent(a *Answer)
}

// An Answer is what a Handler fills. Head is empty but may have capacity; Body and Owner are nil.
type Answer struct {
	Head  []byte // status line and headers, to the empty line
	Body  []byte // follows Head; unchanged until Sent
	Close bool   // the server is stopping: Head must say that the connection ends
	Owner any    // the Handler's
}

// reset empties a and keeps its memory.
func (a *Answer) reset() { *a = Answer{Head: a.Head[:0]} }

// A Config says how a Server treats its connections.
type Config struct {
	Handler Handler
	// Other takes a connection that the loops do not serve, and what has been read of it.
	Other func(c net.Conn, read []byte)

	Request time.Duration // until a request has come: from its first byte, the first one of a connection from the beginning
	Write   time.Duration // for an answer
	Idle    time.Duration // between requests
	Late    []byte        // what a client gets whose request does not come in time
}

// sweep is how often it is looked for connections that take too long.
func (c *Config) sweep() time.Duration { return max(time.Millisecond, min(c.Request, c.Idle)/16) }

const (
	// inboxSize is the room for a request: its head and what of its body comes with it.
	inboxSize = 64 << 10
	// maxPartial is the size up to which a connection keeps the beginning of a request until the rest comes. What is longer goes to the
	// other server, which counts what it holds.
	maxPartial = 20 << 10
	// joinBelow is the size below which a body is copied behind its head.
	joinBelow = 3 << 10
)
