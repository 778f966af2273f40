package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/memkv"
)

// define changes the definition of the table.
func (f *fixture) define(edit func(*table.Definition)) {
	f.Helper()
	dbtest.Change(f.T, f.catalog, f.table.FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		edit(next)
		return next
	})
}

// logged reads all records of the table's log, shard by shard in the order in which they were made.
func (f *fixture) logged() (all []change.Record) {
	f.Helper()
	for _, s := range f.current().Log.Shards() {
		for after, more := kv.Pos(0), true; more; {
			recs, next, err := f.engine.TailLog(f.Context(), s.Number, after, 100)
			if err != nil {
				f.Fatal(err)
			}
			for _, stored := range recs {
				r, err := change.Decode(stored.Data)
				if err != nil {
					f.Fatal(err)
				}
				all = append(all, r)
			}
			after, more = next, len(recs) > 0
		}
	}
	return all
}

func words(r change.Record) string {
	text := fmt.Sprintf("%s %s -> %s (%d, %d)", r.Event(), dbtest.Text(r.Old), dbtest.Text(r.New), r.OldSize, r.NewSize)
	if r.User != nil {
		text += " by " + r.User.Principal
	}
	return text
}

// TestLog does writes of all kinds and looks at what each of them appends.
func TestLog(t *testing.T) {
	f := newFixture(t, music)
	const key = "artist=a song=s"
	f.apply(f.put("artist=a song=s yr=1")) // while there is no log
	if len(f.logged()) > 0 {
		t.Fatal("records in a table without a log")
	}
	f.define(func(d *table.Definition) { d.Log.Begin(f.now(), 1) })
	byTTL := f.delete(key)
	byTTL.User = change.TTL
	failing := func(w store.Write) func() error {
		return func() error { _, err := f.store.Apply(f.Context(), w); return err }
	}
	seen := 0
	for _, c := range []struct {
		name string
		do   func() error
		fail bool
		want string
	}{
		{"put", failing(f.put("artist=a song=s yr=2")), false, "MODIFY artist=a song=s yr=1 -> artist=a song=s yr=2 (16, 16)"},
		{"put the same", failing(f.put("artist=a song=s yr=2")), false, ""},
		{"update to the same", failing(f.update(key, "SET yr = :y", "y=2")), false, ""},
		{"update nothing", failing(store.Write{Kind: store.Update, Table: f.current(), Key: f.key(key)}), false, ""},
		{"check", failing(f.check(key, "attribute_exists(yr)", "")), false, ""},
		{"a false condition", failing(f.when(f.delete(key), "yr = :y", "y=3")), true, ""},
		{"update", failing(f.update(key, "REMOVE yr SET genre = :g", "g=x")), false, "MODIFY artist=a song=s yr=2 -> artist=a genre=x song=s (16, 18)"},
		{"delete", failing(byTTL), false, "REMOVE artist=a genre=x song=s ->  (18, 0) by dynamodb.amazonaws.com"},
		{"delete nothing", failing(f.delete(key)), false, ""},
		{"create", failing(f.update(key, "SET yr = :y", "y=7")), false, "INSERT  -> artist=a song=s yr=7 (0, 16)"},
		{"batch", func() error {
			_, err := f.store.Batch(f.Context(), []store.Write{f.put("artist=b song=s"), f.delete("artist=b song=t"), f.delete(key)})
			return err
		}, false, "INSERT  -> artist=b song=s (0, 12)\nREMOVE artist=a song=s yr=7 ->  (16, 0)"},
		{"transaction", func() error {
			_, _, err := f.store.Transact(f.Context(), []store.Write{f.put("artist=c song=s"), f.delete("artist=b song=s")}, f.token("t", "r"))
			return err
		}, false, "INSERT  -> artist=c song=s (0, 12)\nREMOVE artist=b song=s ->  (12, 0)"},
		{"transaction again", func() error {
			_, _, err := f.store.Transact(f.Context(), []store.Write{f.put("artist=c song=s"), f.delete("artist=b song=s")}, f.token("t", "r"))
			return err
		}, false, ""},
		{"canceled transaction", func() error {
			_, _, err := f.store.Transact(f.Context(), []store.Write{f.put("artist=d song=s"), f.check("artist=c song=s", "yr = :y", "y=1")}, nil)
			return err
		}, true, ""},
	} {
		if err := c.do(); (err != nil) != c.fail {
			t.Fatalf("%s: %v", c.name, reasons(err))
		}
		all := f.logged()
		var got []string
		for _, r := range all[seen:] {
			got = append(got, words(r))
		}
		seen = len(all)
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s is told as\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), c.want)
		}
		f.audit()
	}
}

