package table_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

func TestCatalogSurvives(t *testing.T) {
	e := dbtest.Engine(t)
	c := dbtest.Catalog(t, e)
	d := dbtest.Create(t, c, definition)
	d = dbtest.Change(t, c, d.FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.Tags = map[string]string{"team": "söng"}
		next.TTL = table.TTL{Enabled: true, Attribute: "until", Changed: time.Unix(5, 7).UTC()}
		next.Settings.Throughput = table.Throughput{Read: 5, Write: 6, LastDecrease: time.Unix(9, 0).UTC(), DecreasesToday: 2}
		next.Pending = &table.Pending{Indexes: []table.IndexSettings{{Number: 2, OnDemand: table.OnDemand{MaxRead: 3}}}}
		return next
	})
	again := dbtest.Catalog(t, e).Get(d.FullName())
	if again == nil || !reflect.DeepEqual(again, d) {
		t.Errorf("read again: %+v\nwant %+v", again, d)
	}
}

func TestCatalogNumbers(t *testing.T) {
	c := dbtest.Catalog(t, dbtest.Engine(t))
	a := dbtest.Create(t, c, "A pk:S")
	b := dbtest.Create(t, c, "B pk:S")
	if a.Number == 0 || b.Number <= a.Number || b.Version <= a.Version {
		t.Errorf("numbers %d %d, versions %d %d", a.Number, b.Number, a.Version, b.Version)
	}
	dbtest.Change(t, c, b.FullName(), func(*table.Definition) *table.Definition { return nil })
	if c.Get(b.FullName()) != nil || c.Current(b) != nil {
		t.Error("a removed table is still there")
	}
	again := dbtest.Create(t, c, "B pk:S")
	if again.Number <= b.Number {
		t.Errorf("number %d is used again after %d", again.Number, b.Number)
	}
	if c.Current(b) != nil {
		t.Error("a table of the same name is taken for the removed one")
	}
	changed := dbtest.Change(t, c, a.FullName(), func(old *table.Definition) *table.Definition { return old.Clone() })
	if changed.Number != a.Number || changed.Version <= again.Version || c.Current(a) != changed {
		t.Errorf("changed: number %d, version %d", changed.Number, changed.Version)
	}
}

func TestCatalogList(t *testing.T) {
	c := dbtest.Catalog(t, dbtest.Engine(t))
	for _, name := range []string{"b", "B", "a.1", "a-1", "aa"} {
		dbtest.Create(t, c, name+" pk:S")
	}
	other := dbtest.Define(t, "Z pk:S")
	other.Region, other.Number = "us-test-1", 0
	dbtest.Change(t, c, other.FullName(), func(*table.Definition) *table.Definition { return other })
	var names []string
	for _, d := range c.List("000000000000", "eu-test-1") {
		names = append(names, d.Name)
	}
	if got := strings.Join(names, " "); got != "B a-1 a.1 aa b" { // by bytes
		t.Errorf("list: %s", got)
	}
	if all := c.All(func(table.Name) bool { return true }); len(all) != 6 {
		t.Errorf("%d tables in all", len(all))
	}
}

func TestCatalogLeavesAsItIs(t *testing.T) {
	c := dbtest.Catalog(t, dbtest.Engine(t))
	d := dbtest.Create(t, c, "A pk:S")
	if same := dbtest.Change(t, c, d.FullName(), func(old *table.Definition) *table.Definition { return old }); same != d {
		t.Errorf("no change makes %+v", same)
	}
	wrong := errors.New("wrong")
	_, err := c.Change(t.Context(), d.FullName(), func(*table.Definition, *kv.Batch) (*table.Definition, error) { return nil, wrong })
	if !errors.Is(err, wrong) || c.Get(d.FullName()) != d {
		t.Errorf("%v; the definition is %+v", err, c.Get(d.FullName()))
	}
	none := dbtest.Change(t, c, table.Name{Table: "none"}, func(old *table.Definition) *table.Definition { return old })
	if none != nil || c.Get(table.Name{Table: "none"}) != nil {
		t.Errorf("nothing left as it is: %+v", none)
	}
}

// Rows that are to change with a definition change in the same commit.
func TestCatalogBatch(t *testing.T) {
	e := dbtest.Engine(t)
	c := dbtest.Catalog(t, e)
	d := dbtest.Define(t, "A pk:S")
	d.Number = 0
	_, err := c.Change(t.Context(), d.FullName(), func(_ *table.Definition, b *kv.Batch) (*table.Definition, error) {
		b.Put(keys.Job("with"), []byte("it"))
		return d, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	view, err := e.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	if val, err := view.Get(keys.Job("with")); err != nil || string(val) != "it" {
		t.Errorf("row %q, %v", val, err)
	}
}

// Each change is made of the one before it, whoever makes it.
func TestCatalogConcurrentChanges(t *testing.T) {
	e := dbtest.Engine(t)
	c := dbtest.Catalog(t, e)
	d := dbtest.Create(t, c, "A pk:S")
	const workers, each = 8, 20
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				_, err := c.Change(context.Background(), d.FullName(), func(old *table.Definition, _ *kv.Batch) (*table.Definition, error) {
					next := old.Clone()
					next.NextIndex++
					return next, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, got := range []*table.Definition{c.Get(d.FullName()), dbtest.Catalog(t, e).Get(d.FullName())} {
		if want := d.NextIndex + workers*each; got.NextIndex != want || got.Version != d.Version+workers*each {
			t.Errorf("%d changes, want %d", got.NextIndex, want)
		}
	}
}

// A write that was planned with a definition that has moved is refused by the engine.
func TestFence(t *testing.T) {
	e := dbtest.Engine(t)
	c := dbtest.Catalog(t, e)
	old := dbtest.Create(t, c, "A pk:S")
	now := dbtest.Change(t, c, old.FullName(), func(old *table.Definition) *table.Definition { return old.Clone() })
	write := func(d *table.Definition) error {
		return e.Update(t.Context(), kv.Txn{Fence: []kv.Fence{d.Fence()}}, func([][]byte, *kv.Batch) error { return nil })
	}
	if err := write(old); !errors.Is(err, kv.ErrFenced) {
		t.Errorf("planned with the old definition: %v", err)
	}
	if err := write(now); err != nil {
		t.Errorf("planned with the new one: %v", err)
	}
	if err := write(dbtest.Catalog(t, e).Get(now.FullName())); err != nil {
		t.Errorf("planned after a restart: %v", err)
	}
	dbtest.Change(t, c, old.FullName(), func(*table.Definition) *table.Definition { return nil })
	if err := write(now); !errors.Is(err, kv.ErrFenced) {
		t.Errorf("planned before the table was removed: %v", err)
	}
}

func TestOpenDamagedCatalog(t *testing.T) {
	for name, row := range map[string]string{"short": "abc", "no JSON": "\x00\x00\x00\x00\x00\x00\x00\x01{"} {
		e := dbtest.Engine(t)
		err := e.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
			b.Put(keys.Definition("a", "r", "T"), []byte(row))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := table.OpenCatalog(t.Context(), e); !errors.Is(err, kv.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
	}
}
