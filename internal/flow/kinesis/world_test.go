package kinesis

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/kinesis/kinesistest"
	"github.com/grammedb/gramme/internal/job"
	"github.com/grammedb/gramme/internal/kv"
)

const stream = "arn:aws:kinesis:eu-test-1:000000000000:stream/changes"

var music = table.Name{Account: "000000000000", Region: "eu-test-1", Table: "Music"}

// A world is a process over a store with one table, and an endpoint with one stream.
type world struct {
	*testing.T
	engine  kv.Engine
	catalog *table.Catalog
	store   *store.Store
	log     *changelog.Log
	jobs    *job.Runner
	manager *Manager
	server  *kinesistest.Server
	config  Config           // what the test changes
	limits  changelog.Limits // the same
	skipped time.Duration    // by the clock
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, engine: dbtest.Engine(t), server: kinesistest.New(stream)}
	w.config.Endpoint = Endpoint{URL: w.server.Listen(t), AccessKey: kinesistest.AccessKey, Secret: kinesistest.Secret}
	w.start()
	dbtest.Create(t, w.catalog, "Music artist:S song:S")
	return w
}

func (w *world) now() time.Time { return time.Now().Add(w.skipped) }

// start starts the process, anew if it runs.
func (w *world) start() {
	w.Helper()
	if w.jobs != nil {
		w.jobs.Close()
	}
	quiet := slog.New(slog.DiscardHandler)
	w.jobs = job.New(quiet)
	w.Cleanup(w.jobs.Close)
	w.catalog = dbtest.Catalog(w.T, w.engine)
	w.store = store.New(w.engine, w.catalog, w.now)
	w.log = changelog.New(changelog.Config{Engine: w.engine, Catalog: w.catalog, Limits: w.limits, Now: w.now, Logger: quiet})
	c := w.config
	c.Catalog, c.Log, c.Jobs, c.Now, c.Logger = w.catalog, w.log, w.jobs, w.now, quiet
	var err error
	if w.manager, err = New(c); err != nil {
		w.Fatal(err)
	}
	w.manager.Start()
}

func (w *world) table() *table.Definition { return w.catalog.Get(music) }

func (w *world) enable(precision string) {
	w.Helper()
	if _, err := w.manager.Enable(w.Context(), music, stream, precision); err != nil {
		w.Fatal(err)
	}
	w.await(table.Active)
}

func (w *world) disable() {
	w.Helper()
	if _, err := w.manager.Disable(w.Context(), music, stream); err != nil {
		w.Fatal(err)
	}
	w.await(table.Disabled)
}

// await waits until the table's newest destination is in a state.
func (w *world) await(status table.Status) table.Destination {
	w.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		list := w.table().Destinations
		if n := len(list); n > 0 && list[n-1].Status == status {
			return list[n-1]
		}
		if time.Now().After(deadline) {
			w.Fatalf("the destinations are %+v", list)
		}
	}
}

// until waits until something is so.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatal("this does not come: ", what)
		}
	}
}

// put writes an item: "artist=a song=s n=1".
func (w *world) put(item string) {
	w.Helper()
	w.putInto(music, item)
}

func (w *world) putInto(n table.Name, item string) {
	w.Helper()
	w.write(n, store.Write{Kind: store.Put, Item: dbtest.Item(w.T, item)}, item)
}

// remove deletes the item that has the key of this one.
func (w *world) remove(item string) {
	w.Helper()
	w.write(music, store.Write{Kind: store.Delete}, item)
}

func (w *world) write(n table.Name, wr store.Write, item string) {
	w.Helper()
	var err error
	wr.Table = w.catalog.Get(n)
	wr.Key, err = wr.Table.KeyOf(dbtest.Item(w.T, item))
	if err == nil {
		_, err = w.store.Apply(w.Context(), wr)
	}
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) tend(after time.Duration) {
	w.Helper()
	w.skipped += after
	if err := w.log.Tend(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// stats returns the counts of the table's delivery.
func (w *world) stats() Stats {
	list := w.manager.Stats()
	if len(list) != 1 {
		w.Fatalf("%d deliveries have counts", len(list))
	}
	return list[0]
}

// A sent is what the tests look at in a record.
type sent struct {
	EventID   string
	EventName string
	Dynamodb  struct {
		ApproximateCreationDateTime          int64
		ApproximateCreationDateTimePrecision string
		Keys                                 struct{ Artist, Song struct{ S string } }
		NewImage                             struct{ N struct{ N string } }
	}
}

func read(t testing.TB, r kinesistest.Record) (s sent) {
	t.Helper()
	if err := json.Unmarshal(r.Data, &s); err != nil {
		t.Fatalf("%s: %v", r.Data, err)
	}
	return s
}

// byItem returns the values of n that were put for each item, in order.
func (w *world) byItem(list []kinesistest.Record) map[string][]string {
	all := map[string][]string{}
	for _, r := range list {
		s := read(w.T, r)
		id := s.Dynamodb.Keys.Artist.S + "/" + s.Dynamodb.Keys.Song.S
		all[id] = append(all[id], s.Dynamodb.NewImage.N.N)
	}
	return all
}

// waitDifferent waits for n different records and returns each as it came first. A request that a process has left may arrive.
func (w *world) waitDifferent(n int) (list []kinesistest.Record) {
	w.Helper()
	w.until("all records", func() bool {
		seen := map[string]bool{}
		list = nil
		for _, r := range w.server.Records() {
			if id := read(w.T, r).EventID; !seen[id] {
				seen[id] = true
				list = append(list, r)
			}
		}
		return len(list) >= n
	})
	return list
}

// expectInOrder checks that each of items items got the numbers from 0 to each-1, in order and once.
func (w *world) expectInOrder(list []kinesistest.Record, items, each int) {
	w.Helper()
	all := w.byItem(list)
	if len(all) != items {
		w.Errorf("records of %d items, want %d", len(all), items)
	}
	for id, got := range all {
		for n := range max(each, len(got)) {
			if n >= len(got) || got[n] != fmt.Sprint(n) {
				w.Errorf("%s got %v", id, got)
				break
			}
		}
	}
}
