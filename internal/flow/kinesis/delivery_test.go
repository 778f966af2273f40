package kinesis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/kinesis/kinesistest"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
)

const (
	items = 20
	each  = 30
)

// numbers writes the numbers from 0 to each-1 to each of the items, some of which share their partition key.
func (w *world) numbers() {
	w.Helper()
	for n := range each {
		for i := range items {
			w.put(fmt.Sprintf("artist=a%d song=s%d n=%d", i%7, i, n))
		}
	}
}

func TestEveryChangeInOrder(t *testing.T) {
	w := newWorld(t)
	w.put("artist=before song=s n=0")
	w.enable("")
	w.numbers()
	list := w.server.Wait(t, items*each)
	w.until("all is delivered", func() bool { return w.stats().Age == 0 && w.stats().Delivered == items*each })
	w.expectInOrder(list, items, each)
	if n := w.server.Requests(); n >= items*each {
		t.Errorf("%d requests for %d records", n, items*each)
	}
	partitions := map[string]string{}
	for _, r := range list {
		artist := read(t, r).Dynamodb.Keys.Artist.S
		if was := partitions[artist]; was != "" && was != r.PartitionKey || len(r.PartitionKey) != 32 {
			t.Errorf("%s has partition key %s and %s", artist, was, r.PartitionKey)
		}
		partitions[artist] = r.PartitionKey
	}
	w.remove("artist=a0 song=s0")
	if s := read(t, w.server.Wait(t, items*each+1)[items*each]); s.EventName != "REMOVE" {
		t.Errorf("a removal is told as %+v", s)
	}
	dbtest.CheckAudit(t, w.engine, w.catalog)
}

// TestShardsSplitAndRotate: an item's changes are then in a chain of shards.
func TestShardsSplitAndRotate(t *testing.T) {
	w := newWorld(t)
	w.limits = changelog.Limits{ShardAge: time.Hour}
	w.start()
	w.enable("")
	for n := range each {
		for i := range items {
			w.put(fmt.Sprintf("artist=a%d song=s n=%d", i, n))
		}
		if n%10 == 9 {
			w.tend(time.Hour) // closes the shards
			dbtest.Change(t, w.catalog, music, func(old *table.Definition) *table.Definition {
				next := old.Clone()
				next.Log.Split(w.now(), func(*table.Shard) bool { return true })
				return next
			})
		}
	}
	w.expectInOrder(w.server.Wait(t, items*each), items, each)
	w.until("what is delivered is trimmed", func() bool {
		w.tend(time.Second)
		return len(w.table().Log.Closed) == 0
	})
	dbtest.CheckAudit(t, w.engine, w.catalog)
}

// TestTrouble: whatever the stream refuses arrives in the end, each item's changes in order.
func TestTrouble(t *testing.T) {
	var calls int
	for name, trouble := range map[string]kinesistest.Trouble{
		"records are throttled": {Record: func(*kinesistest.Record) string {
			if calls++; calls < 100 && calls%7 == 0 {
				return "ProvisionedThroughputExceededException"
			}
			return ""
		}},
		"records fail": {Record: func(*kinesistest.Record) string {
			if calls++; calls < 100 && calls%11 == 0 {
				return "InternalFailure"
			}
			return ""
		}},
		"requests are throttled": {Request: func(int) (int, string) {
			if calls++; calls < 5 {
				return 400, "ProvisionedThroughputExceededException"
			}
			return 0, ""
		}},
		"the server is ill": {Request: func(int) (int, string) {
			if calls++; calls%5 == 1 && calls < 20 {
				return 500, "InternalFailure"
			}
			return 0, ""
		}},
		"large requests are refused": {Request: func(n int) (int, string) {
			if calls++; n > 3 && calls < 5 {
				return 413, "RequestTooLarge"
			}
			return 0, ""
		}},
	} {
		t.Run(name, func(t *testing.T) {
			calls = 0
			w := newWorld(t)
			w.enable("")
			w.server.Cause(trouble)
			w.numbers()
			w.server.Wait(t, items*each)
			w.until("all is delivered", func() bool { return w.stats().Age == 0 && w.stats().Delivered == items*each })
			w.expectInOrder(w.server.Records(), items, each)
			if s := w.stats(); s.Failed != 0 || (s.Throttled > 0) != strings.Contains(name, "throttled") {
				t.Errorf("counted are %+v", s)
			}
		})
	}
}

