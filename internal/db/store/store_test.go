package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// TestWrites does one write after another to one item and looks at the item, the index entries and the counters after each.
func TestWrites(t *testing.T) {
	f := newFixture(t, music)
	const key = "artist=a song=s"
	var old attr.Item
	for _, c := range []struct {
		name  string
		write store.Write
		want  string
	}{
		{"delete nothing", f.delete(key), ""},
		{"put", f.put("artist=a song=s yr=1"), "artist=a song=s yr=1"},
		{"put again", f.put("artist=a song=s yr=1"), "artist=a song=s yr=1"},
		{"put over", f.put("artist=a song=s genre=g secs=5"), "artist=a song=s genre=g secs=5"},
		{"update", f.update(key, "SET genre = :g, yr = :y", "g=h y=2"), "artist=a song=s genre=h secs=5 yr=2"},
		{"update to the same", f.update(key, "SET genre = :g", "g=h"), "artist=a song=s genre=h secs=5 yr=2"},
		{"update nothing", store.Write{Kind: store.Update, Table: f.table, Key: f.key(key)}, "artist=a song=s genre=h secs=5 yr=2"},
		{"add", f.update(key, "ADD plays :n", "n=3"), "artist=a song=s genre=h secs=5 plays=3 yr=2"},
		{"remove", f.update(key, "REMOVE genre, secs", ""), "artist=a song=s plays=3 yr=2"},
		{"check", f.check(key, "attribute_exists(plays)", ""), "artist=a song=s plays=3 yr=2"},
		{"delete", f.delete(key), ""},
		{"update creates", f.update(key, "SET genre = :g", "g=h"), "artist=a song=s genre=h"},
		{"delete again", f.delete(key), ""},
		{"removing creates nothing", f.update(key, "REMOVE genre", ""), ""},
		{"an empty update creates", store.Write{Kind: store.Update, Table: f.table, Key: f.key(key)}, "artist=a song=s"},
	} {
		e, new := f.apply(wantOld(c.write)), f.item(c.want)
		if !bytes.Equal(e.Old, old) || e.OldSize != old.Size() || e.NewSize != new.Size() {
			t.Errorf("%s: was %v, %d bytes, now %d bytes", c.name, e.Old, e.OldSize, e.NewSize)
		}
		if c.write.Kind != store.Check && !bytes.Equal(e.New, new) {
			t.Errorf("%s: now %v", c.name, e.New)
		}
		old = new
		f.expect(key, c.want)
		f.audit()
	}
}

func TestConditions(t *testing.T) {
	f := newFixture(t, music)
	const key = "artist=a song=s"
	f.apply(f.put("artist=a song=s plays=1"))
	for _, w := range []store.Write{
		f.when(f.put("artist=a song=s plays=9 more=text"), "attribute_not_exists(artist)", ""),
		f.when(f.update(key, "SET plays = :n", "n=9"), "plays > :n", "n=1"),
		f.when(f.delete(key), "plays <> :n", "n=1"),
		f.check(key, "attribute_exists(nothing)", ""),
	} {
		_, err := f.store.Apply(t.Context(), wantOldOnFailure(w))
		e, ok := errors.AsType[*store.ConditionError](err)
		if !ok || dbtest.Text(e.Old) != "artist=a plays=1 song=s" || e.OldSize != 19 {
			t.Errorf("kind %d: %v, %+v", w.Kind, err, e)
			continue
		}
		if want := w.Item.Size(); e.NewSize != want {
			t.Errorf("kind %d: new size %d, want %d", w.Kind, e.NewSize, want)
		}
		if _, err := f.store.Apply(t.Context(), w); err.(*store.ConditionError).Old != nil {
			t.Errorf("kind %d: an old item that was not asked for", w.Kind)
		}
		f.expect(key, "artist=a song=s plays=1")
	}
	_, err := f.store.Apply(t.Context(), wantOldOnFailure(f.check("artist=none song=s", "attribute_exists(artist)", "")))
	if e, ok := errors.AsType[*store.ConditionError](err); !ok || e.Old != nil || e.OldSize != 0 {
		t.Errorf("no item: %v", err)
	}
	f.apply(f.when(f.put("artist=b song=s"), "attribute_not_exists(artist)", ""))
	f.apply(f.when(f.update(key, "SET plays = plays + :n", "n=1"), "plays = :n", "n=1"))
	f.expect(key, "artist=a song=s plays=2")
	f.audit()
}

