package streams_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/streams"
	"github.com/grammedb/gramme/internal/kv"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// A world is a store with one table that has a stream, and a clock that the test moves.
type world struct {
	testing.TB
	engine  kv.Engine
	catalog *table.Catalog
	store   *store.Store
	log     *changelog.Log
	reader  *streams.Reader
	clock   time.Time
	name    table.Name
}

func newWorld(t testing.TB, definition, view string) *world {
	t.Helper()
	w := &world{TB: t, engine: dbtest.Engine(t), clock: noon}
	now := func() time.Time { return w.clock }
	w.catalog = dbtest.Catalog(t, w.engine)
	w.store = store.New(w.engine, w.catalog, now)
	w.log = changelog.New(changelog.Config{Engine: w.engine, Catalog: w.catalog, Limits: changelog.Limits{ShardAge: 1000 * time.Hour}, Now: now})
	w.reader = streams.New(w.catalog, w.log)
	w.name = dbtest.Create(t, w.catalog, definition).FullName()
	w.change(func(d *table.Definition) { d.EnableStream(view, w.clock); d.SettleStreams() })
	return w
}

func (w *world) change(f func(*table.Definition)) {
	w.Helper()
	dbtest.Change(w, w.catalog, w.name, func(old *table.Definition) *table.Definition {
		next := old.Clone()
		f(next)
		return next
	})
}

// stream returns the table's only stream, as it is now.
func (w *world) stream() *streams.Stream {
	w.Helper()
	list := w.reader.List(w.name.Account, w.name.Region, w.name.Table)
	if len(list) != 1 {
		w.Fatalf("%d streams", len(list))
	}
	return list[0]
}

func (w *world) put(text string) {
	w.Helper()
	d := w.catalog.Get(w.name)
	it := dbtest.Item(w, text)
	k, err := d.KeyOf(it)
	if err != nil {
		w.Fatal(err)
	}
	w.apply(store.Write{Kind: store.Put, Table: d, Key: k, Item: it})
}

func (w *world) delete(text string, by *change.User) {
	w.Helper()
	d := w.catalog.Get(w.name)
	k, err := d.ParseKey(dbtest.Item(w, text))
	if err != nil {
		w.Fatal(err)
	}
	w.apply(store.Write{Kind: store.Delete, Table: d, Key: k, User: by})
}

func (w *world) apply(wr store.Write) {
	w.Helper()
	if _, err := w.store.Apply(context.Background(), wr); err != nil {
		w.Fatal(err)
	}
}

