package pebblekv

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
)

// stallFS lets an fsync through for each token, in the order of the test's choosing.
type stallFS struct {
	vfs.FS
	tokens chan struct{} // closed: all go through
}

func (f stallFS) Unwrap() vfs.FS { return f.FS }

func (f stallFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap(f.FS.Create(name, c))
}

func (f stallFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap(f.FS.ReuseForWrite(old, name, c))
}

func (f stallFS) wrap(file vfs.File, err error) (vfs.File, error) {
	return stallFile{file, f.tokens}, err
}

type stallFile struct {
	vfs.File
	tokens chan struct{}
}

func (f stallFile) Sync() error     { <-f.tokens; return f.File.Sync() }
func (f stallFile) SyncData() error { <-f.tokens; return f.File.SyncData() }

// TestPowerLoss cuts the power while fsyncs stall, again and again: what anybody was told is there afterwards, and the rest
// is as if it had never been, commit by commit.
func TestPowerLoss(t *testing.T) {
	for seed := range uint64(powerSeeds()) {
		powerLoss(t, seed)
		if t.Failed() {
			return
		}
	}
}

func powerSeeds() int {
	if testing.Short() {
		return 3
	}
	return 25
}

func powerLoss(t *testing.T, seed uint64) {
	disk := vfs.NewCrashableMem()
	tokens := make(chan struct{})
	db, err := openStalled(t, disk, tokens)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := &workload{t: t, db: db, ctx: ctx, ledger: newLedger(), seed: seed}
	var running sync.WaitGroup
	running.Go(w.run)

	rng := rand.New(rand.NewPCG(seed, 1<<32))
	for range 8 {
		for range 1 + rng.IntN(20) {
			tokens <- struct{}{}
		}
		for until := w.ops.Load() + int64(rng.IntN(200)); w.ops.Load() < until && idle(&w.ops); {
		}
		told := w.ledger.copy() // before the power goes: all of it must last
		crashed := disk.CrashClone(vfs.CrashCloneCfg{
			UnsyncedDataPercent: []int{0, 50, 100}[rng.IntN(3)],
			RNG:                 rng,
		})
		checkAfterCrash(t, seed, crashed, told)
	}
	cancel()
	close(tokens)
	running.Wait()
	if err := db.Close(); err != nil {
		t.Errorf("seed %d: Close: %v", seed, err)
	}
}

// idle yields for a while and reports whether anything happened meanwhile: when all wait for the disk, nothing will.
func idle(ops *atomic.Int64) bool {
	before := ops.Load()
	for range 2000 {
		runtime.Gosched()
		if ops.Load() != before {
			return true
		}
	}
	return false
}

// openStalled opens a store on a disk whose fsyncs wait for tokens; they flow while it opens.
func openStalled(t *testing.T, disk vfs.FS, tokens chan struct{}) (*DB, error) {
	opened := make(chan struct{})
	var feeding sync.WaitGroup
	feeding.Go(func() {
		for {
			select {
			case tokens <- struct{}{}:
			case <-opened:
				return
			}
		}
	})
	defer feeding.Wait()
	defer close(opened)
	c := Config{Dir: "/deep/data", FS: stallFS{disk, tokens}, MemtableBytes: 64 << 10, Logger: quiet}
	c.Fatal = func(err error) { t.Errorf("the store failed: %v", err) }
	return Open(c)
}

// checkAfterCrash opens what a crash has left and compares it with what was told before.
func checkAfterCrash(t *testing.T, seed uint64, disk vfs.FS, told *ledger) {
	t.Helper()
	db := testOpen(t, Config{Dir: "/deep/data", FS: disk, MemtableBytes: 64 << 10})
	defer func() {
		if err := db.Close(); err != nil {
			t.Errorf("seed %d: Close: %v", seed, err)
		}
	}()
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for k, n := range told.numbers {
		if val, err := v.Get([]byte(k)); err != nil || number(val) < n {
			t.Errorf("seed %d: %x was seen to be %d and is %d (%v)", seed, k, n, number(val), err)
		}
	}
	for i := range told.gone {
		if val, err := v.Get(fleetingRow(i)); err != nil || val != nil {
			t.Errorf("seed %d: row %d was seen to be gone and is back (%v)", seed, i, err)
		}
	}
	checkLog(t, seed, db, v, told)
}

// checkLog checks that the log is what was read from it and possibly more, that it has no gap, and that it ends with the
// changes that the rows show.
func checkLog(t *testing.T, seed uint64, db *DB, v kv.View, told *ledger) {
	t.Helper()
	last := map[int]int64{}
	after, err := trimPoint(db.pebble, 1)
	if err != nil || after < told.trimmed {
		t.Errorf("seed %d: the log was trimmed to %d and is to %d (%v)", seed, told.trimmed, after, err)
	}
	for {
		recs, next, err := db.TailLog(t.Context(), 1, after, 100)
		if err != nil {
			t.Fatalf("seed %d: TailLog: %v", seed, err)
		}
		if len(recs) == 0 {
			break
		}
		for _, r := range recs {
			if i := int(r.Pos) - 1; i < len(told.records) && told.records[i] != "" && told.records[i] != string(r.Data) {
				t.Errorf("seed %d: record %d was read as %q and is %q", seed, r.Pos, told.records[i], r.Data)
			}
			var i int
			var n int64
			if _, err := fmt.Sscan(string(r.Data), &i, &n); err != nil {
				t.Fatalf("seed %d: record %q", seed, r.Data)
			}
			last[i] = n
		}
		after = next
	}
	if int(after) < len(told.records) {
		t.Errorf("seed %d: the log was read up to %d and ends at %d", seed, len(told.records), after)
	}
	for i, n := range last {
		for _, k := range [][]byte{hotRow(i), indexRow(i)} {
			if val, _ := v.Get(k); number(val) != n {
				t.Errorf("seed %d: the log says %d is %d, the row %d", seed, i, n, number(val))
			}
		}
	}
	if val, _ := v.Get(powerCounter); kv.Counter(val) != int64(after) {
		t.Errorf("seed %d: %d changes are logged, %d counted", seed, after, kv.Counter(val))
	}
}
