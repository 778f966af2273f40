// Package harness runs the database without its front, in the process of a test that wants to look inside: operations are called
// with their inputs, the store can lose power, and all that is stored can be audited.
package harness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/streams"
	"github.com/grammedb/gramme/internal/flow/ttl"
	"github.com/grammedb/gramme/internal/job"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/kv/memkv"
	"github.com/grammedb/gramme/internal/kv/pebblekv"
	"github.com/grammedb/gramme/internal/lang/expr"
	"github.com/grammedb/gramme/internal/svc/dynamodb"
	"github.com/grammedb/gramme/internal/svc/dynamodbstreams"
)

// A Config says how to run.
type Config struct {
	Now   func() time.Time // nil: time.Now
	Delay time.Duration    // of changes of status, see lifecycle.Config
	// Power keeps the store on a file system that can lose power. Without it nothing is synced, and a Restart loses everything.
	Power bool
	// SyncTime is about how long that file system takes to sync.
	SyncTime time.Duration
	// Dir keeps the store on the real disk, or opens the one that is there.
	Dir string
	// Streams says when shards are closed and records trimmed. Nothing is done about it but by calls of Log.Tend.
	Streams changelog.Limits
}

// A Node is a running database. Nothing expires but by calls of Sweeper.Sweep. Restart and Crash must not run beside anything else.
type Node struct {
	Engine    kv.Engine
	Catalog   *table.Catalog
	Lifecycle *lifecycle.Manager
	Store     *store.Store
	Log       *changelog.Log
	Sweeper   *ttl.Sweeper

	config Config
	disk   *vfs.MemFS // nil: memory only
	jobs   *job.Runner
	ops    map[reflect.Type]operation // by the type of the input
}

// An operation is one of a service.
type operation struct {
	*api.Op
	service *api.Service
}

// Start starts a node on an empty disk, or on what Config.Dir holds.
func Start(c Config) (*Node, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	n := &Node{config: c}
	if c.Power {
		n.disk = vfs.NewCrashableMem()
	}
	return n, n.Open()
}

// openEngine opens the node's store: on its disk, in its directory, or in memory.
func (n *Node) openEngine(log *slog.Logger) (kv.Engine, error) {
	c := pebblekv.Config{CacheBytes: 1 << 20, MemtableBytes: 1 << 20, Logger: log}
	switch {
	case n.disk != nil:
		c.Dir, c.FS, c.ReserveBytes = "data", slow(n.disk, n.config.SyncTime), -1
		c.Fatal = func(err error) { panic(err) }
	case n.config.Dir != "":
		c.Dir = n.config.Dir
	default:
		return memkv.Open(), nil
	}
	return pebblekv.Open(c)
}

// Open opens a node that After has made.
func (n *Node) Open() error {
	log := slog.New(slog.DiscardHandler)
	engine, err := n.openEngine(log)
	if err != nil {
		return err
	}
	n.Engine, n.jobs = engine, job.New(log)
	if n.Catalog, err = table.OpenCatalog(context.Background(), n.Engine); err != nil {
		return err
	}
	n.Lifecycle = lifecycle.New(lifecycle.Config{
		Engine: n.Engine, Catalog: n.Catalog, Jobs: n.jobs, Delay: n.config.Delay, Now: n.config.Now, Logger: log,
	})
	n.Store = store.New(n.Engine, n.Catalog, n.config.Now)
	n.Sweeper = ttl.New(ttl.Config{Engine: n.Engine, Catalog: n.Catalog, Store: n.Store, Now: n.config.Now})
	n.Log = changelog.New(changelog.Config{
		Engine: n.Engine, Catalog: n.Catalog, Limits: n.config.Streams, Now: n.config.Now, Logger: log,
	})
	secret, err := streams.Secret(context.Background(), n.Engine)
	if err != nil {
		return err
	}
	n.ops = map[reflect.Type]operation{}
	n.serve(dynamodbstreams.New(dynamodbstreams.Config{Reader: streams.New(n.Catalog, n.Log), Secret: secret, Now: n.config.Now}).API())
	n.serve(dynamodb.New(dynamodb.Config{
		Catalog: n.Catalog, Lifecycle: n.Lifecycle, Store: n.Store, Reader: query.NewReader(n.Engine, n.Catalog),
		Expressions: expr.NewCache(1000), Now: n.config.Now,
	}).API())
	return n.Lifecycle.Start(context.Background())
}

