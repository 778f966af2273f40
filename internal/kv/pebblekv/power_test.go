package pebblekv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
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

// The rows that the workload uses.
const (
	hotRows  = 6  // written, read, logged
	fleeting = 40 // put once, deleted once
)

func hotRow(i int) []byte      { return rowKey(nil, uint64(i)) }
func indexRow(i int) []byte    { return append(keys.AppendSpace(nil, 1, 1), 0, 0, byte(i)) }
func fleetingRow(i int) []byte { return append(keys.AppendSpace(nil, 2, 0), 0, 0, byte(i)) }

var (
	powerCounter = keys.AppendCounter(nil, 1, 0, keys.Items)
	powerDef     = keys.Definition("000000000000", "us-east-1", "T")
)

// ledger is what the outside world has been told, so what a power cut must not take back. All of it only ever grows.
type ledger struct {
	mu      sync.Mutex
	numbers map[string]int64 // the greatest number that was seen under a key
	gone    map[int]bool     // fleeting rows whose deletion was seen
	records []string         // of log 1; the one at position p is records[p-1]
	trimmed kv.Pos
}

func (l *ledger) number(key []byte, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.numbers[string(key)] = max(l.numbers[string(key)], n)
}

func (l *ledger) absent(i int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone[i] = true
}

func (l *ledger) record(t *testing.T, r kv.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.records) < int(r.Pos) {
		l.records = append(l.records, "")
	}
	if old := &l.records[r.Pos-1]; *old != "" && *old != string(r.Data) {
		t.Errorf("record %d was %q and is %q", r.Pos, *old, r.Data)
	} else {
		*old = string(r.Data)
	}
}

func (l *ledger) trim(upTo kv.Pos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trimmed = max(l.trimmed, upTo)
}

func (l *ledger) copy() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := newLedger()
	for k, n := range l.numbers {
		c.numbers[k] = n
	}
	for i := range l.gone {
		c.gone[i] = true
	}
	c.records = append(c.records, l.records...)
	c.trimmed = l.trimmed
	return c
}

func newLedger() *ledger { return &ledger{numbers: map[string]int64{}, gone: map[int]bool{}} }

// number is how the workload stores numbers: like a definition's version, so that one can be used as such.
func number(val []byte) int64 { return int64(kv.Version(val)) }

func numberRow(n int64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(n)), make([]byte, 200)...)
}

// workload writes to and reads from a store, and tells the ledger what it was told.
type workload struct {
	t      *testing.T
	db     *DB
	ctx    context.Context
	ledger *ledger
	seed   uint64
	ops    atomic.Int64 // attempted
}

// workers run until the context ends.
func (w *workload) workers() []func(*rand.Rand) error {
	return []func(*rand.Rand) error{
		w.increment, w.increment, w.increment, w.transact, w.noSync, w.refused, w.unchanged, w.define, w.fenced,
		w.get, w.get, w.getAbsent, w.scan, w.scan, w.pinned, w.tail, w.tail, w.trim,
	}
}

func (w *workload) run() {
	var wg sync.WaitGroup
	for i, work := range w.workers() {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(w.seed, uint64(i)))
			for w.ctx.Err() == nil {
				w.ops.Add(1)
				if err := work(rng); err != nil && !errors.Is(err, context.Canceled) {
					w.t.Errorf("seed %d: %v", w.seed, err)
					return
				}
			}
		})
	}
	wg.Go(w.comeAndGo)
	wg.Wait()
}

// change returns an f that raises a number and, in the same commit, an index row, a counter and a log.
func change(i int, to *int64) func([][]byte, *kv.Batch) error {
	return func(vals [][]byte, b *kv.Batch) error {
		*to = number(vals[0]) + 1
		b.Put(hotRow(i), numberRow(*to))
		b.Put(indexRow(i), numberRow(*to))
		b.Add(powerCounter, 1)
		b.Append(1, fmt.Appendf(nil, "%d %d", i, *to))
		return nil
	}
}