// TestLogTellsTheTime: the time of a record is that of its row, and grows although the clock does not.
func TestLogTellsTheTime(t *testing.T) {
	f := newFixture(t, music)
	f.define(func(d *table.Definition) { d.Log.Begin(f.now(), 4) })
	f.apply(f.put("artist=a song=s yr=1"))
	f.advance(-time.Hour)
	f.apply(f.put("artist=a song=s yr=2"))
	recs := f.logged()
	if at := recs[0].Stamp.At(); !at.Equal(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("the first change was at %v", at)
	}
	if recs[1].Stamp.Time <= recs[0].Stamp.Time || recs[1].Stamp != f.stored("artist=a song=s").Stamp {
		t.Errorf("stamps %v, %v", recs[0].Stamp, recs[1].Stamp)
	}
}

// TestLogBesideChangesOfTheMap has several write, alone and in transactions, while shards are split and rotated and the log is
// turned off and on. The audit finds that the records of each item are a chain that leads to what is stored.
func TestLogBesideChangesOfTheMap(t *testing.T) {
	f := newFixture(t, "Music artist:S song:S\nglobal BySong song:S ALL")
	f.define(func(d *table.Definition) { d.Log.Begin(f.now(), 2) })
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			for n := 0; ctx.Err() == nil; n++ {
				var ws []store.Write
				for _, a := range rng.Perm(12)[:1+rng.IntN(3)] {
					w := f.put(fmt.Sprintf("artist=a%d song=s n=%d by=w%d", a, n, i))
					if rng.IntN(4) == 0 {
						w = f.delete(fmt.Sprintf("artist=a%d song=s", a))
					}
					ws = append(ws, w)
				}
				var err error
				switch {
				case len(ws) == 1:
					_, err = f.store.Apply(f.Context(), ws[0])
				case i%2 == 0:
					_, err = f.store.Batch(f.Context(), ws)
				default:
					_, _, err = f.store.Transact(f.Context(), ws, nil)
				}
				if err != nil && !strings.Contains(reasons(err), "running transaction") {
					t.Errorf("write: %v", reasons(err))
				}
			}
		})
	}
	rng := rand.New(rand.NewPCG(7, 7))
	some := func(s *table.Shard) bool { return rng.IntN(2) == 0 }
	for range 60 {
		f.advance(time.Second)
		f.define(func(d *table.Definition) {
			switch n := rng.IntN(8); {
			case n == 0:
				d.Log.Stop(f.now())
				d.Log.Begin(f.now(), 3)
			case n < 4 && len(d.Log.Open) < 12:
				d.Log.Split(f.now(), some)
			default:
				d.Log.Rotate(f.now(), some)
			}
		})
	}
	stop()
	writers.Wait()
	f.audit()
	if n := len(f.logged()); n == 0 {
		t.Error("nothing was logged")
	}
}

// BenchmarkPut replaces an item of about 400 bytes, in memory: what a log costs.
func BenchmarkPut(b *testing.B) {
	for _, shards := range []int{0, 4} {
		b.Run(fmt.Sprint(shards, " shards"), func(b *testing.B) {
			e := memkv.Open()
			b.Cleanup(func() { e.Close() })
			c := dbtest.Catalog(b, e)
			d := dbtest.Create(b, c, "T pk:S")
			if shards > 0 {
				d = dbtest.Change(b, c, d.FullName(), func(old *table.Definition) *table.Definition {
					next := old.Clone()
					next.Log.Begin(time.Now(), shards)
					return next
				})
			}
			s := store.New(e, c, time.Now)
			var writes [2]store.Write
			for i := range writes {
				it := dbtest.Item(b, fmt.Sprintf("pk=key n=%d text=%s", i, strings.Repeat("x", 380)))
				k, err := d.KeyOf(it)
				if err != nil {
					b.Fatal(err)
				}
				writes[i] = store.Write{Kind: store.Put, Table: d, Key: k, Item: it}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := s.Apply(context.Background(), writes[i%2]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
