package pebblekv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

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
	return &ledger{
		numbers: maps.Clone(l.numbers), gone: maps.Clone(l.gone),
		records: slices.Clone(l.records), trimmed: l.trimmed,
	}
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
	if err == nil {
		w.ledger.number(hotRow(i), n)
		w.ledger.number(indexRow(i), n)
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

// scan reads an index, an item collection, or everything.
func (w *workload) scan(rng *rand.Rand) error {
	return w.scanWith(rng, kv.ViewOpts{})
}

func (w *workload) pinned(rng *rand.Rand) error {
	return w.scanWith(rng, kv.ViewOpts{Pinned: true})
}

func (w *workload) scanWith(rng *rand.Rand, o kv.ViewOpts) error {
	lo := [][]byte{
		keys.AppendSpace(nil, 1, uint16(rng.IntN(2))), hotRow(rng.IntN(hotRows)), keys.AppendTable(nil, 1),
	}[rng.IntN(3)]
	r := kv.Range{Lo: lo, Hi: keys.Next(lo), Reverse: rng.IntN(2) == 0}
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