// TestNotKnownWhetherItArrived: records are sent again, with the same eventIDs.
func TestNotKnownWhetherItArrived(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	lost := 2
	w.server.Cause(kinesistest.Trouble{Request: func(int) (int, string) {
		if lost--; lost >= 0 {
			return 500, "after"
		}
		return 0, ""
	}})
	w.put("artist=a song=s n=0")
	list := w.server.Wait(t, 3)
	for _, r := range list {
		if string(r.Data) != string(list[0].Data) {
			t.Errorf("one time it is %s, another time %s", list[0].Data, r.Data)
		}
	}
}

// TestDownForLong: writers do not wait, nothing is lost, and the store keeps what waits.
func TestDownForLong(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	down := kinesistest.Trouble{Request: func(int) (int, string) { return 503, "ServiceUnavailable" }}
	w.server.Cause(down)
	w.numbers()
	w.tend(10 * time.Hour)
	w.until("the age shows", func() bool { return w.stats().Age > 9*time.Hour })
	w.start() // and a restart does no harm
	w.tend(time.Second)
	if n := len(w.server.Records()); n != 0 {
		t.Fatalf("%d records arrived", n)
	}
	w.server.Cause(kinesistest.Trouble{})
	w.expectInOrder(w.waitDifferent(items*each), items, each)
}

// TestTooOld: what waits for longer than a day is lost, the rest is not.
func TestTooOld(t *testing.T) {
	w := newWorld(t)
	w.limits.ShardAge = 1000 * time.Hour
	w.start()
	w.enable("")
	w.server.Cause(kinesistest.Trouble{Request: func(int) (int, string) { return 503, "ServiceUnavailable" }})
	w.put("artist=a song=s n=0")
	w.put("artist=a song=s n=1")
	w.tend(20 * time.Hour)
	w.put("artist=a song=s n=2")
	w.tend(5 * time.Hour)
	w.server.Cause(kinesistest.Trouble{})
	list := w.server.Wait(t, 1)
	if got := w.byItem(list)["a/s"]; len(got) != 1 || got[0] != "2" {
		t.Errorf("told are %v", got)
	}
	w.until("the loss is counted", func() bool { return w.stats().Failed == 2 })
}

// TestTooOldBehindOthers: what arrived ahead of what is lost is neither lost nor sent again.
func TestTooOldBehindOthers(t *testing.T) {
	w := newWorld(t)
	w.limits.ShardAge = 1000 * time.Hour
	w.start()
	w.enable("")
	w.server.Cause(kinesistest.Trouble{Record: func(r *kinesistest.Record) string {
		if strings.Contains(string(r.Data), "refused") {
			return "InternalFailure"
		}
		return ""
	}})
	w.put("artist=a song=refused n=0")
	w.tend(20 * time.Hour)
	for n := range 3 {
		w.put(fmt.Sprintf("artist=a song=s n=%d", n))
		w.server.Wait(t, n+1)
	}
	w.tend(5 * time.Hour)
	w.until("the loss is counted", func() bool { return w.stats().Failed > 0 })
	w.put("artist=a song=s n=3")
	w.server.Wait(t, 4)
	w.until("all is delivered", func() bool { return w.stats().Age == 0 })
	w.expectInOrder(w.server.Records(), 1, 4)
	if s := w.stats(); s.Failed != 1 || s.Delivered != 4 {
		t.Errorf("counted are %+v", s)
	}
}

// A fullEngine refuses to store places while it is full.
type fullEngine struct {
	kv.Engine
	full atomic.Bool
}

func (e *fullEngine) Update(ctx context.Context, t kv.Txn, f func([][]byte, *kv.Batch) error) error {
	if e.full.Load() && len(t.Define) == 0 {
		return kv.ErrNoSpace
	}
	return e.Engine.Update(ctx, t, f)
}

// TestFullDisk: what is delivered while places cannot be stored is not sent again, and is stored in the end, so that it can be trimmed.
func TestFullDisk(t *testing.T) {
	w := newWorld(t)
	e := &fullEngine{Engine: w.engine}
	w.engine = e
	w.start()
	w.enable("")
	w.server.Cause(kinesistest.Trouble{Request: func(int) (int, string) { return 503, "ServiceUnavailable" }})
	w.numbers()
	e.full.Store(true)
	w.server.Cause(kinesistest.Trouble{})
	w.server.Wait(t, items*each)
	w.until("all is delivered", func() bool { return w.stats().Age == 0 })
	e.full.Store(false)
	w.until("what is delivered is trimmed", func() bool {
		w.tend(0)
		for _, s := range w.table().Log.Shards() {
			if start, _ := w.log.Start(t.Context(), s.Number); start != mustEnd(t, w.log, s.Number) {
				return false
			}
		}
		return true
	})
	w.expectInOrder(w.server.Records(), items, each)
	e.full.Store(true)
	dbtest.Change(t, w.catalog, music, func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.Retire(w.now())
		return next
	})
	w.until("the deleted table is followed no more", func() bool {
		gone := w.catalog.Retired(func(n table.Name) bool { return n == music })
		return len(gone) == 1 && len(gone[0].Followers) == 0
	})
}