// A false condition is told before what is wrong with the update.
func TestConditionComesFirst(t *testing.T) {
	f := newFixture(t, music)
	w := f.update("artist=a song=s", "SET b = nope", "")
	if _, err := f.store.Apply(t.Context(), f.when(w, "attribute_exists(artist)", "")); !isCondition(err) {
		t.Errorf("%v", err)
	}
	if _, err := f.store.Apply(t.Context(), w); !isUpdateError(err) {
		t.Errorf("%v", err)
	}
}

func isCondition(err error) bool   { _, ok := errors.AsType[*store.ConditionError](err); return ok }
func isUpdateError(err error) bool { _, ok := errors.AsType[*expr.Error](err); return ok }

func TestItemSize(t *testing.T) {
	f := newFixture(t, "T pk:S")
	big := func(n int) attr.Item { // pk=a and v, n bytes in all
		return f.item("pk=a").Merge([]attr.Field{{Name: "v", Value: attr.String(strings.Repeat("x", n-4))}})
	}
	put := func(n int) error {
		_, err := f.store.Apply(t.Context(), store.Write{Kind: store.Put, Table: f.table, Key: f.key("pk=a"), Item: big(n)})
		return err
	}
	if err := put(store.MaxItem); err != nil {
		t.Errorf("the largest item: %v", err)
	}
	if err := put(store.MaxItem + 1); !errors.Is(err, store.ErrItemTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
	if _, err := f.store.Apply(t.Context(), f.update("pk=a", "SET w = :w", "w=x")); !errors.Is(err, store.ErrUpdateTooLarge) {
		t.Errorf("updated to more: %v", err)
	}
	if e := f.apply(f.delete("pk=a")); e.OldSize != store.MaxItem {
		t.Errorf("deleted %d bytes", e.OldSize)
	}
	f.audit()
}

// TestUpdateCost holds that an update's own cost counts beside all but the key, whose bytes count for the item.
func TestUpdateCost(t *testing.T) {
	f := newFixture(t, "T pk:S")
	for _, c := range []struct {
		size, cost int // of the item, 3 bytes of which are its key
		ok         bool
	}{
		{store.MaxItem, 0, true}, {store.MaxItem + 1, 0, false},
		{store.MaxItem, 3, true}, {store.MaxItem, 4, false}, {store.MaxItem + 1, 3, false},
		{store.MaxItem - 19, 22, true}, {store.MaxItem - 18, 22, false},
		{100, 22, true},
	} {
		w := f.update("pk=a", "SET v = :v", "v="+strings.Repeat("x", c.size-4))
		w.UpdateCost = c.cost
		if _, err := f.store.Apply(t.Context(), w); (err == nil) != c.ok || err != nil && !errors.Is(err, store.ErrUpdateTooLarge) {
			t.Errorf("%d bytes and %d: %v", c.size, c.cost, err)
		}
	}
}

// TestLocalEntrySize holds that an item and its entry in a local index share the room of one item.
func TestLocalEntrySize(t *testing.T) {
	f := newFixture(t, "T pk:S sk:S\nlocal L pk:S n:N KEYS_ONLY\nglobal G g:S ALL")
	big := func(text string, n int) attr.Item {
		it := f.item(text)
		return it.Merge([]attr.Field{{Name: "v", Value: attr.String(strings.Repeat("x", n-1-it.Size()))}})
	}
	for _, c := range []struct {
		item string
		size int
		ok   bool
	}{
		{"pk=a sk=b", store.MaxItem, true},
		{"pk=a sk=b g=x", store.MaxItem, true},
		{"pk=a sk=b n=1", store.MaxItem - 9, true}, // of the entry pk=a sk=b n=1
		{"pk=a sk=b n=1", store.MaxItem - 8, false},
	} {
		w := store.Write{Kind: store.Put, Table: f.table, Key: f.key("pk=a sk=b"), Item: big(c.item, c.size)}
		if _, err := f.store.Apply(t.Context(), w); (err == nil) != c.ok || err != nil && !errors.Is(err, store.ErrItemTooLarge) {
			t.Errorf("%s of %d bytes: %v", c.item, c.size, err)
		}
		f.audit()
	}
	if _, err := f.store.Apply(t.Context(), f.update("pk=a sk=b", "SET v = v, n = :n", "n=10")); err != nil {
		t.Errorf("an update of the same size: %v", err)
	}
	if _, err := f.store.Apply(t.Context(), f.update("pk=a sk=b", "SET n = :n", "n=123")); !errors.Is(err, store.ErrUpdateTooLarge) {
		t.Errorf("an update to more: %v", err)
	}
}

// An update may not give an index key a value that does not fit, nor may a write that was planned before there was the index.
func TestIndexKeysAreChecked(t *testing.T) {
	f := newFixture(t, music)
	f.apply(f.put("artist=a song=s yr=1 free=x"))
	for _, c := range []struct{ update, values, attribute string }{
		{"SET yr = :v", "v=x", "yr"},
		{"SET genre = :v", "v=5", "genre"},
		{"SET genre = :v", "v=", "genre"},
		{"SET genre = plays_", "", ""},
	} {
		_, err := f.store.Apply(t.Context(), f.update("artist=a song=s", c.update, c.values))
		e, ok := errors.AsType[*table.KeyError](err)
		if c.attribute == "" {
			if !isUpdateError(err) {
				t.Errorf("%s: %v", c.update, err)
			}
			continue
		}
		if !ok || e.Attribute != c.attribute || e.Index == "" {
			t.Errorf("%s %s: %v", c.update, c.values, err)
		}
	}
	late := f.put("artist=b song=s free=5")
	dbtest.Change(t, f.catalog, f.table.FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.Indexes = append(next.Indexes, dbtest.Index(t, "global Free free:S ALL", 9))
		next.Indexes[len(next.Indexes)-1].Status = table.Creating
		return next
	})
	if _, err := f.store.Apply(t.Context(), late); err == nil {
		t.Error("an item whose key does not fit the new index was written")
	}
	f.audit()
}

