// Package gateway is the front door: it takes HTTP requests to operations and operations' results to HTTP answers. chain.go
// shows the way of a request from top to bottom.
//
// The chain knows no HTTP library. An adapter fills the Request of an Exchange, calls Serve, and sends the Response:
// fasthttp.go for the server, nethttp.go for programs that embed the database.
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/lib/giveway"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// A Codec is a protocol: it reads inputs and writes outputs and errors.
type Codec interface {
	// Decode reads a body into a new op.In and returns the pointer to it. It fails with an *api.Error.
	Decode(op *api.Op, body []byte) (any, error)
	AppendOutput(dst []byte, op *api.Op, out any) []byte
	AppendError(dst []byte, err *api.Error) []byte
}

// The default limits. A body of 16 MiB is what DynamoDB takes; Lambda takes zip archives of 50 MB, which come as base64.
const (
	maxBody          = 16 << 20
	maxRESTBody      = 70 << 20
	defaultBudget    = 256 << 20
	defaultRunning   = 512
	defaultWaiting   = 16384
	defaultMaxWait   = time.Second
	compressFrom     = 4 << 10
	maxHeaderBytes   = 16 << 10
	maxRequestTarget = 16 << 10
)

// Config says what a Gateway serves and to whom. Services, JSON and Logger are needed.
type Config struct {
	Services []*api.Service
	// JSON makes the codec of one exchange with a service with api.JSON10, or of errors that come before a service is known. It may
	// keep the attribute values of the input in the memory that it is given: they live as long as the exchange.
	JSON func(values *[]byte) Codec
	// Query makes the codec of one exchange with a service with api.Query, whose answers name the request; nil where there
	// is no such service.
	Query func(namespace, requestID string) Codec
	// REST makes the codec of one exchange with a service with api.REST; nil where there is no such service.
	REST func(*RESTExchange) Codec

	// Keys are the access keys that may call; none: any credentials are accepted, but only from local pages and for
	// local names (see guard.go).
	Keys *iam.Keys
	// Origins are web origins ("https://console.example", "*" for all) that may call although there are no keys.
	Origins []string
	// Hosts are names of this server, without a port, that may be called although there are no keys.
	Hosts []string

	Region    string // the one region served; "": every region that is asked for
	OneRegion bool   // all regions see the same tables, those of Region or of us-east-1

	Now    func() time.Time // the database's clock; nil: time.Now. Signatures are always checked by the real one
	Logger *slog.Logger
	// Registry collects the metrics and is what /_gramme/metrics shows; nil: a new one.
	Registry *prometheus.Registry
	Ready    func() error // nil, or why the database cannot serve now
	Pprof    bool         // serve /_gramme/pprof/
	// MetricsToken is what readers of the metrics and profiles must send. Without one, where there are Keys, only this machine may read them.
	MetricsToken string

	// Way is told of requests that wait, so that long work gives way to them; it may be nil.
	Way *giveway.Way

	Budget  int64         // bytes of requests and answers in flight; 0: 256 MiB
	Running int           // requests running at once; 0: 512
	MaxWait time.Duration // how long a request waits for its turn before it is refused; 0: 1 s
}

// A Gateway answers requests. It is safe for use by several goroutines.
type Gateway struct {
	cfg       Config
	open      bool // any credentials are accepted
	signer    *sigv4.Verifier
	routes    routes
	admission *admission
	metrics   *metrics
	own       http.Handler
	exchanges sync.Pool
	serving   atomic.Pointer[serving] // of the Run that began last; nil before any
	authNow   func() time.Time        // nil: when the request came; for tests
}

// New makes a Gateway.
func New(cfg Config) *Gateway {
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	g := &Gateway{
		cfg:  cfg,
		open: cfg.Keys.Len() == 0,
		admission: newAdmission(limits{
			bytes:   orDefault(cfg.Budget, defaultBudget),
			running: int64(orDefault(cfg.Running, defaultRunning)),
			waiting: defaultWaiting,
			wait:    orDefault(cfg.MaxWait, defaultMaxWait),
		}),
	}
	g.exchanges.New = func() any { return new(Exchange) }
	g.signer = sigv4.NewVerifier(g.signing())
	g.metrics = newMetrics(cfg.Registry, g.admission, g.Connections)
	g.routes = newRoutes(cfg, g.metrics)
	g.own = g.ownHandler()
	return g
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// serveRecovered is Serve for the adapters: nothing that goes wrong in the chain itself may end the process.
func (g *Gateway) serveRecovered(ctx context.Context, x *Exchange) {
	defer func() {
		if p := recover(); p != nil {
			g.logPanic("request", p)
			g.answerError(x, g.routes.unknown, api.Internal())
		}
	}()
	g.Serve(ctx, x)
}
