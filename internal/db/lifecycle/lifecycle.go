// Package lifecycle takes tables and their indexes from one status to the next: it creates and deletes tables, puts new
// settings in force, fills new indexes and purges what was dropped.
//
// # States
//
//	table           CREATING -> ACTIVE <-> UPDATING, ACTIVE -> DELETING -> gone
//	global index    CREATING (waiting, then backfilling) -> ACTIVE -> DELETING -> gone
//	time to live    DISABLED -> ENABLING -> ENABLED -> DISABLING -> DISABLED
//
// A table's definition is its state: every step is one commit of the catalog, so a step is durable or did not happen, and it
// excludes every write that was planned with the definition before it (kv.Txn.Define). Which step comes next, and when it is
// due, is read from the definition. After a crash Start reads all definitions and goes on.
//
// The service takes seconds for each step and its clients sleep between looks. Here a step without work is due at once: what a
// client asked for is done and durable before the answer leaves, and only the answer shows the state in between. For those
// who test against the states, Config.Delay makes every change take that long.
//
// # Filling an index
//
// From the commit that adds an index every write maintains it, for the fence keeps out all writes planned without it. So
// the fill has to enter only the items that are there at that commit and that nobody touches. It scans the table in short
// views and, in updates that declare the rows found, reads each item again and puts its entry: a writer of the item is either
// before that update, and what it wrote is entered, or after it, and changes the entry itself. Entries are a function of the
// item alone, so it does no harm to enter an item twice, and a crash costs only the way since the last stored cursor.
//
// # Counting an index
//
// Writes count the difference that they make to an index, the same way in every state: entries of the new image minus entries
// of the old one, as though the old one had been entered. The fill counts nothing. So while an index is being filled its counters
// are off, by the entries that the table's items had at the commit that added it, which is an amount that nothing changes. When the
// fill is through, one pinned view shows both how many entries there are and what the counters say; the difference
// is that amount, and the commit that makes the index ACTIVE adds it. Writes go on meanwhile: what they add after
// the view was taken they add to counters and entries alike. No write waits and none is counted twice. An engine must for this
// show counters and rows of one moment in a pinned view.
//
// # Time to live
//
// Expired items are found by entries of their own (keys.Expiry), which are kept and filled as those of an index are, and are not
// counted. Where time to live is switched on again they have another number, so what is left of the old ones can be purged
// meanwhile.
//
// # Streams
//
// A stream that is enabled gets new shards of the table's log in the commit that enables it, so its records begin there; one that is
// disabled has its shards closed. The log of a table that is deleted stays, with its definition, for those who follow it
// (table.Catalog.Retired); package changelog forgets it in the end.
//
// # Purging
//
// The commit that removes a table or an index from the catalog also writes a row that names what is left of it. As nothing can
// be written there any more and numbers are not used again, the range is deleted at leisure, then the row.
package lifecycle

import (
	"context"
	"log/slog"
	"time"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/job"
	"github.com/grammedb/gramme/internal/kv"
)

// A Config names what a Manager works with.
type Config struct {
	Engine  kv.Engine
	Catalog *table.Catalog
	Jobs    *job.Runner // runs what is done in the background; its owner closes it before the engine

	// Delay is how long every change of a status takes, so that the states can be seen. Usually 0.
	Delay time.Duration

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default()
}

// A Manager takes tables through their states. Its methods may be called concurrently.
type Manager struct {
	engine  kv.Engine
	catalog *table.Catalog
	jobs    *job.Runner
	delay   time.Duration
	now     func() time.Time
	log     *slog.Logger
}

// New returns a Manager. Start it before using it.
func New(c Config) *Manager {
	m := &Manager{engine: c.Engine, catalog: c.Catalog, jobs: c.Jobs, delay: c.Delay, now: c.Now, log: c.Logger}
	if m.now == nil {
		m.now = time.Now
	}
	if m.log == nil {
		m.log = slog.Default()
	}
	return m
}

// Start goes on with what was under way when the process ended. It returns once that is running.
func (m *Manager) Start(ctx context.Context) error {
	if err := m.resumePurges(ctx); err != nil {
		return err
	}
	for _, d := range m.catalog.All(func(table.Name) bool { return true }) {
		if err := m.adoptTTL(ctx, d); err != nil {
			return err
		}
		m.follow(m.catalog.Current(d))
	}
	return nil
}
