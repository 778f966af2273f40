package pebblekv

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
)

// TestRecent changes rows of a store whose memtables are flushed all the time, and which remembers nothing. Each worker has rows of its own, so
// it knows what it must find.
func TestRecent(t *testing.T) {
	db := testOpen(t, Config{Dir: t.TempDir(), MemtableBytes: 16 << 10, CacheBytes: 1})
	defer func() { _ = db.Close() }()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			w := recentWorker{t, db, uint64(i), rand.New(rand.NewPCG(1, uint64(i))), map[uint64][]byte{}}
			for range 1500 {
				if err := w.work(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := len(*db.recent.eras.Load()); n > 6 {
		t.Errorf("%d eras are asked", n)
	}
}

type recentWorker struct {
	t    *testing.T
	db   *DB
	own  uint64
	rng  *rand.Rand
	rows map[uint64][]byte
}

// work changes a few rows, having compared them with what they were, and looks at one more.
func (w *recentWorker) work() error {
	var txn kv.Txn
	var ids []uint64
	for i := range 1 + w.rng.Uint64N(3) {
		id := w.own<<32 | w.rng.Uint64N(100)*3 + i
		ids = append(ids, id)
		txn.Keys = append(txn.Keys, rowKey(nil, id))
	}
	err := w.db.Update(w.t.Context(), txn, func(vals [][]byte, b *kv.Batch) error {
		for i, id := range ids {
			if err := w.compare(id, vals[i]); err != nil {
				return err
			}
			if w.rng.IntN(4) == 0 {
				b.Delete(txn.Keys[i])
				delete(w.rows, id)
				continue
			}
			w.rows[id] = fmt.Appendf(nil, "%0200d", w.rng.Uint64())
			b.Put(txn.Keys[i], w.rows[id])
		}
		return nil
	})
	if err != nil {
		return err
	}
	v, err := w.db.View(w.t.Context(), kv.ViewOpts{})
	if err != nil {
		return err
	}
	defer func() { _ = v.Close() }()
	id := w.own<<32 | w.rng.Uint64N(300)
	val, err := v.Get(rowKey(nil, id))
	if err != nil {
		return err
	}
	return w.compare(id, val)
}

func (w *recentWorker) compare(id uint64, val []byte) error {
	if want := w.rows[id]; !bytes.Equal(val, want) {
		return fmt.Errorf("row %x is %.30q, want %.30q", id, val, want)
	}
	return nil
}

// TestEras: an era is asked until a commit that is later than all of it is in a table.
func TestEras(t *testing.T) {
	r := newRecent(1 << 20)
	issued := uint64(7)
	note := func(h uint64) {
		r.enter().add(h)
		r.leave()
	}
	flushed := func(seq uint64) { r.flushed(seq, func() uint64 { return issued }) }
	check := func(h uint64, want bool) {
		t.Helper()
		if got := have(*r.eras.Load(), h); got != want {
			t.Errorf("%x: %v, want %v", h, got, want)
		}
	}
	const first, second = 0x1_0000_0001, 0x2_0000_0002
	check(first, false)
	note(first)
	flushed(100) // commits up to 7 may have noted in it
	note(second)
	check(first, true)
	check(second, true)
	if r.applied(6) != nil {
		t.Error("commit 7 is not durable")
	}
	e := r.applied(7)
	if e == nil {
		t.Fatal("nothing has ended")
	}
	flushed(200) // the present one goes on: the one before waits for its number
	check(first, true)
	r.close(e, 300)
	if r.applied(8) != nil {
		t.Error("it has its number")
	}
	r.close(e, 250) // by another commit, that was slower
	issued = 9
	flushed(299)
	check(first, true)
	flushed(300)
	check(first, false)
	check(second, true)
	r.close(r.applied(9), 400)
	flushed(500)
	check(second, false)

	r.all()
	check(second, true)
}

// TestRecentAfterCrash: what a crash has left in the log is found: here a large batch, which never was in a memtable.
func TestRecentAfterCrash(t *testing.T) {
	const memtable, rows = 1 << 20, 2000
	disk := vfs.NewCrashableMem()
	db := testOpen(t, Config{Dir: "store", FS: disk, MemtableBytes: memtable})
	val := make([]byte, memtable*2/5/rows) // less than half a memtable; with what a memtable needs for each, more
	err := db.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
		for i := range uint64(rows) {
			b.Put(rowKey(nil, i), val)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	db = testOpen(t, Config{Dir: "store", FS: crash(t, disk, db), MemtableBytes: memtable})
	defer func() { _ = db.Close() }()
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	for i := range uint64(rows) {
		if got, err := v.Get(rowKey(nil, i)); err != nil || !bytes.Equal(got, val) {
			t.Fatalf("row %d has %d bytes: %v", i, len(got), err)
		}
	}
}
