// Package workload makes the requests of a load test and knows what their answers must be: the operations, their mixes, YCSB's
// among them, and the items they are about.
//
// The data: item i is in partition i/PerPartition and has sort key i%PerPartition; all else in it follows from i too, so every
// answer can be checked without a copy of the data.
package workload

import "github.com/grammedb/gramme/internal/bench/dist"

// A Config is what the requests of one run have in common.
type Config struct {
	Table        string
	IndexTable   string // the table with the index; may be the same
	Items        uint64 // loaded into Table, a multiple of PerPartition
	IndexItems   uint64 // loaded into IndexTable
	PerPartition uint64
	Size         Size
	Random       bool // values that do not compress
	Consistent   bool // strongly consistent reads
	Segments     int  // of a parallel scan
	Keys         dist.Keys
	Inserted     *dist.Counter
}

// A Generator makes requests. It is not safe for concurrent use.
type Generator struct {
	cfg   *Config
	rng   dist.RNG
	fresh uint64 // the last fresh key
	check *checker
}

// NewGenerator returns a generator. fresh is the number that its fresh keys begin behind; those of generators that run
// against the same table must be far apart.
func NewGenerator(cfg *Config, seed, fresh uint64) *Generator {
	return &Generator{cfg: cfg, rng: dist.RNG(dist.Mix64(seed)), fresh: fresh}
}

// A Cursor is what one connection remembers from a request to its answer, and from there to the next request.
type Cursor struct {
	Segment  int    // of a parallel scan
	Scans    uint64 // how often the segment was done
	startKey []byte // scan: where to go on
	key      uint64 // the item that was asked for
	asked    int    // how many items the answer may have
	counter  uint64 // of the item that was read to be modified
}

// An Operation is one kind of request, or two of them.
type Operation struct {
	Name   string
	Target string // as X-Amz-Target names it
	About  string
	// Body appends the next request's body.
	Body func(g *Generator, c *Cursor, b []byte) []byte
	// Answered looks at an answer and says how many items it stands for; nil: one.
	Answered func(c *Cursor, body []byte) uint64
	// Check says what is wrong with an answer. nil: an object.
	Check func(k *checker, c *Cursor, answer value) error
	// Ended is called when the operation has ended, well or not; nil: nothing to do.
	Ended func(g *Generator, c *Cursor)
	// Then is sent when this is answered and completes it; nil: it is complete.
	Then *Operation
	// Dynamic operations depend on the answer before.
	Dynamic bool
	// Indexed operations need the index.
	Indexed bool
}

// Single reports whether the operation is one request and no more.
func (o *Operation) Single() bool { return o.Then == nil && o.Ended == nil }

func (g *Generator) key() uint64 { return g.cfg.Keys.Next(&g.rng) }

func (g *Generator) freshKey() uint64 {
	g.fresh++
	return g.fresh
}

// appendTable opens a body with the table's name.
func (g *Generator) appendTable(b []byte) []byte {
	b = append(b, `{"TableName":"`...)
	b = append(b, g.cfg.Table...)
	return append(b, '"')
}

func fixedItems(n uint64) func(*Cursor, []byte) uint64 {
	return func(*Cursor, []byte) uint64 { return n }
}
