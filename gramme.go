// Package gramme is a database that speaks Amazon DynamoDB's API: it puts the parts together.
//
//	db, err := gramme.Open(ctx, gramme.Config{Dir: "data"})
//	...
//	defer db.Close()
//	err = db.Run(ctx, listener) // or: http.Handle("/", db.Handler())
package gramme

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/kinesis"
	"github.com/grammedb/gramme/internal/flow/streams"
	"github.com/grammedb/gramme/internal/flow/ttl"
	"github.com/grammedb/gramme/internal/front/gateway"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/job"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/memkv"
	"github.com/grammedb/gramme/internal/kv/pebblekv"
	"github.com/grammedb/gramme/internal/lang/expr"
	"github.com/grammedb/gramme/internal/lib/giveway"
	"github.com/grammedb/gramme/internal/svc/dynamodb"
	"github.com/grammedb/gramme/internal/svc/dynamodbstreams"
	"github.com/grammedb/gramme/internal/svc/sts"
)

// A Key is an access key: ID and Secret.
type Key = iam.Key

// Config says what to open. Dir or Memory is needed.
type Config struct {
	Dir    string // the data directory, made if missing and locked while in use
	Memory bool   // keep everything in memory and forget it at Close

	// Keys are the access keys that may call; every signature is verified. Without any, all credentials are accepted, but
	// only under local names (or Hosts) and from local web pages (or those of Origins; "*" is every page).
	Keys    []Key
	Hosts   []string
	Origins []string

	Region    string // the region that is served; "": every one, each with tables of its own
	OneRegion bool   // every region sees the same tables

	// Streams says when the shards of streams are closed and their records trimmed. Zeros stand for the service's way.
	Streams StreamLimits

	// Functions lets callers make Lambda functions, which are programs that run as this process's user. It needs Keys.
	Functions bool

	// Kinesis is where the data streams are that tables deliver their changes to. Without a URL no table can.
	Kinesis KinesisEndpoint

	// LifecycleDelay is how long tables stay in the states CREATING, UPDATING and DELETING; usually as long as it takes.
	LifecycleDelay time.Duration

	// RequestMemory bounds the bytes of requests and answers in flight; 0: an eighth of the memory limit of the process, or
	// 256 MiB where there is none.
	RequestMemory int64

	// CacheBytes is the size of the store's cache of blocks; those of items and of what Queries read are half as large each. 0: a quarter
	// of the memory limit, or 128 MiB where there is none. Memtables and the garbage collector's reserve come on top.
	CacheBytes int64
	MaxConns   int         // open connections; 0: 16384, or what an eighth of the memory limit holds
	TLS        *tls.Config // nil: plain HTTP
	Pprof      bool        // serve profiles under /_gramme/pprof/

	// MetricsToken is what readers of /_gramme/metrics and of profiles must send, as Authorization: Bearer. Without one, where there are
	// Keys, only this machine may read them.
	MetricsToken string

	Logger *slog.Logger     // nil: slog.Default()
	Now    func() time.Time // the database's clock; nil: time.Now. Signatures are always checked by the real one
}

// StreamLimits are the limits of streams.
type StreamLimits = changelog.Limits

// A KinesisEndpoint is what speaks the API of Kinesis Data Streams, with the credentials for it.
type KinesisEndpoint = kinesis.Endpoint

// A DB is an open database.
type DB struct {
	cfg       Config
	engine    kv.Engine
	jobs      *job.Runner
	sweeper   *ttl.Sweeper
	functions *functions // nil: none
	kinesis   *kinesis.Manager
	gateway   *gateway.Gateway
	way       *giveway.Way // of requests that are short, for work that is long
}

const (
	// cachedExpressions is how many parsed expressions are kept.
	cachedExpressions = 4096
	// tokenSweep is how often expired client tokens are removed; they live ten minutes.
	tokenSweep = time.Minute
)

// Open opens the database and goes on with what was under way when it was closed, or its process ended.
func Open(ctx context.Context, cfg Config) (_ *DB, err error) {
	if cfg.Dir == "" && !cfg.Memory {
		return nil, errors.New("gramme: neither a data directory nor memory to keep the data in")
	}
	if cfg.Region != "" && !gateway.IsRegion(cfg.Region) {
		return nil, fmt.Errorf("gramme: %q cannot be the name of a region", cfg.Region)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	db := &DB{cfg: cfg, jobs: job.New(cfg.Logger), way: new(giveway.Way)}
	if db.functions, err = newFunctions(&cfg); err != nil {
		return nil, fmt.Errorf("gramme: %w", err)
	}
	keys, err := iam.NewKeys(db.functions.withKey(cfg.Keys))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("gramme: %w", err), db.functions.close())
	}
	if db.engine, err = openEngine(&cfg, db.way); err != nil {
		return nil, errors.Join(fmt.Errorf("gramme: %w", err), db.functions.close())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	services, err := db.startDynamoDB(ctx)
	if err != nil {
		return nil, fmt.Errorf("gramme: %w", err)
	}
	functions, err := db.startLambda(ctx, services)
	if err != nil {
		return nil, fmt.Errorf("gramme: %w", err)
	}
	db.gateway = gateway.New(gateway.Config{
		Services:  append(services, functions, sts.New()),
		JSON:      func(values *[]byte) gateway.Codec { return wire.Codec{Values: values} },
		Query:     func(namespace, id string) gateway.Codec { return wire.Query{Namespace: namespace, RequestID: id} },
		REST:      func(x *gateway.RESTExchange) gateway.Codec { return wire.REST{HTTP: x} },
		Keys:      keys,
		Origins:   cfg.Origins,
		Hosts:     cfg.Hosts,
		Region:    cfg.Region,
		OneRegion: cfg.OneRegion,
		Now:       cfg.Now,
		Logger:    cfg.Logger,
		Registry:  db.registry(),
		Way:       db.way,
		Pprof:     cfg.Pprof,

		MetricsToken: cfg.MetricsToken,
		Budget:       requestMemory(cfg.RequestMemory),
	})
	db.functions.serve(db.gateway)
	return db, nil
}