// A write planned with an old definition is planned again with the new one, and keeps the new index.
func TestFenced(t *testing.T) {
	f := newFixture(t, "T pk:S")
	one, batch, transaction := f.put("pk=p1 g=x"), f.put("pk=p2 g=x"), f.put("pk=p3 g=x")
	dbtest.Change(t, f.catalog, f.table.FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.Indexes = append(next.Indexes, dbtest.Index(t, "global G g:S ALL", 1))
		return next
	})
	f.apply(one)
	if _, err := f.store.Batch(t.Context(), []store.Write{batch}); err != nil {
		t.Error(err)
	}
	f.transact(nil, transaction)
	f.audit()
}

func TestTableGone(t *testing.T) {
	f := newFixture(t, "T pk:S")
	w := f.put("pk=p1")
	dbtest.Change(t, f.catalog, f.table.FullName(), func(*table.Definition) *table.Definition { return nil })
	for _, again := range []bool{false, true} {
		if again {
			dbtest.Create(t, f.catalog, "T pk:S") // of the same name, but another table
		}
		_, err := f.store.Apply(t.Context(), w)
		_, berr := f.store.Batch(t.Context(), []store.Write{w})
		_, _, terr := f.store.Transact(t.Context(), []store.Write{w}, f.token("t", "r"))
		read := store.Read{Table: w.Table, Key: w.Key}
		_, gerr := f.store.Get(t.Context(), read)
		_, aerr := f.store.GetAll(t.Context(), []store.Read{read}, true, 0)
		for _, err := range []error{err, berr, terr, gerr, aerr} {
			if !errors.Is(err, store.ErrTableGone) {
				t.Errorf("%v, want ErrTableGone", err)
			}
		}
	}
	f.audit()
}

