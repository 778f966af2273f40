package store_test

import (
	"errors"
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
	"github.com/grammedb/gramme/internal/kv/keys"
)

// sessions is a table with time to live. The clock of a fixture begins at 1893553445.
const sessions = `
Sessions user:S id:N
local ByKind user:S kind:S ALL
global Kinds kind:S id:N KEYS_ONLY
ttl expires`

// rowKeys returns the keys of the items' rows.
func (f *fixture) rowKeys(texts ...string) (list [][]byte) {
	f.Helper()
	for _, text := range texts {
		list = append(list, f.table.AppendRowKey(nil, f.key(text)))
	}
	return list
}

// expiring returns the seconds, counted from the fixture's first one, under which the table's items are found.
func (f *fixture) expiring() (list []int64) {
	f.Helper()
	view, err := f.engine.View(f.Context(), kv.ViewOpts{})
	if err != nil {
		f.Fatal(err)
	}
	defer view.Close()
	lo, hi := keys.Expiries(f.table.Number)
	it, err := view.Scan(kv.Range{Lo: lo, Hi: hi})
	if err != nil {
		f.Fatal(err)
	}
	for it.Next() {
		list = append(list, keys.ExpiryTime(it.Key())-1893553445)
	}
	if err := it.Close(); err != nil {
		f.Fatal(err)
	}
	return list
}

// TestExpiryEntries does writes of all kinds and looks at the entries that they leave.
func TestExpiryEntries(t *testing.T) {
	f := newFixture(t, sessions)
	const key = "user=a id=1"
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"put", func() error { f.apply(f.put("user=a id=1 expires=1893553445")); return nil }, "[0]"},
		{"put later", func() error { f.apply(f.put("user=a id=1 expires=1893553446")); return nil }, "[1]"},
		{"change something else", func() error { f.apply(f.update(key, "SET kind = :k", "k=x")); return nil }, "[1]"},
		{"make it a text", func() error {
			f.apply(f.put(`{"user":{"S":"a"},"id":{"N":"1"},"expires":{"S":"1893553446"}}`))
			return nil
		}, "[]"},
		{"set it", func() error { f.apply(f.update(key, "SET expires = :u", "u=1893553449.5")); return nil }, "[5]"},
		{"a false condition", func() error {
			_, err := f.store.Apply(f.Context(), f.when(f.delete(key), "kind = :k", "k=z"))
			if err == nil {
				return errors.New("was true")
			}
			return nil
		}, "[5]"},
		{"batch", func() error {
			_, err := f.store.Batch(f.Context(), []store.Write{f.put("user=a id=2 expires=1893553447"), f.put("user=a id=3"), f.delete(key)})
			return err
		}, "[2]"},
		{"transaction", func() error {
			f.transact(f.token("t", "r"), f.update("user=a id=2", "REMOVE expires", ""), f.put("user=b id=1 expires=1893553454"), f.put("user=b id=2 expires=1893553453"))
			return nil
		}, "[8 9]"},
		{"delete", func() error { f.apply(f.delete("user=b id=2")); return nil }, "[9]"},
		{"milliseconds", func() error { f.apply(f.update("user=b id=1", "SET expires = :u", "u=1893553445000")); return nil }, "[]"},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, reasons(err))
		}
		if got := fmt.Sprint(f.expiring()); got != c.want {
			t.Errorf("%s: items expire at %s, want %s", c.name, got, c.want)
		}
		f.audit()
	}
}

// TestNoEntriesWithoutTTL: a table without time to live keeps nothing.
func TestNoEntriesWithoutTTL(t *testing.T) {
	f := newFixture(t, "Sessions user:S")
	f.apply(f.put("user=a expires=1893553445"))
	f.define(func(d *table.Definition) { d.TTL = table.TTL{Enabled: false, Attribute: "expires"} })
	f.apply(f.put("user=b expires=1893553445"))
	if got := f.expiring(); len(got) > 0 {
		t.Errorf("items expire at %v", got)
	}
}

// TestExpire: what is deleted is what has expired by the item and the setting as they are.
func TestExpire(t *testing.T) {
	f := newFixture(t, sessions)
	f.define(func(d *table.Definition) { d.Log.Begin(f.now(), 1) })
	items := []string{
		"user=a id=1 kind=x expires=1893553444",
		"user=a id=2 kind=x expires=1893553445", // not yet
		"user=a id=3 expires=1893553444.5",      // not yet
		"user=a id=4",
		"user=a id=5 expires=1735786984", // more than five years ago
		"user=a id=6 expires=1735787045", // five years ago
		"user=a id=7 expires=x",
	}
	var asked []string
	for _, text := range items {
		f.apply(f.put(text))
		asked = append(asked, strings.Join(strings.Fields(text)[:2], " "))
	}
	logged := len(f.logged())
	done, err := f.store.Expire(f.Context(), f.current(), f.rowKeys(append(asked, "user=a id=99")...), f.now())
	if err != nil || done.Items != 2 || done.Bytes < 100 {
		t.Errorf("%+v (%v), want 2 items", done, err)
	}
	for i, text := range items {
		if i == 0 || i == 5 {
			text = ""
		}
		f.expect(asked[i], text)
	}
	f.audit()
	recs := f.logged()[logged:]
	if len(recs) != 2 || recs[0].Event() != change.Remove || *recs[0].User != *change.TTL {
		t.Errorf("the log tells %v", recs)
	}
}