func (w *world) read(at streams.Position, limit int) streams.Page {
	w.Helper()
	p, err := w.reader.Read(context.Background(), w.stream(), at, limit)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func words(r streams.Record) string {
	text := fmt.Sprintf("%s %s: %s -> %s %d", r.Event, dbtest.Text(r.Keys), dbtest.Text(r.Old), dbtest.Text(r.New), r.Size)
	if r.User != nil {
		text += " by " + r.User.Type
	}
	return text
}

// TestViews: what the view types show of the example of the developer guide (DynamoDB Streams low-level API: Java example), and the
// sizes that are published there.
func TestViews(t *testing.T) {
	for view, want := range map[string][]string{
		"NEW_AND_OLD_IMAGES": {
			"INSERT Id=1:  -> Id=1 Message=New 24",
			"MODIFY Id=1: Id=1 Message=New -> Id=1 Message=Other 56",
			"REMOVE Id=1: Id=1 Message=Other ->  36 by Service"},
		"NEW_IMAGE": {
			"INSERT Id=1:  -> Id=1 Message=New 24",
			"MODIFY Id=1:  -> Id=1 Message=Other 36",
			"REMOVE Id=1:  ->  4 by Service"},
		"OLD_IMAGE": {
			"INSERT Id=1:  ->  4",
			"MODIFY Id=1: Id=1 Message=New ->  24",
			"REMOVE Id=1: Id=1 Message=Other ->  36 by Service"},
		"KEYS_ONLY": {
			"INSERT Id=1:  ->  4",
			"MODIFY Id=1:  ->  4",
			"REMOVE Id=1:  ->  4 by Service"},
	} {
		w := newWorld(t, "T Id:N", view)
		w.put(`{"Id":{"N":"1"},"Message":{"S":"New item!"}}`)
		w.put(`{"Id":{"N":"1"},"Message":{"S":"This item has changed"}}`)
		w.delete("Id=1", change.TTL)
		sh := w.stream().Shards()[0]
		var got []string
		for _, r := range w.read(sh.Horizon(), 10).Records {
			text := strings.NewReplacer(`{"Id":{"N":"1"},"Message":{"S":"New item!"}}`, "Id=1 Message=New",
				`{"Id":{"N":"1"},"Message":{"S":"This item has changed"}}`, "Id=1 Message=Other",
				"Message=New item!", "Message=New", "Message=This item has changed", "Message=Other").Replace(words(r))
			got = append(got, text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s shows\n%s\nwant\n%s", view, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestKeysOfTwoStrings(t *testing.T) {
	w := newWorld(t, "T Username:S Timestamp:S", "KEYS_ONLY")
	w.put(`{"Username":{"S":"John Doe1"},"Timestamp":{"S":"2016-11-18:12:09:36"},"Message":{"S":"x"}}`)
	r := w.read(w.stream().Shards()[0].Horizon(), 1).Records[0]
	if want := len("Username") + len("John Doe1") + len("Timestamp") + len("2016-11-18:12:09:36"); r.Size != want {
		t.Errorf("size %d, want %d", r.Size, want)
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t, "T a:S", "NEW_IMAGE")
	for i := range 10 {
		w.put(fmt.Sprintf("a=x n=%d", i))
	}
	sh := w.stream().Shards()[0]
	at := sh.Horizon()
	seen := 0
	for _, want := range []int{4, 4, 2, 0, 0} {
		p := w.read(at, 4)
		if len(p.Records) != want || p.End {
			t.Fatalf("%d records, end %v, want %d", len(p.Records), p.End, want)
		}
		for _, r := range p.Records {
			if dbtest.Text(r.New) != fmt.Sprintf("a=x n=%d", seen) {
				t.Errorf("record %d is %v", seen, r.New)
			}
			seen++
		}
		at = p.Next
	}
	w.put("a=x n=10")
	w.change(func(d *table.Definition) { d.DisableStream(w.clock) })
	if p := w.read(at, 1); len(p.Records) != 1 || p.End {
		t.Errorf("%d records, end %v: nobody has looked for more yet", len(p.Records), p.End)
	}
	if p := w.read(at, 2); len(p.Records) != 1 || !p.End {
		t.Errorf("%d records, end %v", len(p.Records), p.End)
	}
}

// TestLargePages: a page ends before it holds more than 1 MB of what is shown, but holds one record at least.
func TestLargePages(t *testing.T) {
	for view, want := range map[string]int{"NEW_AND_OLD_IMAGES": 1, "NEW_IMAGE": 2, "KEYS_ONLY": 6} {
		w := newWorld(t, "T a:S", view)
		for i := range 6 {
			w.put(fmt.Sprintf("a=x t=%s%d", strings.Repeat("x", 390<<10), i))
		}
		sh := w.stream().Shards()[0]
		second := streams.Position{Shard: sh.Number, After: 1}
		if view == "KEYS_ONLY" {
			second = sh.Horizon()
		}
		if n := len(w.read(second, 1000).Records); n != want {
			t.Errorf("%s: a page of %d records, want %d", view, n, want)
		}
		n := 0
		for at := sh.Horizon(); ; {
			p := w.read(at, 1000)
			if at = p.Next; len(p.Records) == 0 {
				break
			}
			n += len(p.Records)
		}
		if n != 6 {
			t.Errorf("%s: %d records in all", view, n)
		}
	}
}

// TestPagesReadSoMuch: a page that shows only keys does not go through any amount of images.
func TestPagesReadSoMuch(t *testing.T) {
	w := newWorld(t, "T a:S", "KEYS_ONLY")
	const records = 50 // of nearly 800 KB
	for i := range records {
		w.put(fmt.Sprintf("a=x t=%s%d", strings.Repeat("x", 390<<10), i))
	}
	pages, n := 0, 0
	for at := w.stream().Shards()[0].Horizon(); n < records; pages++ {
		p := w.read(at, 1000)
		if len(p.Records) == 0 || p.End {
			t.Fatalf("page %d after %d records: %d records, end %v", pages, n, len(p.Records), p.End)
		}
		at, n = p.Next, n+len(p.Records)
	}
	if pages < 2 || pages > 4 {
		t.Errorf("%d pages", pages)
	}
}

func TestShards(t *testing.T) {
	w := newWorld(t, "T a:S", "NEW_IMAGE")
	every := func(*table.Shard) bool { return true }
	w.change(func(d *table.Definition) { d.Log.Split(noon, every) })
	w.change(func(d *table.Definition) { d.Log.Rotate(noon, func(s *table.Shard) bool { return s.Lo == 0 }) })
	st := w.stream()
	list := st.Shards()
	if len(list) != 4 || list[0].ParentID != "" || list[1].ParentID != list[0].ID || list[2].ParentID != list[0].ID || list[3].ParentID != list[1].ID {
		t.Fatalf("%+v", list)
	}
	form := regexp.MustCompile(`^shardId-\d{20}-[0-9a-f]{8}$`)
	for i, sh := range list {
		if !form.MatchString(sh.ID) || i > 0 && sh.ID <= list[i-1].ID || sh.ID < st.FirstID() {
			t.Errorf("shard %d is %s", i, sh.ID)
		}
		if got, err := st.Shard(sh.ID); err != nil || got.Number != sh.Number {
			t.Errorf("%s: %+v, %v", sh.ID, got, err)
		}
	}
	if _, err := st.Shard("shardId-00000000000000000000-00000000"); !errors.Is(err, streams.ErrNoShard) {
		t.Error(err)
	}
	// The parent's ID stays as it is when the parent is no more.
	w.change(func(d *table.Definition) { d.Log.Drop(every) })
	if left := w.stream().Shards(); len(left) != 2 || left[0].ParentID != list[0].ID || left[1].ParentID != list[1].ID {
		t.Errorf("%+v", left)
	}
	// A stream that begins with a child shows no parent.
	w.change(func(d *table.Definition) { d.DisableStream(w.clock); d.Streams = nil; d.Log.Begin(w.clock, 1) })
	w.change(func(d *table.Definition) { d.EnableStream("NEW_IMAGE", w.clock) })
	if begun := w.stream().Shards(); len(begun) != 1 || begun[0].ParentID != "" || begun[0].Parent == 0 {
		t.Errorf("%+v", begun)
	}
}

func TestPositions(t *testing.T) {
	w := newWorld(t, "T a:S", "NEW_IMAGE")
	ctx := t.Context()
	for i := range 5 {
		w.put(fmt.Sprintf("a=x n=%d", i))
	}
	w.clock = w.clock.Add(time.Hour)
	w.put("a=x n=5")
	sh := w.stream().Shards()[0]
	old := streams.Position{Shard: sh.Number, After: 2}
	horizon := sh.Horizon()
	w.clock = w.clock.Add(24*time.Hour - time.Minute)
	if err := w.log.Tend(ctx); err != nil { // trims the first five
		t.Fatal(err)
	}
	seq := func(pos kv.Pos) streams.Sequence { return streams.Sequence{Shard: sh.Number, Pos: pos} }
	for _, c := range []struct {
		seq   streams.Sequence
		after bool
		want  string // the first record, or the error
	}{
		{sh.First(), false, "5"},
		{sh.First(), true, "5"},
		{seq(1), false, streams.ErrTrimmed.Error()},
		{seq(5), false, streams.ErrTrimmed.Error()},
		{seq(4), true, streams.ErrTrimmed.Error()},
		{seq(5), true, "5"},
		{seq(6), false, "5"},
		{seq(6), true, "none"},
		{seq(7), false, streams.ErrNotInShard.Error()},
		{streams.Sequence{Shard: sh.Number + 1, Pos: 6}, false, streams.ErrNotInShard.Error()},
	} {
		if got := w.first(&sh, c.seq, c.after); got != c.want {
			t.Errorf("at %v, after: %v: %s, want %s", c.seq, c.after, got, c.want)
		}
	}
	if _, err := w.reader.Read(ctx, w.stream(), old, 10); !errors.Is(err, streams.ErrTrimmed) {
		t.Errorf("a position among what is trimmed: %v", err)
	}
	if p := w.read(horizon, 10); len(p.Records) != 1 {
		t.Errorf("from the horizon on there are %d records", len(p.Records))
	}
	if last, err := w.reader.Last(ctx, &sh); err != nil || last != seq(6) {
		t.Errorf("last %v, %v", last, err)
	}
	at, err := w.reader.Latest(ctx, &sh)
	if err != nil {
		t.Fatal(err)
	}
	w.put("a=x n=6")
	if p := w.read(at, 10); len(p.Records) != 1 || p.Records[0].Sequence != seq(7) {
		t.Errorf("%+v after the latest", p.Records)
	}
	gone := streams.Position{Shard: sh.Number + 100}
	if _, err := w.reader.Read(ctx, w.stream(), gone, 10); !errors.Is(err, streams.ErrTrimmed) {
		t.Errorf("a shard that is not there: %v", err)
	}
}

// first tells the first record that a position by sequence number leads to.
func (w *world) first(sh *streams.Shard, seq streams.Sequence, after bool) string {
	at, err := w.reader.At(context.Background(), sh, seq, after)
	if err != nil {
		return err.Error()
	}
	p := w.read(at, 1)
	if len(p.Records) == 0 {
		return "none"
	}
	_, n, _ := strings.Cut(dbtest.Text(p.Records[0].New), "n=")
	return n
}

func TestSequence(t *testing.T) {
	for _, c := range []struct {
		seq  streams.Sequence
		text string
	}{
		{streams.Sequence{Shard: 1}, "100000000000000000000"},
		{streams.Sequence{Shard: 12, Pos: 345}, "1200000000000000000345"},
		{streams.Sequence{Shard: 1<<64 - 1, Pos: 1<<64 - 1}, "1844674407370955161518446744073709551615"},
	} {
		if got := c.seq.String(); got != c.text || len(got) < 21 || len(got) > 40 {
			t.Errorf("%v is %s, want %s", c.seq, got, c.text)
		}
		if back, err := streams.ParseSequence("0" + c.text); err != nil || back != c.seq {
			t.Errorf("%s is read as %v, %v", c.text, back, err)
		}
	}
	for _, text := range []string{"", "12345678901234567890", "1234567890123456789x1", "-100000000000000000000", "99999999999999999999999999999999999999999", "199999999999999999999"} {
		if seq, err := streams.ParseSequence(text); err == nil {
			t.Errorf("%q is read as %v", text, seq)
		}
	}
}

func FuzzParseSequence(f *testing.F) {
	f.Add("100000000000000000000")
	f.Add("x")
	f.Fuzz(func(t *testing.T, text string) {
		if seq, err := streams.ParseSequence(text); err == nil && strings.TrimLeft(text, "0") != strings.TrimLeft(seq.String(), "0") {
			t.Errorf("%q is read as %v", text, seq)
		}
	})
}

func TestEventIDs(t *testing.T) {
	w := newWorld(t, "T a:S", "NEW_IMAGE")
	st, seen := w.stream(), map[string]bool{}
	for shard := range uint64(3) {
		for pos := range kv.Pos(3) {
			id := st.EventID(&streams.Record{Sequence: streams.Sequence{Shard: shard, Pos: pos}})
			if len(id) != 32 || seen[id] {
				t.Errorf("event ID %s", id)
			}
			seen[id] = true
		}
	}
}

func TestSecret(t *testing.T) {
	e, other := dbtest.Engine(t), dbtest.Engine(t)
	var secrets []string
	for _, e := range []kv.Engine{e, e, other} {
		s, err := streams.Secret(t.Context(), e)
		if err != nil || len(s) != 32 {
			t.Fatal(s, err)
		}
		secrets = append(secrets, string(s))
	}
	if secrets[0] != secrets[1] || secrets[0] == secrets[2] {
		t.Error("a store does not keep its secret, or two have the same")
	}
}

func TestFind(t *testing.T) {
	w := newWorld(t, "T a:S", "NEW_IMAGE")
	label := w.stream().Label()
	w.change(func(d *table.Definition) { d.Retire(w.clock) })
	dbtest.Create(t, w.catalog, "T a:S") // another table of the name
	if st, err := w.reader.Find(w.name, label); err != nil || st.Status != table.Disabled {
		t.Errorf("of a deleted table: %+v, %v", st, err)
	}
	for _, label := range []string{"", "2030-01-02T12:00:00.001"} {
		if st, err := w.reader.Find(w.name, label); !errors.Is(err, streams.ErrNoStream) {
			t.Errorf("%q: %+v, %v", label, st, err)
		}
	}
}