func mustEnd(t *testing.T, l *changelog.Log, shard uint64) kv.Pos {
	t.Helper()
	end, err := l.End(t.Context(), shard)
	if err != nil {
		t.Fatal(err)
	}
	return end
}

// TestTooLarge: a record that no stream takes is left out.
func TestTooLarge(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	big := dbtest.Item(t, "artist=a song=s n=0").Merge([]attr.Field{{Name: "t", Value: attr.String(strings.Repeat("\x01", 200_000))}}) // six bytes each in JSON
	w.write(music, store.Write{Kind: store.Put, Item: big}, "artist=a song=s")
	w.put("artist=a song=s n=1") // with the large one as its old image
	w.put("artist=a song=s n=2")
	if got := w.byItem(w.server.Wait(t, 1))["a/s"]; len(got) != 1 || got[0] != "2" {
		t.Errorf("told are %v", got)
	}
	w.until("they are counted", func() bool { return w.stats().Failed == 2 })
}

// TestManyLargeRecords: no request has more than 5 MB.
func TestManyLargeRecords(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	for i := range 30 {
		w.put(fmt.Sprintf("artist=a%d song=s n=0 t=%s", i, strings.Repeat("x", 390_000)))
	}
	w.expectInOrder(w.server.Wait(t, 30), 30, 1)
	if s := w.stats(); s.Failed != 0 {
		t.Errorf("counted are %+v", s)
	}
}

// TestRestart: a process that is closed in the middle goes on where it was, and sends no more again than was under way.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	for n := range each {
		for i := range items {
			w.put(fmt.Sprintf("artist=a%d song=s n=%d", i, n))
		}
		if n%5 == 4 {
			w.start()
		}
	}
	w.expectInOrder(w.waitDifferent(items*each), items, each)
	if n := len(w.server.Records()); n > items*each+each/5*maxTurns*items { // an item is once in a request
		t.Errorf("%d records were put for %d changes", n, items*each)
	}
}

// A crashing engine ends after so many updates: the next ones fail.
type crashing struct {
	kv.Engine
	left atomic.Int64
}

var errCrash = errors.New("crash")

func (c *crashing) Update(ctx context.Context, t kv.Txn, f func([][]byte, *kv.Batch) error) error {
	if c.left.Add(-1) < 0 {
		return errCrash
	}
	return c.Engine.Update(ctx, t, f)
}

// TestCrash: a process that cannot note what has arrived is followed by one that sends it again, and nothing is missing.
func TestCrash(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	engine := w.engine
	c := &crashing{Engine: engine}
	c.left.Store(items * each) // the writes
	w.server.Cause(kinesistest.Trouble{Request: func(int) (int, string) { return 503, "ServiceUnavailable" }})
	w.engine = c
	w.start()
	w.numbers()
	w.server.Cause(kinesistest.Trouble{})
	w.until("the process has crashed", func() bool { return c.left.Load() < 0 })
	w.engine = engine
	w.start()
	w.expectInOrder(w.waitDifferent(items*each), items, each)
	w.until("all is delivered", func() bool { return w.stats().Age == 0 })
	w.put("artist=z song=z n=0")
	if got := w.byItem(w.waitDifferent(items*each + 1))["z/z"]; len(got) != 1 {
		t.Errorf("afterwards %v is delivered", got)
	}
}

// TestTableDeleted: what is left is delivered, then the log goes.
func TestTableDeleted(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	w.server.Cause(kinesistest.Trouble{Request: func(int) (int, string) { return 503, "ServiceUnavailable" }})
	w.numbers()
	dbtest.Change(t, w.catalog, music, func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.Retire(w.now())
		return next
	})
	w.start()
	w.server.Cause(kinesistest.Trouble{})
	w.expectInOrder(w.waitDifferent(items*each), items, each)
	w.until("the table is forgotten", func() bool {
		w.tend(time.Second)
		return len(w.catalog.Retired(func(table.Name) bool { return true })) == 0 && len(w.manager.Stats()) == 0
	})
}

// TestSlowEndpoint: writers do not notice.
func TestSlowEndpoint(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	release := make(chan struct{})
	w.server.Cause(kinesistest.Trouble{Request: func(int) (int, string) { <-release; return 0, "" }})
	w.numbers() // comes to an end while no request does
	close(release)
	w.server.Wait(t, items*each)
}

