package changelog

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

const day = 24 * time.Hour

func TestRetention(t *testing.T) {
	w := newWorld(t, Limits{ShardAge: 1000 * day})
	w.enable()
	for n := range 30 {
		w.put(n)
		w.tend(time.Hour)
	}
	w.expect("after 30 hours", "7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 ...")
	_, from, err := w.log.Read(t.Context(), w.table().Log.Open[0].Number, 3, 10)
	if !errors.Is(err, kv.ErrTrimmed) || from != 7 {
		t.Errorf("reading what is trimmed: %d, %v", from, err)
	}
	w.audit()
	w.open() // what is not remembered is found again
	w.tend(time.Hour)
	w.expect("a process later", "8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 ...")
	w.tend(2 * day)
	w.expect("in the end", "...")
	w.put(30)
	w.expect("after one more", "30 ...")
	w.audit()
}

func TestRotation(t *testing.T) {
	w := newWorld(t, Limits{})
	w.enable()
	for n := range 10 {
		w.put(n)
		w.tend(time.Hour)
	}
	w.expect("after ten hours", "0 1 2 3 | 4 5 6 7 | 8 9 ...")
	shards := w.table().Log.Shards()
	for i, s := range shards {
		if want := uint64(0); i > 0 && s.Parent != shards[i-1].Number || i == 0 && s.Parent != want || s.Lo != 0 || s.Hi != 0xffff {
			t.Errorf("shard %d is %+v", i, s)
		}
	}
	w.tend(18 * time.Hour) // 28 hours after the beginning, 24 after the first shard was closed
	w.expect("as the first closed shard is over", "5 6 7 | 8 9 | ...")
	w.audit()
}

// TestClockSetBack: shards that a clock which was a month ahead has opened rotate as all others do.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t, Limits{})
	w.clock = noon.Add(30 * day)
	w.enable()
	w.tend(time.Hour)
	w.put(0)
	w.clock = noon
	for n := range 8 {
		w.put(1 + n)
		w.tend(time.Hour)
	}
	w.expect("eight hours later", "0 1 2 3 4 5 | 6 7 8 ...")
	w.open()
	w.tend(time.Hour)
	w.tend(5 * time.Hour)
	w.expect("in a process later", "0 1 2 3 4 5 | 6 7 8 | ...")
	shards := w.table().Log.Shards()
	for i := 1; i < len(shards); i++ {
		if !shards[i].Opened.After(shards[i-1].Opened) {
			t.Errorf("shard %d was opened at %v, its parent at %v", i, shards[i].Opened, shards[i-1].Opened)
		}
	}
	w.audit()
}

func TestEmptyShardsStayForADay(t *testing.T) {
	w := newWorld(t, Limits{})
	w.enable()
	for range 7 {
		w.tend(4 * time.Hour)
	}
	w.expect("after 28 hours", " |  |  |  |  |  | ...")
	w.tend(4 * time.Hour)
	w.expect("after 32 hours", " |  |  |  |  |  | ...")
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits Limits
		writes int // in each second
		want   string
	}{
		{"few writes", Limits{ShardRecords: 10}, 10, "0000-ffff"},
		{"many writes", Limits{ShardRecords: 10}, 11, "0000-7fff 8000-ffff"},
		{"many bytes", Limits{ShardBytes: 300}, 10, "0000-7fff 8000-ffff"},
		{"few bytes", Limits{ShardBytes: 5000}, 10, "0000-ffff"},
		{"no more shards", Limits{ShardRecords: 10, Shards: 1}, 11, "0000-ffff"},
		{"hot and old", Limits{ShardRecords: 10, ShardAge: time.Second}, 11, "0000-7fff 8000-ffff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.limits)
			w.enable()
			w.tend(0)
			for n := range c.writes {
				w.put(n)
			}
			w.tend(time.Second)
			got := ""
			for _, s := range w.table().Log.Open {
				got += fmt.Sprintf(" %04x-%04x", s.Lo, s.Hi)
			}
			if got != " "+c.want {
				t.Errorf("open shards%s, want %s", got, c.want)
			}
			w.audit()
		})
	}
}

// TestSplitAgain splits as long as there is load, up to the greatest number of shards.
func TestSplitAgain(t *testing.T) {
	w := newWorld(t, Limits{ShardRecords: 1, Shards: 6})
	w.enable()
	w.tend(0)
	for range 8 {
		for n := range 100 {
			w.put(n)
		}
		w.tend(time.Second)
	}
	if n := len(w.table().Log.Open); n != 6 {
		t.Errorf("%d open shards, want 6", n)
	}
	w.audit()
}

func TestSizeLimit(t *testing.T) {
	const record = 12 + 2*18 + 4 // about
	w := newWorld(t, Limits{Bytes: 20 * record})
	w.change(func(d *table.Definition) { d.Settings.Throughput.Write = 3000 }) // three shards
	w.enable()
	for n := range 60 {
		w.put(n)
		w.tend(time.Second)
	}
	var kept []bool
	for n := range 60 {
		kept = append(kept, containsNumber(w.records(w.table()), n))
	}
	n := 0
	for i := range kept {
		if kept[i] {
			n++
		}
		if i > 0 && kept[i-1] && !kept[i] {
			t.Errorf("%d is gone, %d is kept", i, i-1)
		}
	}
	if n < 15 || n > 25 {
		t.Errorf("%d records are kept", n)
	}
	w.audit()
}

func containsNumber(records string, n int) bool {
	var at int
	for word := range strings.FieldsSeq(records) {
		if _, err := fmt.Sscan(word, &at); err == nil && at == n {
			return true
		}
	}
	return false
}

func TestStreamEnds(t *testing.T) {
	w := newWorld(t, Limits{})
	w.enable()
	w.put(1)
	w.tend(time.Hour)
	w.disable()
	w.put(2)
	w.tend(time.Hour)
	w.expect("after disabling", "1")
	w.enable()
	w.put(3)
	w.tend(23*time.Hour - time.Millisecond)
	if n := len(w.table().Streams); n != 2 {
		t.Errorf("%d streams after a day", n)
	}
	w.expect("a day later", " | 3 | ...")
	w.tend(2 * time.Millisecond)
	if n := len(w.table().Streams); n != 1 || w.table().LatestStream == "" {
		t.Errorf("%d streams, the latest %q", n, w.table().LatestStream)
	}
	w.expect("another day later", "3 | ...")
	w.audit()
}

func TestTableEnds(t *testing.T) {
	w := newWorld(t, Limits{})
	w.enable()
	w.put(1)
	w.tend(time.Hour)
	w.drop()
	dbtest.Create(t, w.catalog, "Music artist:S song:S") // another table
	w.put(9)
	retired := func() []*table.Definition { return w.catalog.Retired(func(table.Name) bool { return true }) }
	w.tend(22 * time.Hour)
	if list := retired(); len(list) != 1 || w.records(list[0]) != "1" {
		t.Fatalf("a day later there are %d deleted tables with logs", len(list))
	}
	w.tend(time.Hour)
	if list := retired(); len(list) != 1 || w.records(list[0]) != "" {
		t.Fatalf("when the record is a day old there are %d deleted tables with logs", len(list))
	}
	w.tend(time.Hour)
	if list := retired(); len(list) != 0 {
		t.Errorf("later there are %d deleted tables with logs", len(list))
	}
	if left := w.left(); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}
