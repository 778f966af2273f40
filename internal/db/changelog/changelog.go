// Package changelog keeps and reads the change logs of tables. Writes append to them (package store); here is what happens to
// them afterwards.
//
// # Holds
//
// Whoever follows a log holds it: the streams of a table, which keep every record for some time, whether anybody reads it or not, and
// named followers (table.Follower), which keep what they have not read yet. A record is trimmed once no hold wants it any
// more. Every hold has a greatest age and a greatest size: a record that is older, or from which on the log has more bytes, is not kept
// for it. A follower that loses a record in this way has lost its place for good and is told so by ErrStartOver: it must follow
// anew, from a base copy. One that skips what it has lost goes on behind it, and is told by kv.ErrTrimmed. So nobody who is dead fills
// the disk.
//
// # Shards
//
// A shard is closed and goes on in a child when it has reached an age, and in two children when its load is over a limit. A closed
// shard stays in the map until every hold has let go of it. The records of a shard are read by their positions.
//
// All of that is one job, Tend, which looks at every log again and again. What it decides is stored in the definition, in the followers'
// rows and in the engine's trim points; what it remembers itself are only measurements and what need not be read again.
package changelog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

// A Config names what a Log works with.
type Config struct {
	Engine  kv.Engine
	Catalog *table.Catalog
	Limits  Limits
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: slog.Default()
}

// Limits say when shards are closed and records trimmed. Zeros stand for the defaults.
type Limits struct {
	Retention time.Duration // how long streams keep their records: 24 hours
	Bytes     int64         // of one table's log, beyond which streams keep records for less: 16 GiB
	ShardAge  time.Duration // at which a shard is closed: 4 hours
	// ShardRecords and ShardBytes are the load, per second, above which a shard is split: 5,000 and 5 MiB. Shards is how many open ones
	// a log may have: 64.
	ShardRecords, ShardBytes int64
	Shards                   int
}

// orDefaults fills in what is not set.
func (l Limits) orDefaults() Limits {
	set := func(to *int64, value int64) {
		if *to == 0 {
			*to = value
		}
	}
	set((*int64)(&l.Retention), int64(24*time.Hour))
	set((*int64)(&l.ShardAge), int64(4*time.Hour))
	set(&l.Bytes, 16<<30)
	set(&l.ShardRecords, 5000)
	set(&l.ShardBytes, 5<<20)
	if l.Shards == 0 {
		l.Shards = 64
	}
	return l
}

// A Log keeps and reads the change logs of all tables. Its methods may be called concurrently.
type Log struct {
	engine  kv.Engine
	catalog *table.Catalog
	limits  Limits
	now     func() time.Time
	log     *slog.Logger

	tended atomic.Int64 // when Tend ran last, in milliseconds

	tending sync.Mutex        // held by Tend
	shards  map[uint64]*shard // guarded by tending; what is known of shards, by number
	quiet   map[uint64]rest   // guarded by tending; tables that need not be looked at, by number
}

// New returns a Log. Somebody must call Tend from time to time.
func New(c Config) *Log {
	l := &Log{
		engine: c.Engine, catalog: c.Catalog, limits: c.Limits.orDefaults(), now: c.Now, log: c.Logger,
		shards: map[uint64]*shard{}, quiet: map[uint64]rest{},
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	l.tended.Store(l.now().UnixMilli())
	return l
}

// Limits returns the limits that are in force.
func (l *Log) Limits() Limits { return l.limits }

// ErrStartOver tells a follower that it has stayed behind for too long, and that records which it has not read are gone.
var ErrStartOver = errors.New("changelog: the follower has lost its place and must start over")

// An Entry is a record and its position in its shard.
type Entry struct {
	Pos kv.Pos
	change.Record
}

// Read returns at most limit records of a shard after a position, in order, and the position to go on from; fewer although there are
// more if they are large. None means that there are no more for now. It fails with kv.ErrTrimmed and the position of the last record
// trimmed if some after the position were.
func (l *Log) Read(ctx context.Context, shard uint64, after kv.Pos, limit int) ([]Entry, kv.Pos, error) {
	recs, next, err := l.engine.TailLog(ctx, shard, after, limit)
	if err != nil || len(recs) == 0 {
		return nil, next, err
	}
	entries := make([]Entry, len(recs))
	for i := range recs {
		entries[i].Pos = recs[i].Pos
		if entries[i].Record, err = change.Decode(recs[i].Data); err != nil {
			return nil, 0, err
		}
	}
	return entries, next, nil
}

// End returns the position of a shard's newest record.
func (l *Log) End(ctx context.Context, shard uint64) (kv.Pos, error) {
	_, end, err := l.engine.TailLog(ctx, shard, kv.Newest, 0)
	return end, err
}

// Start returns the position of the last record of a shard that was trimmed.
func (l *Log) Start(ctx context.Context, shard uint64) (kv.Pos, error) {
	_, start, err := l.engine.TailLog(ctx, shard, 0, 0)
	if errors.Is(err, kv.ErrTrimmed) {
		err = nil
	}
	return start, err
}
