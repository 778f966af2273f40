// Package kv declares the storage engine: an ordered map of bytes with single-shot serializable updates, views, logs and
// counters. It knows nothing of tables; keys says what is stored under which key. An engine is right when it passes kvtest.
package kv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// An Engine stores bytes under ordered keys.
//
// Visible is not durable: an update may be seen by others before it has reached the disk. But no method returns, and no
// View closes, before everything that it wrote or saw is durable; so what leaves in an answer is never taken back.
//
// All methods may be called concurrently. Slices passed in are not kept. After Close every method fails with ErrClosed.
type Engine interface {
	// Update reads t.Keys atomically, calls f with their values, and applies the batch that f fills, all of it or nothing.
	// vals[i] is the value of t.Keys[i], nil if there is none; it is valid until f returns. b is empty at each call; the slices
	// put into it must stay unchanged until Update returns.
	//
	// f is pure: it runs again on a conflict, and what it assigns outside itself it assigns afresh on every run. An error
	// from f aborts the update and is returned as it is, once what f saw is durable; so with an empty batch.
	//
	// Updates are serializable with respect to t.Keys, those only read included. Keys that are put or deleted without being declared
	// are written blindly. Fails with ErrFenced if a version in t.Fence has moved, a *ConflictError where t.Claim says,
	// ErrTooLarge, ErrNoSpace, ErrUnknown if the outcome is not known, or ctx's error before anything was applied.
	Update(ctx context.Context, t Txn, f func(vals [][]byte, b *Batch) error) error

	// View opens a view to read from. It must be closed.
	View(ctx context.Context, o ViewOpts) (View, error)

	// TailLog returns at most limit records of the shard's log with positions greater than after, in order, that no later commit
	// can precede any more and that are durable, and the position to go on from. It may return fewer although there are more; the
	// log has been read to its end when there are none. If records after `after` have been trimmed it fails with ErrTrimmed, and
	// the position returned is that of the last one trimmed. After Newest there are no records; the position is that of the end.
	TailLog(ctx context.Context, shard uint64, after Pos, limit int) ([]Record, Pos, error)

	// TrimLog forgets the shard's records up to and including upTo, of those that there are. Positions go on; they never restart.
	// With Newest it forgets the shard itself too: nobody appends to it or reads it any more.
	TrimLog(ctx context.Context, shard uint64, upTo Pos) error

	// DeleteRange removes all keys in [lo, hi). It is durable when it returns but not atomic: for ranges that nobody writes.
	DeleteRange(ctx context.Context, lo, hi []byte) error

	// PreSplit tells a distributed engine to split its key space at the keys. Others ignore it.
	PreSplit(ctx context.Context, at [][]byte) error

	// Limits returns what one Update may hold.
	Limits() Limits

	// Close waits for running calls and open views and releases everything.
	Close() error
}

// A Txn says what an Update reads and what it must exclude.
type Txn struct {
	// Keys are read before f and excluded from concurrent updates that declare them. No key appears twice.
	Keys [][]byte

	// Claim makes the update a transaction in DynamoDB's sense: it holds exactly its Keys while it runs, and an Update that
	// declares a held key, or finds one of its keys held when it claims it, fails at once with a *ConflictError. Updates without
	// Claim wait for each other.
	Claim bool

	// Fence holds the definitions that the update was planned with.
	Fence []Fence

	// Define names those of Keys that are definition rows and that the batch may put or delete. While the update runs no update
	// that names them in its Fence does.
	Define [][]byte

	// NoSync lets Update return before the batch is durable. For work that a restart repeats.
	NoSync bool
}

// A Fence names a definition row and the version that it must have. The version of a row is the first 8 bytes of its value,
// big-endian; that of a row that does not exist is 0.
type Fence struct {
	Key     []byte
	Version uint64
}

// A Batch holds the changes of one Update. Of several changes to one key the order is: Dels, Puts, Adds.
type Batch struct {
	Puts []Pair
	Dels [][]byte
	Log  []LogEntry
	Adds []Add
}

// Put adds a pair.
func (b *Batch) Put(key, value []byte) { b.Puts = append(b.Puts, Pair{key, value}) }

// Delete adds a key to delete.
func (b *Batch) Delete(key []byte) { b.Dels = append(b.Dels, key) }

// Add adds delta to the counter under key.
func (b *Batch) Add(key []byte, delta int64) { b.Adds = append(b.Adds, Add{key, delta}) }

// Append appends data to the shard's log.
func (b *Batch) Append(shard uint64, data []byte) { b.Log = append(b.Log, LogEntry{shard, data}) }

