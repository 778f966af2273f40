package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
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

// ServerName is the Server header.
const ServerName = "Gramme"

const (
	// readBuffer holds a request line and the headers. Each connection has one, so there is no room for both to be as long as
	// each may be.
	readBuffer = maxHeaderBytes + 4<<10
	// prefetched is how much of a body fasthttp reads before it calls the handler.
	prefetched = 8 << 10
)

// ServerConfig says how connections are served. A client that sends its headers or its body too slowly, or does not take
// its answer, loses its connection. What is 0 has the default in parentheses.
type ServerConfig struct {
	TLS        *tls.Config   // nil: plain HTTP; at least TLS 1.2
	MaxConns   int           // open connections (16384, or what an eighth of the process's memory limit holds)
	HeaderTime time.Duration // from the first byte to the end of the headers, or of a small request (20 s)
	BodyTime   time.Duration // for the rest of a large one (60 s)
	WriteTime  time.Duration // for an answer (60 s)
	IdleTime   time.Duration // between requests (3 min)
	Drain      time.Duration // for requests to finish when the server stops (30 s)
}

func (c ServerConfig) withDefaults() ServerConfig {
	c.MaxConns = orDefault(c.MaxConns, defaultConns())
	c.HeaderTime = orDefault(c.HeaderTime, 20*time.Second)
	c.BodyTime = orDefault(c.BodyTime, time.Minute)
	c.WriteTime = orDefault(c.WriteTime, time.Minute)
	c.IdleTime = orDefault(c.IdleTime, 3*time.Minute)
	c.Drain = orDefault(c.Drain, 30*time.Second)
	return c
}

// slack is how much earlier than it says a time limit may end.
func (c ServerConfig) slack() time.Duration {
	return min(c.HeaderTime, c.BodyTime, c.WriteTime, c.IdleTime) / 16
}

// ErrStopped is the cause with which requests are cancelled that do not finish while the server drains.
var ErrStopped = errors.New("the server is stopping")

// Run serves connections from ln until ctx is done, then lets the requests that are running finish. When it returns, ln and
// all connections are closed and no request is running. It returns nil after a stop by ctx.
func (g *Gateway) Run(ctx context.Context, ln net.Listener, cfg ServerConfig) error {
	cfg = cfg.withDefaults()
	base, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(ErrStopped)
	ln = deadlineListener{ln, cfg.slack()}
	if cfg.TLS != nil {
		secure := cfg.TLS.Clone()
		secure.MinVersion = max(secure.MinVersion, tls.VersionTLS12)
		ln = tls.NewListener(httpsListener{ln}, secure)
	}
	conns := newConnSet()
	ln = &limitedListener{Listener: ln, open: conns, most: cfg.MaxConns, secure: cfg.TLS != nil, log: g.cfg.Logger}
	srv := g.server(base, cfg, conns)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		conns.closeAll()
		return err
	case <-ctx.Done():
	}
	drain, stop := context.WithTimeout(base, cfg.Drain)
	defer stop()
	if err := srv.ShutdownWithContext(drain); err != nil {
		g.cfg.Logger.Warn("requests did not finish in time and are cut off", "error", err)
	}
	_ = ln.Close() // closed already, unless Serve was so late that Shutdown did not know of it
	err := <-served
	cancel(ErrStopped)
	conns.closeAll()
	return err
}

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
