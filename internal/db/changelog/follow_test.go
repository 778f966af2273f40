package changelog

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// follow makes or renews a follower. Changes that were committed before are in no shard that it covers, later ones are in one.
func (w *world) follow(f table.Follower) *table.Definition {
	w.Helper()
	return w.edit(f.Name, func(d *table.Definition) { d.Follow(f, w.clock) })
}

// unfollow ends a follower, if there is one of that name.
func (w *world) unfollow(name string) {
	w.Helper()
	w.edit(name, func(d *table.Definition) { d.Unfollow(name, w.clock) })
}

// edit changes the table's definition and forgets the place of a follower.
func (w *world) edit(name string, f func(*table.Definition)) *table.Definition {
	w.Helper()
	d, err := w.catalog.Change(w.Context(), w.name, func(old *table.Definition, b *kv.Batch) (*table.Definition, error) {
		next := old.Clone()
		f(next)
		b.Delete(keys.Hold(old.Number, name))
		return next, nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// readAll reads everything that a follower has not read, as it would, and notes that.
func (w *world) readAll(name string) (n int) {
	w.Helper()
	d := w.table()
	places, err := w.log.Places(w.Context(), d, name)
	if err != nil {
		w.Fatal(err)
	}
	places = maps.Clone(places)
	if places == nil {
		places = map[uint64]kv.Pos{}
	}
	for _, s := range d.Log.Shards() {
		if !d.Follower(name).Covers(&s) {
			continue
		}
		for more := true; more; {
			list, next, err := w.log.Read(w.Context(), s.Number, places[s.Number], 5)
			if err != nil {
				w.Fatal(err)
			}
			places[s.Number], more = next, len(list) > 0
			n += len(list)
		}
	}
	if err := w.log.Advance(w.Context(), d, name, places); err != nil {
		w.Fatal(err)
	}
	return n
}

func (w *world) lost(name string) bool {
	w.Helper()
	_, err := w.log.Places(w.Context(), w.table(), name)
	if err != nil && !errors.Is(err, ErrStartOver) {
		w.Fatal(err)
	}
	aerr := w.log.Advance(w.Context(), w.table(), name, nil)
	if !errors.Is(aerr, err) {
		w.Errorf("Places: %v, Advance: %v", err, aerr)
	}
	return err != nil
}

// TestSlowestHold: what one of two followers has not read stays.
func TestSlowestHold(t *testing.T) {
	w := newWorld(t, Limits{})
	w.put(0)
	w.follow(table.Follower{Name: "fast"})
	w.put(1)
	w.follow(table.Follower{Name: "slow"})
	w.put(2)
	w.put(3)
	if n := w.readAll("fast"); n != 3 {
		t.Errorf("the first follower reads %d records", n)
	}
	w.tend(time.Second)
	w.expect("when one has read all", "2 3 ...")
	w.open()
	w.put(4)
	if n := w.readAll("slow"); n != 3 {
		t.Errorf("the second follower reads %d records", n)
	}
	w.tend(time.Second)
	w.expect("when both have read", "4 ...")
	w.readAll("fast")
	w.tend(5 * time.Hour)
	w.tend(0)
	w.expect("after a rotation", "...")
	w.put(5)
	w.readAll("slow")
	w.enable()
	w.put(6)
	w.readAll("slow")
	w.readAll("fast")
	w.tend(time.Second)
	w.expect("with a stream", "6 ...")
	w.audit()
}

func TestFollowerTooOld(t *testing.T) {
	w := newWorld(t, Limits{ShardAge: 1000 * day})
	w.follow(table.Follower{Name: "backup", MaxAge: time.Hour})
	w.follow(table.Follower{Name: "other"})
	for n := range 4 {
		w.put(n)
		w.tend(30 * time.Minute)
		if n == 0 {
			w.readAll("backup")
		}
	}
	if w.lost("backup") || w.lost("other") {
		t.Error("what is there for another one is lost for one")
	}
	w.expect("after two hours", "0 1 2 3 ...")
	w.readAll("other")
	w.tend(0)
	w.expect("when the other has read", "...")
	w.open()
	if !w.lost("backup") || w.lost("other") {
		t.Error("the one that is too old has not lost its place, or the other one has")
	}
	w.follow(table.Follower{Name: "backup", MaxAge: time.Hour})
	w.put(7)
	if n := w.readAll("backup"); w.lost("backup") || n != 1 {
		t.Errorf("having started over it reads %d records, lost: %v", n, w.lost("backup"))
	}
	w.audit()
}

// An interrupted engine lets something happen just before the update of one key.
type interrupted struct {
	kv.Engine
	key  []byte
	once func()
}

func (e *interrupted) Update(ctx context.Context, t kv.Txn, f func([][]byte, *kv.Batch) error) error {
	if do := e.once; do != nil && len(t.Keys) == 1 && bytes.Equal(t.Keys[0], e.key) {
		e.once = nil
		do()
	}
	return e.Engine.Update(ctx, t, f)
}

// TestStartsOverMeanwhile: a follower that starts over just when it would lose its place keeps the new one.
func TestStartsOverMeanwhile(t *testing.T) {
	e := &interrupted{Engine: dbtest.Engine(t)}
	w := begin(t, e, Limits{})
	w.follow(table.Follower{Name: "backup", MaxAge: time.Hour})
	w.put(0)
	e.key = keys.Hold(w.table().Number, "backup")
	e.once = func() { w.follow(table.Follower{Name: "backup", MaxAge: time.Hour}) }
	w.tend(5 * time.Hour)
	if e.once != nil || w.lost("backup") {
		t.Errorf("it has lost its new place (interrupted: %v)", e.once == nil)
	}
	w.tend(0)
	w.put(1)
	if n := w.readAll("backup"); n != 1 {
		t.Errorf("having started over it reads %d records", n)
	}
	w.audit()
}

// TestFollowerSkips: it keeps its place when it stays behind for too long.
func TestFollowerSkips(t *testing.T) {
	w := newWorld(t, Limits{ShardAge: 1000 * day})
	w.follow(table.Follower{Name: "skips", MaxAge: time.Hour, Skips: true})
	for n := range 4 {
		w.put(n)
		w.tend(20 * time.Minute)
	}
	w.expect("after 80 minutes", "2 3 ...")
	if w.lost("skips") {
		t.Error("it has lost its place")
	}
	_, next, err := w.log.Read(t.Context(), w.table().Log.Open[0].Number, 0, 5)
	if !errors.Is(err, kv.ErrTrimmed) || next != 2 {
		t.Errorf("reading from the beginning: %d, %v", next, err)
	}
	w.audit()
}

// TestEmptyShardsStayWithTheirParents: without them a follower would not know what is to be read first.
func TestEmptyShardsStayWithTheirParents(t *testing.T) {
	w := newWorld(t, Limits{ShardAge: time.Hour})
	w.follow(table.Follower{Name: "slow"})
	w.put(0)
	w.tend(time.Hour)
	w.tend(time.Hour)
	w.put(1)
	w.expect("before it reads", "0 |  | 1 ...")
	w.readAll("slow")
	w.tend(time.Second)
	w.expect("when it has read", "...")
	w.audit()
}

func TestFollowerTooLarge(t *testing.T) {
	w := newWorld(t, Limits{})
	w.follow(table.Follower{Name: "backup", MaxBytes: 1000})
	w.put(0)
	w.tend(time.Second)
	if w.lost("backup") {
		t.Fatal("lost at once")
	}
	for n := range 30 {
		w.put(n)
	}
	w.tend(time.Second)
	if !w.lost("backup") {
		t.Error("more than it may have is kept")
	}
	w.tend(time.Second)
	w.expect("then", "...")
	w.audit()
}

func TestUnfollow(t *testing.T) {
	w := newWorld(t, Limits{})
	w.follow(table.Follower{Name: "one"})
	w.follow(table.Follower{Name: "two"})
	w.put(1)
	w.readAll("one")
	for _, name := range []string{"one", "one", "none"} {
		w.unfollow(name)
	}
	w.put(2)
	w.tend(0)
	w.expect("for the one that is left", "1 2 ...")
	w.unfollow("two")
	w.put(3)
	w.tend(0)
	w.expect("for nobody", "")
	if left := w.left(); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}

// TestFollowerOfADeletedTable reads on, but the log does not wait for it for ever.
func TestFollowerOfADeletedTable(t *testing.T) {
	w := newWorld(t, Limits{})
	w.follow(table.Follower{Name: "backup"})
	w.put(1)
	d := w.table()
	w.drop()
	w.tend(day - time.Second)
	if err := w.log.Advance(t.Context(), d, "backup", nil); err != nil {
		t.Error(err)
	}
	w.tend(time.Second)
	w.tend(time.Second)
	if left := w.left(); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}

// TestPlacesNeverGoBack, and those of shards that are no more are forgotten.
func TestPlacesNeverGoBack(t *testing.T) {
	w := newWorld(t, Limits{})
	d := w.follow(table.Follower{Name: "backup"})
	first := d.Log.Open[0].Number
	for _, c := range []struct{ to, want kv.Pos }{{5, 5}, {3, 5}, {7, 7}} {
		if err := w.log.Advance(t.Context(), d, "backup", map[uint64]kv.Pos{first: c.to, 1: 9}); err != nil {
			t.Fatal(err)
		}
		if places, err := w.log.Places(t.Context(), d, "backup"); err != nil || len(places) != 1 || places[first] != c.want {
			t.Errorf("after %d: %v, %v", c.to, places, err)
		}
	}
}