func TestBatch(t *testing.T) {
	f := newFixture(t, music)
	f.apply(f.put("artist=a song=s1 yr=1"))
	effects, err := f.store.Batch(t.Context(), []store.Write{
		f.put("artist=b song=s1 genre=g yr=2"), f.delete("artist=a song=s1"), f.delete("artist=a song=s2"), f.put("artist=b song=s2"),
	})
	if err != nil || len(effects) != 4 || effects[1].OldSize != 17 || effects[3].NewSize != 13 {
		t.Errorf("%+v, %v", effects, err)
	}
	f.expect("artist=a song=s1", "")
	f.expect("artist=b song=s1", "artist=b song=s1 genre=g yr=2")
	f.expect("artist=b song=s2", "artist=b song=s2")
	f.audit()
	other := dbtest.Create(t, f.catalog, "Other pk:S\nglobal G g:S ALL")
	it := f.item("pk=x g=y")
	k, _ := other.KeyOf(it)
	two := []store.Write{f.put("artist=c song=s1"), {Kind: store.Put, Table: other, Key: k, Item: it}, f.put("artist=c song=s2")}
	if _, err := f.store.Batch(t.Context(), two); err != nil {
		t.Error(err)
	}
	f.audit()
}

func TestReads(t *testing.T) {
	f := newFixture(t, "T pk:S")
	for i := range 4 {
		f.apply(f.put(fmt.Sprintf("pk=%c v=%s", 'a'+i, strings.Repeat("x", 100))))
	}
	path := "v, nothing"
	none := "nothing"
	project := func(text string) *expr.Projection { return f.bind(expr.Request{Projection: &text}, "").Projection }
	found, err := f.store.Get(t.Context(), store.Read{Table: f.table, Key: f.key("pk=a"), Projection: project(path)})
	if err != nil || found.Item.Len() != 1 || found.Size != 104 {
		t.Errorf("projected: %v of %d bytes, %v", found.Item, found.Size, err)
	}
	found, err = f.store.Get(t.Context(), store.Read{Table: f.table, Key: f.key("pk=a"), Projection: project(none)})
	if err != nil || found.Item == nil || found.Item.Len() != 0 {
		t.Errorf("nothing projected: %v, %v", found.Item, err)
	}
	found, err = f.store.Get(t.Context(), store.Read{Table: f.table, Key: f.key("pk=none"), Projection: project(path)})
	if err != nil || found.Item != nil || found.Size != 0 {
		t.Errorf("no item: %v, %v", found.Item, err)
	}
	var reads []store.Read
	for _, key := range []string{"pk=a", "pk=none", "pk=b", "pk=c", "pk=d"} {
		reads = append(reads, store.Read{Table: f.table, Key: f.key(key)})
	}
	for _, c := range []struct{ budget, want int }{{0, 5}, {104, 2}, {103, 1}, {208, 3}, {415, 4}, {416, 5}, {1, 1}} {
		for _, pinned := range []bool{false, true} {
			all, err := f.store.GetAll(t.Context(), reads, pinned, c.budget)
			if want := c.want; err != nil || len(all) != want {
				t.Errorf("budget %d: %d items, want %d (%v)", c.budget, len(all), want, err)
			}
		}
	}
}

// What is returned stays as it is, whatever is written after.
func TestResultsAreCopies(t *testing.T) {
	f := newFixture(t, "T pk:S")
	f.apply(f.put("pk=a v=1"))
	same := f.apply(wantOld(f.update("pk=a", "SET v = :v", "v=1"))) // changes nothing
	got, _ := f.store.Get(t.Context(), store.Read{Table: f.table, Key: f.key("pk=a")})
	for i := range 100 {
		f.apply(f.update("pk=a", "SET v = :v", fmt.Sprintf("v=%d", i+2)))
	}
	for name, it := range map[string]attr.Item{"old": same.Old, "new": same.New, "read": got.Item} {
		if dbtest.Text(it) != "pk=a v=1" {
			t.Errorf("%s is now %v", name, it)
		}
	}
}

func TestDamagedRow(t *testing.T) {
	f := newFixture(t, "T pk:S")
	err := f.engine.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
		b.Put(f.table.AppendRowKey(nil, f.key("pk=a")), []byte{9})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.store.Get(t.Context(), store.Read{Table: f.table, Key: f.key("pk=a")})
	_, werr := f.store.Apply(t.Context(), f.put("pk=a"))
	_, _, terr := f.store.Transact(t.Context(), []store.Write{f.put("pk=a")}, nil)
	for _, err := range []error{err, werr, terr} {
		if !errors.Is(err, kv.ErrCorrupt) {
			t.Errorf("%v, want ErrCorrupt", err)
		}
	}
}

