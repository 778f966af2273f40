package gateway

import (
	"bytes"
	"io"
	"net"

	"github.com/valyala/fasthttp"
)

// holdFrom is the size from which an answer leaves from where it is, with its headers, and is counted against the budget until the
// client has taken it. Smaller ones go with their headers through fasthttp's buffer.
const holdFrom = 3 << 10

// A heldBody is a body that fasthttp sends from where it is. It gives its fastRequest back when it has been sent, or could not be.
type heldBody struct {
	bytes.Reader
	r *fastRequest
}

// send makes body that of c's answer.
func (b *heldBody) send(c *fasthttp.RequestCtx, body []byte) {
	b.r.h.g.ran(b.r.x) // a client that takes its time occupies memory only
	b.Reset(body)
	c.Response.SetBodyStream(b, len(body))
	if conn, ok := c.Conn().(*deadlineConn); ok && !c.IsHead() {
		c.Response.ImmediateHeaderFlush = true
		conn.hold.next = true
	}
}

// Close is called once by fasthttp.
func (b *heldBody) Close() error {
	b.Reset(nil)
	b.r.release()
	return nil
}

var _ io.ReadCloser = (*heldBody)(nil)

// A hold joins two writes, the headers of an answer and its body, into one system call: the client wakes up once. fasthttp does that
// only for connections of types that it knows.
type hold struct {
	next   bool   // the next write is to be held until the one after it
	held   []byte // what was held
	pieces [2][]byte
	both   net.Buffers
}

// takes reports whether p is held. It is copied.
func (h *hold) takes(p []byte) bool {
	if !h.next {
		return false
	}
	h.next = false
	h.held = append(h.held, p...)
	return true
}

// write writes to c what is held, and p.
func (h *hold) write(c net.Conn, p []byte) (int, error) {
	if len(h.held) == 0 {
		return c.Write(p)
	}
	h.pieces = [2][]byte{h.held, p}
	h.both = h.pieces[:]
	n, err := h.both.WriteTo(c)
	n = max(0, n-int64(len(h.held)))
	h.pieces, h.held = [2][]byte{}, h.held[:0]
	return int(n), err
}