// startDynamoDB puts the database together, from the catalog up, and starts its background work.
func (db *DB) startDynamoDB(ctx context.Context) ([]*api.Service, error) {
	catalog, err := table.OpenCatalog(ctx, db.engine)
	if err != nil {
		return nil, err
	}
	tables := lifecycle.New(lifecycle.Config{
		Engine:  db.engine,
		Catalog: catalog,
		Jobs:    db.jobs,
		Delay:   db.cfg.LifecycleDelay,
		Now:     db.cfg.Now,
		Logger:  db.cfg.Logger,
	})
	if err := tables.Start(ctx); err != nil {
		return nil, err
	}
	items := store.New(db.engine, catalog, db.cfg.Now)
	db.jobs.Every("sweep client tokens", tokenSweep, items.SweepTokens)
	db.sweeper = ttl.New(ttl.Config{Engine: db.engine, Catalog: catalog, Store: items, Now: db.cfg.Now})
	db.jobs.Go("delete what has expired meanwhile", db.sweeper.Tick)
	db.jobs.Every("delete expired items", ttl.Interval, db.sweeper.Tick)
	log := db.tendLogs(catalog)
	changes, err := db.streams(ctx, catalog, log)
	if err != nil {
		return nil, err
	}
	if err := db.startKinesis(catalog, log); err != nil {
		return nil, err
	}
	return []*api.Service{changes, dynamodb.New(dynamodb.Config{
		Catalog:     catalog,
		Lifecycle:   tables,
		Store:       items,
		Reader:      query.NewReader(db.engine, catalog),
		Expressions: expr.NewCache(cachedExpressions),
		Kinesis:     db.kinesis,
		InMemory:    db.cfg.Memory,
		Now:         db.cfg.Now,
	}).API()}, nil
}

// tendLogs starts what looks after the change logs.
func (db *DB) tendLogs(catalog *table.Catalog) *changelog.Log {
	log := changelog.New(changelog.Config{
		Engine:  db.engine,
		Catalog: catalog,
		Limits:  db.cfg.Streams,
		Now:     db.cfg.Now,
		Logger:  db.cfg.Logger,
	})
	db.jobs.Every("tend change logs", log.Interval(), log.Tend)
	return log
}

// streams returns the service that shows the change logs.
func (db *DB) streams(ctx context.Context, catalog *table.Catalog, log *changelog.Log) (*api.Service, error) {
	secret, err := streams.Secret(ctx, db.engine)
	if err != nil {
		return nil, err
	}
	return dynamodbstreams.New(dynamodbstreams.Config{Reader: streams.New(catalog, log), Secret: secret, Now: db.cfg.Now}).API(), nil
}

// startKinesis starts what delivers changes to Kinesis data streams.
func (db *DB) startKinesis(catalog *table.Catalog, log *changelog.Log) (err error) {
	db.kinesis, err = kinesis.New(kinesis.Config{
		Catalog:   catalog,
		Log:       log,
		Jobs:      db.jobs,
		Endpoint:  db.cfg.Kinesis,
		AnyRegion: db.cfg.OneRegion,
		Delay:     db.cfg.LifecycleDelay,
		Now:       db.cfg.Now,
		Logger:    db.cfg.Logger,
	})
	if err == nil {
		db.kinesis.Start()
	}
	return err
}

// openEngine opens the storage engine that the configuration asks for.
func openEngine(cfg *Config, way *giveway.Way) (kv.Engine, error) {
	if cfg.Memory {
		return memkv.Open(), nil
	}
	return pebblekv.Open(pebblekv.Config{Dir: cfg.Dir, CacheBytes: cfg.CacheBytes, Way: way, Logger: cfg.Logger})
}

// requestMemory returns the budget for requests in flight, 0 for the gateway's default.
func requestMemory(configured int64) int64 {
	if configured == 0 {
		return pebblekv.MemoryLimit() / 8
	}
	return configured
}

// Handler returns the database as an http.Handler.
func (db *DB) Handler() http.Handler { return db.gateway }

// Run serves connections from ln until ctx is done and the requests that are running then have been answered. It closes ln.
func (db *DB) Run(ctx context.Context, ln net.Listener) error {
	return db.gateway.Run(ctx, ln, gateway.ServerConfig{TLS: db.cfg.TLS, MaxConns: db.cfg.MaxConns})
}

// Close stops the background work, then closes the store. No request may be running: Run has returned, and nothing calls the
// Handler any more.
func (db *DB) Close() error {
	db.jobs.Close()
	if db.kinesis != nil { // Open may have failed before
		db.kinesis.Close()
	}
	return errors.Join(db.functions.close(), db.engine.Close())
}

// A Load says how much a database has had to do since it was opened, and for how many.
type Load struct {
	Commits     uint64 // to disk: none, if it is only in memory
	Overlaps    uint64 // of these began when another was on its way to the disk
	Connections int    // are open
}

// Load returns the load so far.
func (db *DB) Load() Load {
	l := Load{Connections: db.gateway.Connections()}
	if store, ok := db.engine.(*pebblekv.DB); ok {
		l.Commits, l.Overlaps = store.Commits()
	}
	return l
}

var _ io.Closer = (*DB)(nil)

// registry holds the metrics of the process and the store; the gateway adds its own.
func (db *DB) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(newCollectors(db.engine, db.sweeper, db.kinesis)...)
	return r
}
