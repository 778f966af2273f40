package gateway

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/internal/front/evloop"
)

// A loopHandler is the adapter between event loops and the chain. The loops have plain calls only: see evloop.
type loopHandler struct {
	g    *Gateway
	ctx  context.Context // of all requests
	date atomic.Pointer[dateText]
}

// tooLate is the answer to a request that does not come in time.
var tooLate = []byte("HTTP/1.1 408 Request Timeout\r\nServer: " + ServerName + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

// Waits implements evloop.Handler: operations that are not quick may take their time.
func (h *loopHandler) Waits(r *evloop.Request) bool {
	route := h.g.routes.byTarget[r.Get("x-amz-target")]
	return route != nil && !route.op.Quick
}

// Serve implements evloop.Handler.
func (h *loopHandler) Serve(r *evloop.Request, a *evloop.Answer) {
	x := h.g.Acquire()
	x.Request = Request{Method: "POST", Path: "/", Host: r.Host, Header: r.Get, Whole: r.Body, Length: int64(len(r.Body))}
	h.g.serveRecovered(h.ctx, x)
	a.Head, a.Body, a.Owner = h.appendHead(a.Head, x, a.Close), x.Response.Body, x
	if len(a.Body) >= holdFrom {
		h.g.ran(x) // a client that takes its time occupies memory only
	}
}

// Sent implements evloop.Handler.
func (h *loopHandler) Sent(a *evloop.Answer) { h.g.Release(a.Owner.(*Exchange)) }

// appendHead appends the status line and the headers of x's Response.
func (h *loopHandler) appendHead(dst []byte, x *Exchange, closing bool) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(x.Status), 10)
	dst = append(append(dst, ' '), http.StatusText(x.Status)...)
	dst = append(dst, "\r\nServer: "+ServerName+"\r\nDate: "...)
	dst = append(dst, h.now(x.begun)...)
	dst = appendField(dst, "Content-Type", x.ContentType)
	dst = appendField(dst, "Content-Encoding", x.Encoding)
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(x.Response.Body)), 10)
	dst = appendField(dst, "x-amzn-RequestId", x.RequestID)
	dst = append(dst, "\r\nx-amz-crc32: "...)
	dst = strconv.AppendUint(dst, uint64(x.Checksum), 10)
	for _, f := range x.Headers {
		dst = appendField(dst, f.Name, f.Value)
	}
	if closing {
		dst = append(dst, "\r\nConnection: close"...)
	}
	return append(dst, "\r\n\r\n"...)
}

// appendField appends a header that has a value.
func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(dst, "\r\n"...), name...)
	return append(append(dst, ": "...), value...)
}

// A dateText is a Date header's value.
type dateText struct {
	second int64
	text   string
}

// now returns the Date of an answer to a request that came at t.
func (h *loopHandler) now(t time.Time) string {
	second := t.Unix()
	d := h.date.Load()
	if d == nil || d.second != second {
		d = &dateText{second, t.UTC().Format(http.TimeFormat)}
		h.date.Store(d)
	}
	return d.text
}
