package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/grammedb/gramme/internal/front/evloop"
	"github.com/grammedb/gramme/internal/lib/giveway"
)

// ServerName is the Server header.
const ServerName = "Gramme"

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
	NoLoops    bool          // no event loops, as on systems that have none
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
	s := g.newServing(base, ln, cfg)
	g.serving.Store(s)
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	select {
	case err := <-served:
		s.closeAll()
		return err
	case <-ctx.Done():
	}
	drain, stop := context.WithTimeout(base, cfg.Drain)
	defer stop()
	if err := s.shutdown(drain); err != nil {
		g.cfg.Logger.Warn("requests did not finish in time and are cut off", "error", err)
	}
	err := <-served
	cancel(ErrStopped)
	s.closeAll()
	return err
}

// A serving is what serves the connections of one listener: fasthttp, which knows all of HTTP, and before it, where there are any, event
// loops for the plain requests that nearly all are.
type serving struct {
	ln    net.Listener
	fast  *fasthttp.Server
	conns *connSet // fasthttp's
	loops *evloop.Server
	way   *giveway.Way    // is told of requests that wait in the loops
	other *handedListener // connections that the loops give to fasthttp; nil: there are no loops
}

func (g *Gateway) newServing(ctx context.Context, ln net.Listener, cfg ServerConfig) *serving {
	s := &serving{conns: newConnSet(), way: g.cfg.Way}
	s.fast = g.server(ctx, cfg, s.conns)
	s.ln = &limitedListener{Listener: ln, open: s.open, most: cfg.MaxConns, secure: cfg.TLS != nil, log: g.cfg.Logger}
	if g.startLoops(ctx, s, cfg) {
		return s
	}
	s.ln = deadlineListener{s.ln, cfg.slack()}
	if cfg.TLS != nil {
		secure := cfg.TLS.Clone()
		secure.MinVersion = max(secure.MinVersion, tls.VersionTLS12)
		s.ln = tls.NewListener(httpsListener{s.ln}, secure)
	}
	return s
}

// startLoops makes event loops for s if there can be some.
func (g *Gateway) startLoops(ctx context.Context, s *serving, cfg ServerConfig) bool {
	if cfg.TLS != nil || cfg.NoLoops {
		return false
	}
	other := newHandedListener(s.ln.Addr(), cfg.slack())
	loops, err := evloop.New(evloop.Config{
		Handler: &loopHandler{g: g, ctx: ctx},
		Other:   other.hand,
		Request: cfg.HeaderTime,
		Late:    tooLate,
		Write:   cfg.WriteTime,
		Idle:    cfg.IdleTime,
	})
	if err != nil {
		return false // as on most systems: fasthttp does it all
	}
	s.loops, s.other = loops, other
	return true
}

// serve serves until the listener is closed.
func (s *serving) serve() error {
	if s.loops == nil {
		return s.fast.Serve(s.ln)
	}
	defer s.way.Add(s.loops.Nudge)()
	fast := make(chan error, 1)
	go func() { fast <- s.fast.Serve(s.other) }()
	err := s.loops.Serve(s.ln)
	_ = s.other.Close()
	return errors.Join(err, <-fast)
}

// shutdown stops accepting and waits until no request is running, or for ctx.
func (s *serving) shutdown(ctx context.Context) error {
	_ = s.ln.Close()
	loops := make(chan error, 1)
	go func() { loops <- s.loops.Shutdown(ctx) }()
	return errors.Join(s.fast.ShutdownWithContext(ctx), <-loops)
}

// closeAll cuts off what is still open.
func (s *serving) closeAll() {
	_ = s.ln.Close()
	s.loops.Close()
	s.conns.closeAll()
}

// Connections returns how many connections Run has open.
func (g *Gateway) Connections() int {
	if s := g.serving.Load(); s != nil {
		return s.open()
	}
	return 0
}

// open returns how many connections there are.
func (s *serving) open() int { return s.conns.count() + s.loops.Open() }