// TestHold: the log keeps what is not delivered, and only that.
func TestHold(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	w.put("artist=a song=s n=0")
	w.server.Wait(t, 1)
	w.until("the log is empty", func() bool {
		w.tend(time.Second)
		for _, s := range w.table().Log.Shards() {
			start, err := w.log.Start(t.Context(), s.Number)
			end, err2 := w.log.End(t.Context(), s.Number)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if start < end {
				return false
			}
		}
		return true
	})
	w.disable()
	if d := w.table(); len(d.Followers) != 0 || len(d.Log.Open) != 0 {
		t.Errorf("a table that nobody follows has %+v", d.Log)
	}
	places, err := w.log.Places(t.Context(), w.table(), table.DestinationFollower)
	if err != nil || len(places) != 0 {
		t.Errorf("a place is left: %v, %v", places, err)
	}
}

// A region is the way to an endpoint one region of which does not answer.
type region struct {
	*kinesistest.Server
	away    string       // its host
	silence atomic.Int32 // 0: it answers; else its requests fail, or hang
	hanging atomic.Int32 // requests
	end     chan struct{}
}

const (
	fails = 1 + iota
	hangs
)

func (r *region) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != r.away || r.silence.Load() == 0 {
		return r.Server.RoundTrip(req)
	}
	if r.silence.Load() == hangs {
		r.hanging.Add(1)
		<-r.end // and not when the request's time is over: the test would take that long
	}
	return nil, errors.New("no answer")
}

// TestSilentEndpoint: streams of an endpoint that hangs do not hold up those of one that answers.
func TestSilentEndpoint(t *testing.T) {
	const other = "arn:aws:kinesis:xx-test-1:000000000000:stream/changes"
	w := newWorld(t)
	endpoint := &region{Server: kinesistest.New(stream, other), away: "xx-test-1", end: make(chan struct{})}
	w.config.Endpoint.URL, w.config.Endpoint.Transport, w.config.AnyRegion = "http://{region}", endpoint, true
	w.start()
	t.Cleanup(func() { close(endpoint.end) })
	var away []*delivery
	for n := range maxTurns + 1 {
		name := table.Name{Account: music.Account, Region: music.Region, Table: fmt.Sprint("Away", n)}
		dbtest.Create(t, w.catalog, name.Table+" artist:S song:S")
		d, err := w.manager.Enable(t.Context(), name, other, "")
		if err != nil {
			t.Fatal(err)
		}
		r := w.manager.delivery(d.Number)
		<-r.settled
		away = append(away, r)
	}
	endpoint.silence.Store(fails)
	for _, r := range away {
		w.putInto(r.name, "artist=a song=s n=1")
		w.until("the silence is noted", r.unanswered.Load)
	}
	endpoint.silence.Store(hangs)
	w.until("all trials hang", func() bool { return endpoint.hanging.Load() >= maxTrials })
	w.enable("")
	w.put("artist=a song=s n=1")
	endpoint.Wait(t, 1)
	if n := endpoint.hanging.Load(); n > maxTrials {
		t.Errorf("%d requests hang, want %d at most", n, maxTrials)
	}
}

// TestTurns: who is not answered waits for a trial, whoever has the turns, and the other way round.
func TestTurns(t *testing.T) {
	const other = "arn:aws:kinesis:xx-test-1:000000000000:stream/changes"
	m := &Manager{client: new(client), turns: make(chan struct{}, 1), trials: make(chan struct{}, 1)}
	begin := func(stream string, unanswered bool) func() {
		r := &delivery{Manager: m}
		r.unanswered.Store(unanswered)
		end, err := (&turn{delivery: r, stream: stream}).begin(t.Context())
		if err != nil {
			t.Error(err)
		}
		return end
	}
	taken := func(turns, trials int) {
		t.Helper()
		if len(m.turns) != turns || len(m.trials) != trials {
			t.Errorf("%d turns and %d trials are taken, want %d and %d", len(m.turns), len(m.trials), turns, trials)
		}
	}
	endTurn := begin(stream, false)
	taken(1, 0)
	endTrial := begin(stream, true)
	taken(1, 1)
	endTrial()
	waiting := make(chan func())
	go func() { waiting <- begin(other, false) }()
	m.client.silence(other).Store(true)
	endTurn()
	endTrial = <-waiting
	taken(0, 1)
	endTurn = begin(stream, false)
	taken(1, 1)
	endTurn()
	endTrial()
	taken(0, 0)
}