// Reset empties b and keeps its memory.
func (b *Batch) Reset() {
	clear(b.Puts)
	clear(b.Dels)
	clear(b.Log)
	clear(b.Adds)
	b.Puts, b.Dels, b.Log, b.Adds = b.Puts[:0], b.Dels[:0], b.Log[:0], b.Adds[:0]
}

// Empty reports whether b changes nothing.
func (b *Batch) Empty() bool {
	return len(b.Puts)+len(b.Dels)+len(b.Log)+len(b.Adds) == 0
}

// Bytes returns the size of all keys and values.
func (b *Batch) Bytes() int {
	n := 0
	for _, p := range b.Puts {
		n += len(p.Key) + len(p.Value)
	}
	for _, k := range b.Dels {
		n += len(k)
	}
	for _, e := range b.Log {
		n += logOverhead + len(e.Data)
	}
	for _, a := range b.Adds {
		n += len(a.Key) + counterBytes
	}
	return n
}

const (
	logOverhead  = 18 // what a log entry takes beside its data
	counterBytes = 8
)

// A Pair is a key and its new value.
type Pair struct{ Key, Value []byte }

// An Add changes a counter, which needs no declaration and serializes nobody. A counter that does not exist is 0. Counter
// decodes its value.
type Add struct {
	Key   []byte
	Delta int64
}

// A LogEntry is appended to a shard's log; the engine assigns its position.
type LogEntry struct {
	Shard uint64
	Data  []byte
}

// A Pos is a place in one shard's log: after the record that has it. Positions grow in commit order; 0 is before the first.
type Pos uint64

// Newest is the position of whatever record is the last.
const Newest Pos = math.MaxUint64

// A Record is one entry of a log. Prev is the position of the record before it in the shard, by which a reader sees
// that none is missing. Data stays as it is; it may be shared and must not be changed.
type Record struct {
	Pos, Prev Pos
	Data      []byte
}

// ViewOpts chooses a view.
type ViewOpts struct {
	// Pinned makes everything that the view returns belong to one moment. Otherwise each Get is of its own moment, and each
	// Scan of the one it began at.
	Pinned bool
}

// A View reads. It is used by one goroutine. What Get and MultiGet return stays as it is, after Close too; it may be shared and must
// not be changed.
type View interface {
	// Get returns the value under key, nil if there is none.
	Get(key []byte) ([]byte, error)
	// MultiGet sets vals[i] to the value under keys[i], nil if there is none.
	MultiGet(keys, vals [][]byte) error
	// Scan iterates over a range. The iterator must be closed before the view.
	Scan(r Range) (Iterator, error)
	// Close waits until everything that was returned is durable, and releases the view. Only then may an answer leave.
	Close() error
}

// A Range is the keys in [Lo, Hi), walked upwards or, if Reverse, downwards. A nil Hi is after all keys.
type Range struct {
	Lo, Hi  []byte
	Reverse bool
	Most    int // how many pairs are wanted: the walk ends with them; 0: all
}

// An Iterator walks a range: for it.Next() { ... it.Key(), it.Value() ... }. Key and Value are valid until the following
// Next or Close, and must not be changed.
type Iterator interface {
	Next() bool
	Key() []byte
	Value() []byte
	// Close releases the iterator and returns the error that ended it early, if one did.
	Close() error
}

// Limits is what one Update may hold; 0 is no limit.
type Limits struct {
	TxnKeys  int // declared and written keys
	TxnBytes int // of all keys and values
}

// What callers may branch on.
var (
	ErrFenced   = errors.New("kv: a definition has changed")
	ErrUnknown  = errors.New("kv: the outcome of the commit is unknown")
	ErrTooLarge = errors.New("kv: transaction too large")
	ErrNoSpace  = errors.New("kv: the disk is full") // puts and logs wait; deletes and definitions go on
	ErrTrimmed  = errors.New("kv: log trimmed")
	ErrCorrupt  = errors.New("kv: stored data is damaged")
	ErrClosed   = errors.New("kv: engine is closed")
)

// A ConflictError says that a transaction holds one of an update's keys.
type ConflictError struct{ Key int } // index into Txn.Keys of the first that is held

func (e *ConflictError) Error() string {
	return fmt.Sprintf("kv: key %d is held by a transaction", e.Key)
}

// Counter decodes the value of a counter; nil is 0.
func Counter(val []byte) int64 {
	if len(val) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(val))
}

// Version returns the version of a definition row (see Fence).
func Version(row []byte) uint64 {
	if len(row) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(row)
}
