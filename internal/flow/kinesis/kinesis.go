// Package kinesis delivers the changes of tables to Kinesis data streams.
//
// A table has at most one stream to deliver to, its destination (table.Destination). A follower of the table's log reads the changes
// for it, in order, and puts them into the stream by PutRecords.
//
// # What is promised
//
// Every change that is committed while the destination is enabled is delivered at least once, the changes of one item in their order:
// no request has two records of an item, and none is sent before those ahead of it have arrived. A record is sent again where it is
// not known whether it arrived, also after a crash. Its eventID is then the same.
//
// A record that is larger than a stream takes is left out. So are those that have waited beyond the follower's limits of age and size
// because the stream was away. Both are counted (Stats) and logged.
//
// # How it is done
//
// One job per destination looks at all shards of the log that are to be read and gives each one turn: it reads a window of records
// behind the cursor, sends what it can of it, and notes what has arrived. A shard where something went wrong is left alone for a growing
// while; nothing of it stays in memory but the numbers of the records that arrived ahead of the cursor. The cursors are stored after each
// round (changelog.Log.Advance).
package kinesis

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/job"
)

// A Config names what a Manager works with.
type Config struct {
	Catalog  *table.Catalog
	Log      *changelog.Log
	Jobs     *job.Runner // runs the deliveries; its owner closes it before the engine
	Endpoint Endpoint    // without a URL there is none, and no destination can be enabled

	// AnyRegion lets a table have a stream of another region than its own.
	AnyRegion bool
	// Delay is how long every change of a destination's status takes, so that the states can be seen. Usually 0.
	Delay time.Duration

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default()
}

// maxTurns is how many requests are under way at once, over all destinations: each takes memory for a window and a request. Those to
// an endpoint that did not answer when it was asked last have maxTrials of their own, for they may hang.
const (
	maxTurns  = 4
	maxTrials = 2
)

// A Manager keeps the destinations of all tables. Its methods may be called concurrently.
type Manager struct {
	Config
	client *client
	turns  chan struct{} // taken while a shard has its turn
	trials chan struct{} // the same where the endpoint did not answer

	mu   sync.Mutex
	runs map[uint64]*delivery // guarded by mu; by the number of the table
}

// New returns a Manager. Start it before using it.
func New(c Config) (*Manager, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.Default())
	client, err := newClient(c.Endpoint)
	if err != nil {
		return nil, err
	}
	return &Manager{Config: c, client: client, turns: make(chan struct{}, maxTurns), trials: make(chan struct{}, maxTrials), runs: map[uint64]*delivery{}}, nil
}

// Start goes on with the deliveries that were under way when the process ended.
func (m *Manager) Start() {
	all := func(table.Name) bool { return true }
	for _, d := range append(m.Catalog.All(all), m.Catalog.Retired(all)...) {
		if d.Follower(table.DestinationFollower) == nil || d.Destination() == nil {
			continue
		}
		if m.client == nil {
			m.Logger.Warn("changes wait for a Kinesis endpoint to be configured", "table", d.Name, "stream", d.Destination().Stream)
		}
		m.follow(d)
	}
}

// Close closes the connections to the endpoint. REQUIRES: the runner of the deliveries is closed.
func (m *Manager) Close() {
	if m.client != nil {
		m.client.http.CloseIdleConnections()
	}
}

// follow starts the delivery for d's destination. Its follower tells it from earlier ones of the table.
func (m *Manager) follow(d *table.Definition) *delivery {
	f := d.Follower(table.DestinationFollower)
	r := &delivery{
		Manager: m,
		name:    d.FullName(),
		number:  d.Number,
		since:   f.Since,
		poke:    make(chan struct{}, 1),
		settled: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	m.mu.Lock()
	m.runs[d.Number] = r
	m.mu.Unlock()
	m.Jobs.Go(fmt.Sprintf("kinesis/%d/%d", d.Number, f.Since.UnixNano()), r.run)
	return r
}

// delivery returns the one that runs for a table, nil if there is none.
func (m *Manager) delivery(number uint64) *delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.runs[number]
}

// forget removes a delivery that has ended.
func (m *Manager) forget(r *delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs[r.number] == r {
		delete(m.runs, r.number)
	}
}

// Stats are the counts of a table's delivery, since it was enabled or the process began.
type Stats struct {
	Table     table.Name
	Delivered int64         // records
	Failed    int64         // records that are never delivered
	Throttled int64         // how often the stream refused a record for now
	Age       time.Duration // of the oldest record that is not delivered; 0: all are
}

// Stats returns the counts of all deliveries, in the order of their tables' names. That of a deleted table is counted with that of a
// new one of its name.
func (m *Manager) Stats() []Stats {
	m.mu.Lock()
	runs := make([]*delivery, 0, len(m.runs))
	for _, r := range m.runs {
		runs = append(runs, r)
	}
	m.mu.Unlock()
	all := map[table.Name]Stats{}
	for _, r := range runs {
		s, was := r.stats(), all[r.name]
		all[r.name] = Stats{s.Table, s.Delivered + was.Delivered, s.Failed + was.Failed, s.Throttled + was.Throttled, max(s.Age, was.Age)}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b Stats) int {
		return cmp.Or(cmp.Compare(a.Table.Account, b.Table.Account), cmp.Compare(a.Table.Region, b.Table.Region), cmp.Compare(a.Table.Table, b.Table.Table))
	})
}

// await waits for done, but not for long: with an endpoint that answers, a client's first look finds the state that it waits for.
func await(ctx context.Context, done <-chan struct{}) {
	const patience = 150 * time.Millisecond
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}
