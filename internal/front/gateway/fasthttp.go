package gateway

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

const (
	// readBuffer holds a request line and the headers. Each connection has one, so there is no room for both to be as long as
	// each may be.
	readBuffer = maxHeaderBytes + 4<<10
	// prefetched is how much of a body fasthttp reads before it calls the handler.
	prefetched = 8 << 10
)

func (g *Gateway) server(ctx context.Context, cfg ServerConfig, conns *connSet) *fasthttp.Server {
	h := &fastHandler{g: g, ctx: ctx, own: fasthttpadaptor.NewFastHTTPHandler(g.own)}
	h.requests.New = func() any { return newFastRequest(h) }
	return &fasthttp.Server{
		Handler:               h.serve,
		ErrorHandler:          badRequest,
		HeaderReceived:        moreTimeForBodies(cfg.BodyTime),
		ConnState:             conns.note,
		Name:                  ServerName,
		Concurrency:           2 * cfg.MaxConns, // never reached: see limitedListener
		ReadBufferSize:        readBuffer,
		ReadTimeout:           cfg.HeaderTime,
		WriteTimeout:          cfg.WriteTime,
		IdleTimeout:           cfg.IdleTime,
		MaxRequestBodySize:    maxBody,
		StreamRequestBody:     true, // bodies are read under the budget
		CloseOnShutdown:       true,
		NoDefaultContentType:  true,
		SecureErrorLogMessage: true,
		Logger:                fastLogger{g.cfg.Logger},

		DisablePreParseMultipartForm: true,
	}
}

// moreTimeForBodies replaces the time limit for headers by that for bodies where there is more to read.
func moreTimeForBodies(d time.Duration) func(*fasthttp.RequestHeader) fasthttp.RequestConfig {
	return func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		if n := h.ContentLength(); n == -1 || n > prefetched {
			return fasthttp.RequestConfig{ReadTimeout: d}
		}
		return fasthttp.RequestConfig{}
	}
}

// badRequest answers what is not HTTP; the connection ends with it.
func badRequest(c *fasthttp.RequestCtx, err error) {
	var netErr net.Error
	c.ResetBody()
	if errors.As(err, &netErr) && netErr.Timeout() {
		c.SetStatusCode(fasthttp.StatusRequestTimeout)
		return
	}
	c.SetStatusCode(fasthttp.StatusBadRequest)
}

// A fastHandler is the adapter between fasthttp and the chain.
type fastHandler struct {
	g        *Gateway
	ctx      context.Context // of all requests: fasthttp does not notice that a client is gone
	own      fasthttp.RequestHandler
	requests sync.Pool // of *fastRequest
}

// A fastRequest is an Exchange with what its functions need.
type fastRequest struct {
	h      *fastHandler
	x      *Exchange
	c      *fasthttp.RequestCtx
	header func(string) string
	body   heldBody
}

func newFastRequest(h *fastHandler) *fastRequest {
	r := &fastRequest{h: h}
	r.header = r.get
	r.body.r = r
	return r
}

// release gives r and its Exchange back.
func (r *fastRequest) release() {
	r.h.g.Release(r.x)
	r.c, r.x = nil, nil
	r.h.requests.Put(r)
}

func (h *fastHandler) serve(c *fasthttp.RequestCtx) {
	path, query := splitTarget(c)
	if tooLong(c) {
		c.SetStatusCode(fasthttp.StatusBadRequest)
		c.SetConnectionClose()
		return
	}
	if isOwn(path) {
		c.Request.ResetBody() // the adaptor would read all of it into memory, and no page of ours takes one
		h.own(c)
		return
	}
	r := h.requests.Get().(*fastRequest)
	r.c, r.x = c, h.g.Acquire()
	x := r.x
	x.Request = Request{
		Method:   view(c.Method()),
		Path:     path,
		RawQuery: query,
		Host:     view(c.Request.Header.Host()),
		Header:   r.header,
		Body:     c.RequestBodyStream(),
		Length:   max(-1, int64(c.Request.Header.ContentLength())),
	}
	h.g.serveRecovered(h.ctx, x)
	r.send()
}

