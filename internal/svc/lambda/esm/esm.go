// Package esm is the engine of event source mappings: it reads a stream shard by shard, in batches, and calls a function with them.
//
// A shard is read by one worker, or by several lanes that share its items by their partition keys, so the changes of an item reach the
// function in their order. A lane is independent of all others: it has its own place in the shard, a batch or two in memory, and
// at most one call under way, so a function that hangs or fails on one item holds up that item's lane only. How far a lane has come is
// stored after each batch; what was called after that is called again when the server has ended in between: at least once.
//
// The package knows neither AWS's API nor the database: a Source is read, a Store remembers, a Function is called.
package esm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/grammedb/gramme/internal/lib/eventpattern"
)

// What a Source fails with.
var (
	ErrTrimmed = errors.New("esm: the records are no more")
	ErrExpired = errors.New("esm: the iterator is no more")
)

// A Source is a stream.
type Source interface {
	// Shards returns the shards that there are, parents before their children.
	Shards(ctx context.Context) ([]Shard, error)
	// Iterator returns an iterator for what stands after a sequence number ("": before all) of a shard, or after the newest record.
	Iterator(ctx context.Context, shard, after string) (string, error)
	LatestIterator(ctx context.Context, shard string) (string, error)
	// Records returns at most limit records and the next iterator, "" at the end of the shard.
	Records(ctx context.Context, iterator string, limit int) ([]Record, string, error)
}

// A Shard is one of a stream's sequences of records. Parent may name one that is no more.
type Shard struct {
	ID, Parent string
	Closed     bool
}

// A Record is one change.
type Record struct {
	Sequence string
	Time     time.Time
	Key      []byte // of the item, as far as order matters
	JSON     []byte // as the function gets it
}

// A Function is called with an event. It fails if the function was not run; if it was and failed, failure is not "".
type Function func(ctx context.Context, event []byte) (answer []byte, failure string, err error)

// A Checkpoint is how far a lane has come.
type Checkpoint struct {
	Shard       string
	Lane, Lanes int
	After       string    `json:",omitempty"` // sequence number of the last record that is done with; "": none
	Since       time.Time `json:",omitzero"`  // records before this time are none of ours; zero once a record was
	Done        bool      `json:",omitempty"` // the shard has ended
	Window      *Window   `json:",omitempty"` // that is open
	Closed      time.Time `json:",omitzero"`  // when the last window ended that was closed
}

// A Window is a tumbling window with what the function has made of it.
type Window struct {
	Start, End time.Time
	State      []byte // JSON
}

// A Store keeps the checkpoints of a mapping.
type Store interface {
	Load(ctx context.Context) ([]Checkpoint, error)
	Save(ctx context.Context, c *Checkpoint) error
	Remove(ctx context.Context, c *Checkpoint) error
}

// Settings are what can be set on a mapping.
type Settings struct {
	Batch       int           // records
	Window      time.Duration // to gather a batch
	Lanes       int           // ParallelizationFactor
	MaxAge      time.Duration // of a record; 0: until the stream forgets it
	Retries     int           // -1: for ever
	Bisect      bool
	Partial     bool          // ReportBatchItemFailures
	Tumbling    time.Duration // 0: no windows
	Filters     []*eventpattern.Pattern
	Destination string // URL for what is given up; "": none
}

// Config says what a Poller works with.
type Config struct {
	Settings
	Source   Source
	Store    Store
	Function Function
	// Latest are the iterators that Begin returned, by shard, for a mapping that has just begun; nil: none.
	Latest map[string]string
	// StreamARN and FunctionARN are what events and failure documents show.
	StreamARN, FunctionARN string
	// Note gets what became of a batch: OK, or a problem.
	Note func(result string)
	Now  func() time.Time
	Log  *slog.Logger
	Pace Pace
}

// Pace is how fast a Poller goes. What is 0 has the default in parentheses.
type Pace struct {
	Poll     time.Duration // between two looks at a shard that has nothing new (250 ms)
	Discover time.Duration // between two looks at the list of shards (5 s)
	Retry    time.Duration // after the first failure; doubles (200 ms)
	MaxRetry time.Duration // the longest of these pauses (10 s)
}

func (p Pace) withDefaults() Pace {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&p.Poll, 250*time.Millisecond)
	set(&p.Discover, 5*time.Second)
	set(&p.Retry, 200*time.Millisecond)
	set(&p.MaxRetry, 10*time.Second)
	return p
}

// The results that Note gets.
const (
	ResultOK     = "OK"
	ResultFailed = "PROBLEM: Function call failed"
)

// The most that a batch holds, as the service has it, and how old a record can be in a stream.
const (
	maxPayload = 6 << 20
	retention  = 24 * time.Hour
	pageSize   = 1000
)