func (w *workload) increment(rng *rand.Rand) error {
	i, n := rng.IntN(hotRows), int64(0)
	err := w.db.Update(w.ctx, kv.Txn{Keys: [][]byte{hotRow(i)}}, change(i, &n))
	if conflict := new(kv.ConflictError); err == nil {
		w.ledger.number(hotRow(i), n)
		w.ledger.number(indexRow(i), n)
	} else if errors.As(err, &conflict) {
		return nil
	}
	return err
}

// transact raises two numbers in a transaction; it writes no log.
func (w *workload) transact(rng *rand.Rand) error {
	i := rng.IntN(hotRows - 1)
	ks := [][]byte{append(hotRow(i), "txn"...), append(hotRow(i+1), "txn"...)}
	var n [2]int64
	err := w.db.Update(w.ctx, kv.Txn{Keys: ks, Claim: true}, func(vals [][]byte, b *kv.Batch) error {
		for j := range ks {
			n[j] = number(vals[j]) + 1
			b.Put(ks[j], numberRow(n[j]))
		}
		return nil
	})
	for j := range ks {
		if err == nil {
			w.ledger.number(ks[j], n[j])
		}
	}
	return err
}

// noSync may lose what it wrote, but not what others have seen of it.
func (w *workload) noSync(rng *rand.Rand) error {
	for range 1 + rng.IntN(3) {
		i, n := rng.IntN(hotRows), int64(0)
		err := w.db.Update(w.ctx, kv.Txn{Keys: [][]byte{hotRow(i)}, NoSync: true}, change(i, &n))
		if err != nil {
			return err
		}
	}
	return w.get(rng)
}

// refused reads a number in an update whose condition then fails.
func (w *workload) refused(rng *rand.Rand) error {
	i, n, no := rng.IntN(hotRows), int64(0), errors.New("no")
	err := w.db.Update(w.ctx, kv.Txn{Keys: [][]byte{hotRow(i)}}, func(vals [][]byte, _ *kv.Batch) error {
		n = number(vals[0])
		return no
	})
	if err == no {
		w.ledger.number(hotRow(i), n)
		return nil
	}
	return err
}

// unchanged reads a number in an update that then has nothing to do.
func (w *workload) unchanged(rng *rand.Rand) error {
	i, n := rng.IntN(hotRows), int64(0)
	err := w.db.Update(w.ctx, kv.Txn{Keys: [][]byte{hotRow(i)}}, func(vals [][]byte, _ *kv.Batch) error {
		n = number(vals[0])
		return nil
	})
	if err == nil {
		w.ledger.number(hotRow(i), n)
	}
	return err
}

func (w *workload) define(*rand.Rand) error {
	var n int64
	err := w.db.Update(w.ctx, kv.Txn{Keys: [][]byte{powerDef}, Define: [][]byte{powerDef}}, func(vals [][]byte, b *kv.Batch) error {
		n = number(vals[0]) + 1
		b.Put(powerDef, numberRow(n))
		return nil
	})
	if err == nil {
		w.ledger.number(powerDef, n)
	}
	return err
}

// fenced learns the version of the definition from being fenced, or from not being fenced.
func (w *workload) fenced(rng *rand.Rand) error {
	w.ledger.mu.Lock()
	known := w.ledger.numbers[string(powerDef)]
	w.ledger.mu.Unlock()
	err := w.db.Update(w.ctx, kv.Txn{Fence: []kv.Fence{{Key: powerDef, Version: uint64(known)}}}, func([][]byte, *kv.Batch) error {
		return nil
	})
	if errors.Is(err, kv.ErrFenced) {
		w.ledger.number(powerDef, known+1)
		return nil
	}
	return err
}

// view runs f and closes the view; only if that succeeds may what f saw be told.
func (w *workload) view(o kv.ViewOpts, f func(v kv.View) error) error {
	v, err := w.db.View(w.ctx, o)
	if err != nil {
		return err
	}
	err = f(v)
	return errors.Join(err, v.Close())
}