func (n *Node) serve(s *api.Service) {
	for _, op := range s.Ops {
		n.ops[op.In] = operation{op, s}
	}
}

// slow returns fs with syncs that take some time.
func slow(fs vfs.FS, mean time.Duration) vfs.FS {
	if mean == 0 {
		return fs
	}
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
			time.Sleep(time.Duration(rand.Int64N(2 * int64(mean))))
		}
		return nil
	}))
}

// Close stops the node.
func (n *Node) Close() error {
	n.jobs.Close()
	return n.Engine.Close()
}

// Restart stops the node in good order and starts it again.
func (n *Node) Restart() error {
	if err := n.Close(); err != nil {
		return err
	}
	return n.Open()
}

// Crash cuts the power and starts the node on what the disk has kept: what was synced, and of the rest a percentage.
func (n *Node) Crash(percent int, rng *rand.Rand) error {
	after := n.After(percent, rng)
	if err := n.Close(); err != nil {
		return err
	}
	*n = *after
	return n.Open()
}

// After returns a node, to be opened, on what the disk would keep if the power were cut now. n goes on and may be in use.
func (n *Node) After(percent int, rng *rand.Rand) *Node {
	return &Node{config: n.config, disk: n.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})}
}

// Call validates an input, a pointer to a struct of package ddb or ddbstreams, and runs its operation, as the front does. The error is an
// *api.Error if it is one that a client would be told; any other is a fault.
func (n *Node) Call(ctx context.Context, in any) (any, error) {
	op, ok := n.ops[reflect.TypeOf(in).Elem()]
	if !ok {
		return nil, fmt.Errorf("harness: no operation takes %T", in)
	}
	if err := api.Validate(op.Op, in); err != nil {
		return nil, err
	}
	c := &api.Call{Service: op.service, Op: op.Op, Region: "eu-test-1", Account: "000000000000", Time: n.config.Now()}
	out, err := op.Run(ctx, c, in)
	if err == nil {
		return out, nil
	}
	if _, ok := errors.AsType[*api.Error](err); ok {
		return nil, err
	}
	if e := op.service.Translate(err); e != nil {
		return nil, e
	}
	return nil, fmt.Errorf("%s: %w", op.Name, err)
}

// Do is Call for a known output.
func Do[O any](ctx context.Context, n *Node, in any) (*O, error) {
	out, err := n.Call(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.(*O), nil
}

// Code returns the code of an error that a client would be told, "" for none, and the error's text for a fault.
func Code(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*api.Error](err); ok {
		return e.Code
	}
	return "fault: " + err.Error()
}

// Settle returns once nothing is under way in the background: no status is on its way, and nothing is to be purged.
func (n *Node) Settle(ctx context.Context) error {
	for {
		busy, err := n.busy(ctx)
		if err != nil || !busy {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("harness: still busy: %w", ctx.Err())
		case <-time.After(time.Millisecond): // there is nothing to wait on: jobs do not tell when they end
		}
	}
}

func (n *Node) busy(ctx context.Context) (bool, error) {
	for _, d := range n.Catalog.All(func(table.Name) bool { return true }) {
		if d.Status != table.Active || d.TTL.Status != "" || d.TTL.Filling {
			return true, nil
		}
		for i := range d.Indexes {
			if d.Indexes[i].Status != table.Active {
				return true, nil
			}
		}
	}
	view, err := n.Engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return false, err
	}
	lo, hi := keys.Jobs("")
	it, err := view.Scan(kv.Range{Lo: lo, Hi: hi})
	if err != nil {
		return false, errors.Join(err, view.Close())
	}
	busy := it.Next()
	return busy, errors.Join(it.Close(), view.Close())
}

// Audit settles, then compares everything that is stored with what the tables' rows say, see dbtest.Audit.
func (n *Node) Audit(ctx context.Context) ([]string, error) {
	if err := n.Settle(ctx); err != nil {
		return nil, err
	}
	return dbtest.Audit(ctx, n.Engine, n.Catalog)
}
