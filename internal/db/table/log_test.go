package table_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// A logged table changes its log through a catalog, which gives the numbers.
type logged struct {
	*testing.T
	catalog *table.Catalog
	table   *table.Definition
}

func newLogged(t *testing.T) *logged {
	c := dbtest.Catalog(t, dbtest.Engine(t))
	return &logged{t, c, dbtest.Create(t, c, "Music artist:S song:S")}
}

func (l *logged) change(f func(*table.Definition)) {
	l.Helper()
	l.table = dbtest.Change(l.T, l.catalog, l.table.FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		f(next)
		return next
	})
}

// draw prints the shard map: number, parent, range, and when it was opened and closed in milliseconds after noon.
func draw(d *table.Definition) string {
	first := d.Number + 1
	var lines []string
	for _, s := range d.Log.Shards() {
		line := fmt.Sprintf("%d", s.Number-first)
		if s.Parent != 0 {
			line += fmt.Sprintf("<%d", s.Parent-first)
		}
		line += fmt.Sprintf(" %04x-%04x %d", s.Lo, s.Hi, s.Opened.Sub(noon).Milliseconds())
		if !s.Closed.IsZero() {
			line += fmt.Sprintf("-%d", s.Closed.Sub(noon).Milliseconds())
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (l *logged) expect(want string) {
	l.Helper()
	if got := draw(l.table); got != strings.TrimSpace(want) {
		l.Errorf("the map is\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}

func TestShardMap(t *testing.T) {
	l := newLogged(t)
	base := l.table.Version
	if l.table.Log.For(keys.AppendPartition(keys.AppendSpace(nil, 1, 0), []byte("x"))) != nil {
		t.Error("a table without a log has a shard")
	}
	l.change(func(d *table.Definition) { d.Log.Begin(noon, 3) })
	l.expect(`
1 0000-5554 0
2 5555-aaa9 0
3 aaaa-ffff 0`)
	second := func(s *table.Shard) bool { return s.Lo == 0x5555 }
	l.change(func(d *table.Definition) { d.Log.Split(noon.Add(time.Second), second) })
	l.expect(`
1 0000-5554 0
2 5555-aaa9 0-1000
3 aaaa-ffff 0
5<2 5555-7fff 1000
6<2 8000-aaa9 1000`)
	l.change(func(d *table.Definition) { d.Log.Rotate(noon, second) }) // the clock was set back
	l.expect(`
1 0000-5554 0
2 5555-aaa9 0-1000
3 aaaa-ffff 0
5<2 5555-7fff 1000-1001
6<2 8000-aaa9 1000
8<5 5555-7fff 1001`)
	l.change(func(d *table.Definition) { d.Log.Drop(func(s *table.Shard) bool { return s.Number == base+3 }) })
	l.change(func(d *table.Definition) { d.Log.Stop(noon.Add(3 * time.Second)) })
	l.expect(`
1 0000-5554 0-3000
3 aaaa-ffff 0-3000
5<2 5555-7fff 1000-1001
6<2 8000-aaa9 1000-3000
8<5 5555-7fff 1001-3000`)
	if len(l.table.Log.Open) > 0 {
		t.Error("shards are open after Stop")
	}
}

func TestShardOfOneHash(t *testing.T) {
	l := newLogged(t)
	all := func(*table.Shard) bool { return true }
	l.change(func(d *table.Definition) { d.Log.Begin(noon, 1) })
	for range 17 {
		l.change(func(d *table.Definition) { d.Log.Split(noon, func(s *table.Shard) bool { return s.Lo == 0 }) })
	}
	if first := l.table.Log.Open[0]; first.Lo != 0 || first.Hi != 0 || len(l.table.Log.Open) != 17 {
		t.Errorf("after 17 splits there are %d shards, the first %+v", len(l.table.Log.Open), first)
	}
	l.change(func(d *table.Definition) { d.Log.Rotate(noon, all) })
	checkCovered(t, l.table)
}

// checkCovered checks that every hash has exactly one open shard, and that For finds it.
func checkCovered(t *testing.T, d *table.Definition) {
	t.Helper()
	next := 0
	for i, s := range d.Log.Open {
		if int(s.Lo) != next || s.Hi < s.Lo {
			t.Fatalf("shard %d of %d covers %04x to %04x, the one before ends at %04x", i, len(d.Log.Open), s.Lo, s.Hi, next)
		}
		next = int(s.Hi) + 1
		for _, h := range []uint16{s.Lo, s.Hi} {
			row := append(keys.AppendSpace(nil, 1, 0), byte(h>>8), byte(h))
			if got := d.Log.For(row); got.Number != s.Number {
				t.Fatalf("hash %04x is in shard %d, want %d", h, got.Number, s.Number)
			}
		}
	}
	if next != 1<<16 {
		t.Fatalf("the open shards end at %04x", next)
	}
}

// TestShardMapAtRandom changes a map at random: it covers all hashes, and every shard stands behind its parent and within its range.
func TestShardMapAtRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := newLogged(t)
	l.change(func(d *table.Definition) { d.Log.Begin(noon, 4) })
	for range 60 {
		some := func(*table.Shard) bool { return rng.IntN(3) == 0 }
		now := noon.Add(time.Duration(rng.IntN(1000)) * time.Second)
		switch rng.IntN(4) {
		case 0:
			l.change(func(d *table.Definition) { d.Log.Begin(now, 4) })
		case 1:
			l.change(func(d *table.Definition) { d.Log.Rotate(now, some) })
		case 2:
			if len(l.table.Log.Open) < 100 {
				l.change(func(d *table.Definition) { d.Log.Split(now, some) })
			}
		case 3:
			before := now
			l.change(func(d *table.Definition) {
				d.Log.Drop(func(s *table.Shard) bool { return s.Closed.Before(before) && rng.IntN(2) == 0 })
			})
		}
		checkCovered(t, l.table)
		checkLineage(t, l.table)
	}
}

func checkLineage(t *testing.T, d *table.Definition) {
	t.Helper()
	seen := map[uint64]table.Shard{}
	for _, s := range d.Log.Shards() {
		if _, twice := seen[s.Number]; twice || s.Number <= d.Number {
			t.Fatalf("shard %d", s.Number)
		}
		seen[s.Number] = s
		p, ok := seen[s.Parent]
		if ok && (s.Lo < p.Lo || s.Hi > p.Hi || !s.Opened.Equal(p.Closed)) {
			t.Fatalf("shard %+v, its parent %+v", s, p)
		}
		if s.Parent >= s.Number {
			t.Fatalf("shard %d has parent %d", s.Number, s.Parent)
		}
	}
}

func TestStreams(t *testing.T) {
	l := newLogged(t)
	covered := func(label string) string {
		var list []string
		st := l.table.StreamLabelled(label)
		for _, s := range l.table.Log.Shards() {
			if st.Covers(&s) {
				list = append(list, fmt.Sprint(s.Number-l.table.Number-1))
			}
		}
		return fmt.Sprint(st.View, " ", st.Status, " ", strings.Join(list, " "))
	}
	expect := func(label, want string) {
		t.Helper()
		if got := covered(label); got != want {
			t.Errorf("stream %s: %s, want %s", label, got, want)
		}
	}
	const first, second = "2030-01-02T12:00:00.000", "2030-01-02T12:00:05.002"
	l.change(func(d *table.Definition) {
		d.Settings.Throughput = table.Throughput{Write: 1000, Read: 1}
		d.EnableStream("KEYS_ONLY", noon)
	})
	expect(first, "KEYS_ONLY ENABLING 1 2")
	l.change(func(d *table.Definition) { d.SettleStreams() })
	l.change(func(d *table.Definition) {
		d.Followers = []table.Follower{{Name: "backup", Since: d.Log.Begin(noon.Add(time.Second), 0)}}
	})
	expect(first, "KEYS_ONLY ENABLED 1 2 5 6")
	l.change(func(d *table.Definition) { d.DisableStream(noon.Add(5 * time.Second)) })
	expect(first, "KEYS_ONLY DISABLING 1 2 5 6")
	if l.table.Stream() != nil || l.table.LatestStream != first {
		t.Errorf("the stream that is enabled is %v, the latest %s", l.table.Stream(), l.table.LatestStream)
	}
	l.change(func(d *table.Definition) { // the clock was set back a little
		d.SettleStreams()
		d.Log.Begin(noon.Add(5*time.Second), 0)
		d.EnableStream("NEW_IMAGE", noon.Add(4*time.Second))
	})
	expect(first, "KEYS_ONLY DISABLED 1 2 5 6")
	if l.table.LatestStream != second {
		t.Errorf("latest stream %s, want %s", l.table.LatestStream, second)
	}
	l.expect(`
1 0000-7fff 0-1000
2 8000-ffff 0-1000
5<1 0000-7fff 1000-5000
6<2 8000-ffff 1000-5000
8<5 0000-7fff 5000-5001
9<6 8000-ffff 5000-5001
11<8 0000-7fff 5002
12<9 8000-ffff 5002`)
	if arn := l.table.StreamARN(second); arn != l.table.ARN()+"/stream/"+second {
		t.Error(arn)
	}
	backup := l.table.Follower("backup")
	if shards := l.table.Log.Shards(); backup.Covers(&shards[0]) || !backup.Covers(&shards[2]) {
		t.Error("the follower does not follow from its beginning on")
	}
	l.change(func(d *table.Definition) { d.Retire(noon.Add(time.Minute)) })
	expect(second, "NEW_IMAGE DISABLED 11 12")
}

func TestRetired(t *testing.T) {
	e := dbtest.Engine(t)
	c := dbtest.Catalog(t, e)
	d := dbtest.Create(t, c, "Music artist:S")
	dbtest.Create(t, c, "Plain artist:S")
	every := func(table.Name) bool { return true }
	edit := func(n table.Name, f func(*table.Definition)) {
		dbtest.Change(t, c, n, func(old *table.Definition) *table.Definition {
			next := old.Clone()
			f(next)
			return next
		})
	}
	edit(d.FullName(), func(d *table.Definition) {
		d.Settings.OnDemandBilling = true
		d.EnableStream("KEYS_ONLY", noon)
	})
	for _, d := range c.All(every) {
		edit(d.FullName(), func(d *table.Definition) { d.Retire(noon.Add(time.Second)) })
	}
	if all := c.All(every); len(all) > 0 {
		t.Errorf("%d tables are left", len(all))
	}
	for _, c := range []*table.Catalog{c, dbtest.Catalog(t, e)} {
		list := c.Retired(every)
		if len(list) != 1 || list[0].Name != "Music" || list[0].Status != table.Deleted || list[0].Streams[0].Status != table.Disabled || len(list[0].Log.Closed) != 4 {
			t.Fatalf("retired: %+v", list)
		}
	}
	dbtest.Create(t, c, "Music artist:S") // of the same name
	ok, err := c.ChangeRetired(t.Context(), d.Number, func(old *table.Definition, _ *kv.Batch) *table.Definition {
		next := old.Clone()
		next.Log.Drop(func(s *table.Shard) bool { return s.Lo == 0 })
		return next
	})
	if left := dbtest.Catalog(t, e).Retired(every)[0].Log.Closed; !ok || err != nil || len(left) != 3 {
		t.Errorf("changed: %v, %v; %d shards", ok, err, len(left))
	}
	for _, want := range []bool{true, false} {
		ok, err := c.ChangeRetired(t.Context(), d.Number, func(*table.Definition, *kv.Batch) *table.Definition { return nil })
		if ok != want || err != nil || len(c.Retired(every))+len(dbtest.Catalog(t, e).Retired(every)) > 0 {
			t.Errorf("forgotten: %v, %v", ok, err)
		}
	}
	if c.Get(d.FullName()) == nil {
		t.Error("the table that has the name now is gone")
	}
}
