package streams_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/streams"
)

// TestLineage reads a stream while items are written, in batches and in transactions, and its shards rotate and split all the time. Who
// reads a shard before its children sees every change of an item once, in order: each finds the item as the one before left it.
func TestLineage(t *testing.T) {
	w := newWorld(t, "Music artist:S song:S", "NEW_AND_OLD_IMAGES")
	f := following{w: w, at: map[string]*streams.Position{}, items: map[string]string{}}
	var writers, reader sync.WaitGroup
	stop, written := make(chan struct{}), make(chan struct{})
	for i := range 4 {
		writers.Go(func() {
			for rng := rand.New(rand.NewPCG(1, uint64(i))); !closed(stop); {
				w.changeSome(rng)
			}
		})
	}
	reader.Go(func() {
		for last := false; f.step() > 0 || !last; {
			last = closed(written)
		}
	})
	for n := range 24 {
		w.change(func(d *table.Definition) {
			some := func(s *table.Shard) bool { return s.Number%3 == uint64(n%3) }
			if n%4 == 0 {
				d.Log.Split(w.clock, some)
			} else {
				d.Log.Rotate(w.clock, some)
			}
		})
	}
	close(stop)
	writers.Wait()
	close(written)
	reader.Wait()
	if len(f.at) < 24 {
		t.Errorf("%d shards", len(f.at))
	}
	f.compare()
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// changeSome makes random changes to one to three items.
func (w *world) changeSome(rng *rand.Rand) {
	var list []store.Write
	d := w.catalog.Get(w.name)
	for _, n := range rng.Perm(20)[:1+rng.IntN(3)] {
		it := dbtest.Item(w, fmt.Sprintf("artist=a%d song=s n=%d", n, rng.IntN(3)))
		key, err := d.KeyOf(it)
		if err != nil {
			w.Error(err)
		}
		wr := store.Write{Kind: store.Put, Table: d, Key: key, Item: it}
		if rng.IntN(3) == 0 {
			wr.Kind, wr.Item = store.Delete, nil
		}
		list = append(list, wr)
	}
	var err error
	if rng.IntN(2) == 0 {
		_, err = w.store.Batch(context.Background(), list)
	} else {
		_, _, err = w.store.Transact(context.Background(), list, nil)
	}
	_, canceled := errors.AsType[*store.CanceledError](err)
	if err != nil && !canceled && !errors.Is(err, store.ErrInTransaction) {
		w.Error(err)
	}
}

// A following is how far a stream has been read, shard by shard.
type following struct {
	w     *world
	at    map[string]*streams.Position // by the shard's ID; nil once it has been read to its end
	items map[string]string            // as the changes have left them
}

// step reads a page of every shard whose parent has been read and returns how many records and ends there were.
func (f *following) step() (n int) {
	st := f.w.stream()
	for _, sh := range st.Shards() { // parents first
		at, known := f.at[sh.ID]
		if !known {
			at = new(sh.Horizon())
			f.at[sh.ID] = at
		}
		if at == nil || f.at[sh.ParentID] != nil {
			continue
		}
		p, err := f.w.reader.Read(context.Background(), st, *at, 7)
		if err != nil {
			f.w.Error(err)
			return 0
		}
		for i := range p.Records {
			f.apply(&p.Records[i])
		}
		n += len(p.Records)
		*at = p.Next
		if p.End {
			f.at[sh.ID] = nil
			n++
		}
	}
	return n
}

func (f *following) apply(r *streams.Record) {
	key := dbtest.Text(r.Keys)
	if was := dbtest.Text(r.Old); was != f.items[key] {
		f.w.Errorf("%s: %s was %s, and %s before", r.Sequence, key, was, f.items[key])
	}
	f.items[key] = dbtest.Text(r.New)
}

// compare compares what the changes make with the items as they are.
func (f *following) compare() {
	d := f.w.catalog.Get(f.w.name)
	for n := range 20 {
		key, err := d.ParseKey(dbtest.Item(f.w, fmt.Sprintf("artist=a%d song=s", n)))
		if err != nil {
			f.w.Fatal(err)
		}
		found, err := f.w.store.Get(context.Background(), store.Read{Table: d, Key: key})
		if err != nil {
			f.w.Fatal(err)
		}
		if got, want := f.items[dbtest.Text(d.KeyItem(key))], dbtest.Text(found.Item); got != want {
			f.w.Errorf("item %d is %s, the changes make it %s", n, want, got)
		}
	}
}