// TestExpireAfterALook: between the look at the entries and the deletion everything may have changed.
func TestExpireAfterALook(t *testing.T) {
	const key, item = "user=a id=1", "user=a id=1 expires=1893553444 other=1893553499"
	for _, c := range []struct {
		name   string
		change func(f *fixture)
		left   string
	}{
		{"nothing", func(f *fixture) {}, ""},
		{"the item is prolonged", func(f *fixture) { f.apply(f.update(key, "SET expires = :u", "u=1893553500")) }, "user=a id=1 expires=1893553500 other=1893553499"},
		{"the item never expires", func(f *fixture) { f.apply(f.update(key, "REMOVE expires", "")) }, "user=a id=1 other=1893553499"},
		{"the item is deleted", func(f *fixture) { f.apply(f.delete(key)) }, ""},
		{"it expires at another time, past too", func(f *fixture) { f.apply(f.update(key, "SET expires = :u", "u=1893553443")) }, ""},
		{"time to live is disabled", func(f *fixture) { f.define(func(d *table.Definition) { d.TTL.Enabled = false }) }, item},
		{"another attribute", func(f *fixture) {
			f.define(func(d *table.Definition) { d.TTL.Attribute, d.TTL.Entries = "other", 9 })
		}, item},
	} {
		f := newFixture(t, sessions)
		f.apply(f.put(item))
		planned := f.current()
		c.change(f)
		if _, err := f.store.Expire(f.Context(), planned, f.rowKeys(key), f.now()); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := f.get(key); got != c.left && got != dbtest.Text(f.item(c.left)) {
			t.Errorf("%s: %q is left, want %q", c.name, got, c.left)
		}
	}
}

// TestExpireMeetsATransaction: one that holds an item is not disturbed.
func TestExpireMeetsATransaction(t *testing.T) {
	f := newFixture(t, sessions)
	f.apply(f.put("user=a id=1 expires=1893553444"))
	f.apply(f.put("user=a id=2 expires=1893553444"))
	held, done := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hook := func() { once.Do(func() { close(held); <-done }) } // the transaction asks for the time while it holds the item
	f.hook.Store(&hook)
	var wg sync.WaitGroup
	wg.Go(func() { f.transact(nil, f.update("user=a id=1", "SET kind = :k", "k=x")) })
	<-held
	_, err := f.store.Expire(f.Context(), f.current(), f.rowKeys("user=a id=2", "user=a id=1"), time.Unix(1893553445, 0))
	if !errors.Is(err, store.ErrInTransaction) {
		t.Errorf("error %v", err)
	}
	close(done)
	wg.Wait()
	f.expect("user=a id=2", "user=a id=2 expires=1893553444")
	f.audit()
}

func TestExpireInATableThatIsGone(t *testing.T) {
	f := newFixture(t, sessions)
	f.apply(f.put("user=a id=1 expires=1893553444"))
	planned := f.current()
	dbtest.Change(t, f.catalog, f.table.FullName(), func(*table.Definition) *table.Definition { return nil })
	if done, err := f.store.Expire(f.Context(), planned, f.rowKeys("user=a id=1"), f.now()); err != nil || done.Items != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestExpireBesideWriters has several write items that expire, or do not, while others delete what has expired. The audit finds
// that every item has its entry, and no entry is of no item.
func TestExpireBesideWriters(t *testing.T) {
	f := newFixture(t, sessions)
	f.define(func(d *table.Definition) { d.Log.Begin(f.now(), 2) })
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			for range 400 {
				key := fmt.Sprintf("user=u%d id=%d", rng.IntN(3), rng.IntN(4))
				w := f.put(fmt.Sprintf("%s kind=k%d expires=%d", key, rng.IntN(3), 1893553440+rng.IntN(10)))
				switch rng.IntN(6) {
				case 0:
					w = f.delete(key)
				case 1:
					w = f.update(key, "REMOVE expires", "")
				}
				var err error
				if rng.IntN(4) == 0 {
					_, _, err = f.store.Transact(f.Context(), []store.Write{w}, nil)
				} else {
					_, err = f.store.Apply(f.Context(), w)
				}
				if err != nil && !strings.Contains(reasons(err), "running transaction") {
					t.Errorf("write: %v", reasons(err))
				}
			}
		})
	}
	var all []string
	for u := range 3 {
		for id := range 4 {
			all = append(all, fmt.Sprintf("user=u%d id=%d", u, id))
		}
	}
	stop := make(chan struct{})
	go func() { writers.Wait(); close(stop) }()
	for deleted := 0; ; {
		done, err := f.store.Expire(f.Context(), f.current(), f.rowKeys(all...), f.now())
		if err != nil && !errors.Is(err, store.ErrInTransaction) {
			t.Fatal(err)
		}
		deleted += done.Items
		select {
		case <-stop:
			if deleted == 0 {
				t.Error("nothing was deleted")
			}
			f.audit()
			return
		default:
		}
	}
}