func (w *workload) get(rng *rand.Rand) error {
	key := [][]byte{hotRow(rng.IntN(hotRows)), indexRow(rng.IntN(hotRows)), powerDef, powerCounter}[rng.IntN(4)]
	var n int64
	err := w.view(kv.ViewOpts{}, func(v kv.View) error {
		val, err := v.Get(key)
		n = number(val)
		return err
	})
	if err == nil {
		w.ledger.number(key, n)
	}
	return err
}

// comeAndGo puts rows and deletes them again, each once, singly or as a range.
func (w *workload) comeAndGo() {
	for i := range fleeting {
		key := fleetingRow(i)
		err := w.db.Update(w.ctx, kv.Txn{}, func(_ [][]byte, b *kv.Batch) error { b.Put(key, numberRow(1)); return nil })
		if err != nil {
			return
		}
		if i%2 == 0 {
			err = w.db.DeleteRange(w.ctx, key, append(key, 0))
		} else {
			err = w.db.Update(w.ctx, kv.Txn{}, func(_ [][]byte, b *kv.Batch) error { b.Delete(key); return nil })
		}
		if err != nil {
			return
		}
		w.ledger.absent(i)
	}
}

// getAbsent sees rows come and go.
func (w *workload) getAbsent(rng *rand.Rand) error {
	for i := range fleeting {
		there, gone := false, false
		for !gone {
			err := w.view(kv.ViewOpts{}, func(v kv.View) error {
				val, err := v.Get(fleetingRow(i))
				gone = there && val == nil
				there = val != nil
				return err
			})
			if err != nil {
				return err
			}
			if !there && !gone && rng.IntN(3) == 0 {
				break // missed it, or it is not there yet
			}
		}
		if gone {
			w.ledger.absent(i)
		}
	}
	return nil
}

// scan reads an index, or everything.
func (w *workload) scan(rng *rand.Rand) error {
	return w.scanWith(rng, kv.ViewOpts{})
}

func (w *workload) pinned(rng *rand.Rand) error {
	return w.scanWith(rng, kv.ViewOpts{Pinned: true})
}

func (w *workload) scanWith(rng *rand.Rand, o kv.ViewOpts) error {
	lo := keys.AppendSpace(nil, 1, uint16(rng.IntN(2)))
	r := kv.Range{Lo: lo, Hi: keys.Next(lo), Reverse: rng.IntN(2) == 0}
	if rng.IntN(3) == 0 {
		lo = keys.AppendTable(nil, 1)
		r.Lo, r.Hi = lo, keys.Next(lo)
	}
	seen := map[string]int64{}
	err := w.view(o, func(v kv.View) error {
		it, err := v.Scan(r)
		if err != nil {
			return err
		}
		for it.Next() {
			seen[string(it.Key())] = number(it.Value())
		}
		return it.Close()
	})
	if err == nil {
		for k, n := range seen {
			w.ledger.number([]byte(k), n)
		}
	}
	return err
}

func (w *workload) tail(rng *rand.Rand) error {
	w.ledger.mu.Lock()
	after := max(w.ledger.trimmed, kv.Pos(rng.IntN(len(w.ledger.records)+1)))
	w.ledger.mu.Unlock()
	recs, _, err := w.db.TailLog(w.ctx, 1, after, 50)
	if errors.Is(err, kv.ErrTrimmed) {
		return nil
	}
	for _, r := range recs {
		w.ledger.record(w.t, r)
	}
	return err
}

func (w *workload) trim(rng *rand.Rand) error {
	w.ledger.mu.Lock()
	upTo := kv.Pos(len(w.ledger.records) / 2)
	w.ledger.mu.Unlock()
	if rng.IntN(20) > 0 || upTo == 0 {
		runtime.Gosched()
		return nil
	}
	err := w.db.TrimLog(w.ctx, 1, upTo)
	if err == nil {
		w.ledger.trim(upTo)
	}
	return err
}

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
				t.Errorf("seed %d: the log says %s is %d, the row %d", seed, strconv.Itoa(i), n, number(val))
			}
		}
	}
	if val, _ := v.Get(powerCounter); kv.Counter(val) != int64(after) {
		t.Errorf("seed %d: %d changes are logged, %d counted", seed, after, kv.Counter(val))
	}
}