// tooLong reports whether the request line or the headers are longer than the service takes.
func tooLong(c *fasthttp.RequestCtx) bool {
	h := &c.Request.Header
	return len(h.RequestURI()) > maxRequestTarget || len(h.RawHeaders()) > maxHeaderBytes
}

// splitTarget returns path and query of the request line, with their escapes.
func splitTarget(c *fasthttp.RequestCtx) (path, query string) {
	target := c.Request.Header.RequestURI()
	if len(target) == 0 || target[0] != '/' { // absolute form, or *
		return view(c.URI().PathOriginal()), view(c.URI().QueryString())
	}
	path, query, _ = strings.Cut(view(target), "?")
	return path, query
}

// canonical returns the form in which fasthttp keeps the name of a header that a request has once, "" for other headers.
// Looking it up by that form needs neither the form to be made nor values to be joined. Of one that comes twice the first
// counts, everywhere.
func canonical(name string) string {
	switch name {
	case "accept-encoding":
		return "Accept-Encoding"
	case "authorization":
		return "Authorization"
	case "content-encoding":
		return "Content-Encoding"
	case "content-length":
		return "Content-Length"
	case "content-type":
		return "Content-Type"
	case "host":
		return "Host"
	case "origin":
		return "Origin"
	case "x-amz-content-sha256":
		return "X-Amz-Content-Sha256"
	case "x-amz-date":
		return "X-Amz-Date"
	case "x-amz-security-token":
		return "X-Amz-Security-Token"
	case "x-amz-target":
		return "X-Amz-Target"
	}
	return ""
}

// get returns a header; several of one name are joined.
func (r *fastRequest) get(name string) string {
	h := &r.c.Request.Header
	if known := canonical(name); known != "" {
		return view(h.PeekCanonical(unsafe.Slice(unsafe.StringData(known), len(known)))) // only read
	}
	switch all := h.PeekAll(name); len(all) {
	case 0:
		return ""
	case 1:
		return view(all[0])
	default:
		return string(bytes.Join(all, []byte(",")))
	}
}

// view returns b as a string without a copy: valid while b is, which here is until the request is answered.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// The names of headers are written as the service writes them.
var (
	headerRequestID = []byte("x-amzn-RequestId")
	headerChecksum  = []byte("x-amz-crc32")
)

// send hands the Response to fasthttp and gives r back, at once or when a large body has been sent.
func (r *fastRequest) send() {
	c, x := r.c, r.x
	c.SetStatusCode(x.Status)
	hd := &c.Response.Header
	if x.ContentType != "" {
		hd.SetContentType(x.ContentType)
	}
	if x.Encoding != "" {
		hd.Set("Content-Encoding", x.Encoding)
	}
	hd.SetCanonical(headerRequestID, unsafe.Slice(unsafe.StringData(x.RequestID), len(x.RequestID))) // copied
	var digits [10]byte
	hd.SetCanonical(headerChecksum, strconv.AppendUint(digits[:0], uint64(x.Checksum), 10))
	for _, f := range x.Headers {
		hd.Set(f.Name, f.Value)
	}
	body := x.Response.Body
	switch {
	case len(body) >= holdFrom:
		r.body.send(c, body)
		return
	case x.Encoding != "":
		x.deflated = c.Response.SwapBody(body)
	case body != nil:
		x.out = c.Response.SwapBody(body)
	}
	r.release()
}

// fastLogger keeps fasthttp's remarks about broken connections out of the way.
type fastLogger struct{ log *slog.Logger }

func (l fastLogger) Printf(format string, args ...any) {
	l.log.Debug("http", "message", strings.TrimSpace(format), "args", args)
}