// Stamps grow from one write to the next, though the clock steps back by a day.
func TestStamps(t *testing.T) {
	f := newFixture(t, "T pk:S")
	var last uint64
	for i, step := range []time.Duration{0, 0, time.Hour, 24 * time.Hour, -48 * time.Hour, 0, time.Microsecond, -time.Minute} {
		f.advance(step)
		f.apply(f.put(fmt.Sprintf("pk=a v=%d", i)))
		s := f.stored("pk=a").Stamp
		if s.Time <= last || s.Origin != 0 {
			t.Errorf("step %d of %v: stamp %+v after %d", i, step, s, last)
		}
		last = s.Time
	}
	// A new process knows nothing of the stamps that were given, but those of the item it writes.
	f.store = store.New(f.engine, f.catalog, f.now)
	f.advance(-24 * time.Hour)
	f.apply(f.put("pk=a v=again"))
	if s := f.stored("pk=a").Stamp; s.Time <= last {
		t.Errorf("after a restart: stamp %+v after %d", s, last)
	}
	unchanged := f.stored("pk=a").Stamp
	f.advance(time.Hour)
	f.apply(f.put("pk=a v=again"))
	if s := f.stored("pk=a").Stamp; s != unchanged {
		t.Errorf("a write that changes nothing has changed the stamp to %+v", s)
	}
}

// Where the clock goes normally a stamp tells the time.
func TestStampTellsTime(t *testing.T) {
	f := newFixture(t, "T pk:S")
	f.apply(f.put("pk=a"))
	if got, want := f.stored("pk=a").Stamp.Time>>12, uint64(f.now().UnixMicro()); got != want {
		t.Errorf("%d microseconds, want %d", got, want)
	}
}

func TestCollectionSize(t *testing.T) {
	f := newFixture(t, music)
	f.apply(f.put("artist=a song=s1 yr=1"))        // 17 and 17 in ByYear
	f.apply(f.put("artist=a song=s2 genre=g"))     // 19
	f.apply(f.put("artist=b song=s1 yr=1 more=x")) // 22 and 17
	for artist, want := range map[string]int64{"a": 53, "b": 39, "c": 0} {
		got, err := f.store.CollectionSize(t.Context(), f.table, attr.String(artist))
		if err != nil || got != want {
			t.Errorf("collection %s: %d bytes, want %d (%v)", artist, got, want, err)
		}
	}
	f.apply(f.delete("artist=a song=s1"))
	if got, _ := f.store.CollectionSize(t.Context(), f.table, attr.String("a")); got != 19 {
		t.Errorf("after a deletion: %d bytes", got)
	}
	f.audit()
}

// A full collection may shrink but not grow, and other collections are not concerned.
func TestFullCollection(t *testing.T) {
	f := newFixture(t, music)
	f.apply(f.put("artist=a song=s1 yr=1 more=text"))
	err := f.engine.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
		b.Add(keys.AppendCounter(nil, f.table.Number, 0, keys.Collection, []byte("a")), store.MaxCollection)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	grow := f.put("artist=a song=s2")
	_, err = f.store.Apply(t.Context(), grow)
	_, berr := f.store.Batch(t.Context(), []store.Write{f.put("artist=b song=s1"), grow})
	for _, err := range []error{err, berr} {
		if !errors.Is(err, store.ErrCollectionFull) {
			t.Errorf("%v, want ErrCollectionFull", err)
		}
	}
	_, _, err = f.store.Transact(t.Context(), []store.Write{f.put("artist=b song=s1"), grow}, nil)
	if got := reasons(err); got != "<nil>; "+store.ErrCollectionFull.Error() {
		t.Errorf("transaction: %s", got)
	}
	f.expect("artist=b song=s1", "")
	f.apply(f.update("artist=a song=s1", "SET more = :m", "m=less"))
	f.apply(f.update("artist=a song=s1", "REMOVE yr", ""))
	f.apply(f.delete("artist=a song=s1"))
	f.apply(f.put("artist=b song=s1"))
}
