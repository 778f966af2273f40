package pebblekv

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"strconv"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// rowKey returns the key of item i of the bench table.
func rowKey(dst []byte, i uint64) []byte {
	dst = keys.AppendSpace(dst, 1, 0)
	return keys.AppendPartition(dst, binary.BigEndian.AppendUint64(nil, i))
}

// benchOpen opens a store with n items of 300 bytes.
func benchOpen(b *testing.B, c Config, n uint64) *DB {
	b.Helper()
	db, err := Open(c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	val := make([]byte, 300)
	for i := uint64(0); i < n; i += 1000 {
		err := db.Update(context.Background(), kv.Txn{NoSync: true}, func(_ [][]byte, batch *kv.Batch) error {
			for j := i; j < min(i+1000, n); j++ {
				batch.Put(rowKey(nil, j), val)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return db
}

func BenchmarkGet(b *testing.B) {
	const items = 100_000
	db := benchOpen(b, Config{Dir: b.TempDir()}, items)
	if err := db.pebble.Flush(); err != nil {
		b.Fatal(err)
	}
	ctx, key, i := context.Background(), []byte(nil), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		key = rowKey(key[:0], i%items)
		i += 7919
		v, err := db.View(ctx, kv.ViewOpts{})
		if err != nil {
			b.Fatal(err)
		}
		if val, err := v.Get(key); err != nil || val == nil {
			b.Fatal(val, err)
		}
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMultiGet100(b *testing.B) {
	const items = 100_000
	db := benchOpen(b, Config{Dir: b.TempDir()}, items)
	if err := db.pebble.Flush(); err != nil {
		b.Fatal(err)
	}
	ks, vals := make([][]byte, 100), make([][]byte, 100)
	i := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		for j := range ks {
			ks[j] = rowKey(ks[j][:0], i%items)
			i += 7919
		}
		v, err := db.View(context.Background(), kv.ViewOpts{})
		if err != nil {
			b.Fatal(err)
		}
		if err := v.MultiGet(ks, vals); err != nil {
			b.Fatal(err)
		}
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan20(b *testing.B) {
	const items = 100_000
	db := benchOpen(b, Config{Dir: b.TempDir()}, items)
	if err := db.pebble.Flush(); err != nil {
		b.Fatal(err)
	}
	space := keys.AppendSpace(nil, 1, 0)
	hi := keys.Next(space)
	ctx, lo, i := context.Background(), []byte(nil), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		lo = rowKey(lo[:0], i%items)
		i += 7919
		v, err := db.View(ctx, kv.ViewOpts{})
		if err != nil {
			b.Fatal(err)
		}
		it, err := v.Scan(kv.Range{Lo: lo, Hi: hi})
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; n < 20 && it.Next(); n++ {
		}
		if err := it.Close(); err != nil {
			b.Fatal(err)
		}
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScanCollection reads item collections of 20 rows.
func BenchmarkScanCollection(b *testing.B) {
	const collections = 1000
	db := benchOpen(b, Config{Dir: b.TempDir()}, 0)
	val := make([]byte, 400)
	for i := range uint64(collections) {
		err := db.Update(context.Background(), kv.Txn{NoSync: true}, func(_ [][]byte, batch *kv.Batch) error {
			for j := range 20 {
				batch.Put(member(i, strconv.Itoa(j)), val)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := db.pebble.Flush(); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		before func()
	}{
		{"Kept", func() {}},
		{"Again", db.scans.clear}, // to be kept, but dropped each time
		{"Never", func() { db.scans.clear(); clear(db.scans.seen[:]) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx, i := context.Background(), uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				if i%collections == 0 {
					c.before()
				}
				i += 7
				scanAll(b, db, ctx, collectionRange(i%collections))
			}
		})
	}
}

func scanAll(b *testing.B, db *DB, ctx context.Context, r kv.Range) {
	v, err := db.View(ctx, kv.ViewOpts{})
	if err != nil {
		b.Fatal(err)
	}
	it, err := v.Scan(r)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for it.Next() {
		n++
	}
	if err := errors.Join(it.Close(), v.Close()); err != nil || n != 20 {
		b.Fatal(n, err)
	}
}

// benchUpdate replaces single items that exist, with a fence.
func benchUpdate(b *testing.B, c Config) {
	db := benchOpen(b, c, 10_000)
	def := keys.Definition("000000000000", "us-east-1", "T")
	row := binary.BigEndian.AppendUint64(nil, 1)
	err := db.Update(context.Background(), kv.Txn{Define: [][]byte{def}}, func(_ [][]byte, batch *kv.Batch) error {
		batch.Put(def, row)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		val, i := make([]byte, 300), uint64(0)
		t := kv.Txn{Keys: make([][]byte, 1), Fence: []kv.Fence{{Key: def, Version: 1}}}
		var key []byte
		f := func(_ [][]byte, batch *kv.Batch) error {
			batch.Put(key, val)
			return nil
		}
		for pb.Next() {
			key = rowKey(key[:0], i%10_000)
			t.Keys[0] = key
			i += 7919
			if err := db.Update(context.Background(), t, f); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUpdateSync(b *testing.B) {
	benchUpdate(b, Config{Dir: b.TempDir()})
}

func BenchmarkUpdateSync64(b *testing.B) {
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	benchUpdate(b, Config{Dir: b.TempDir()})
}

// BenchmarkHotCounter reads a counter to which much was added since the last flush: each addition is a pair of its own.
func BenchmarkHotCounter(b *testing.B) {
	for _, adds := range []int{1, 1000, 100_000} {
		b.Run(strconv.Itoa(adds), func(b *testing.B) {
			c := inMemory()
			c.MemtableBytes = 64 << 20
			db := benchOpen(b, c, 0)
			counter := keys.AppendCounter(nil, 1, 0, keys.Items)
			for range adds {
				err := db.Update(context.Background(), kv.Txn{}, func(_ [][]byte, batch *kv.Batch) error { batch.Add(counter, 1); return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				v, err := db.View(context.Background(), kv.ViewOpts{})
				if err != nil {
					b.Fatal(err)
				}
				if val, err := v.Get(counter); err != nil || kv.Counter(val) != int64(adds) {
					b.Fatal(val, err)
				}
				v.Close()
			}
		})
	}
}

// TestAllocations holds the hot paths to what they need: a read or a new row allocates nothing of ours, an update what is kept for the next.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("pools do not keep what they are given")
	}
	db := testOpen(t, inMemory())
	ctx, key, val := context.Background(), rowKey(nil, 1), make([]byte, 300)
	def, none := keys.Definition("000000000000", "us-east-1", "T"), collectionRange(2)
	if err := putRow(db, string(def), "\x00\x00\x00\x00\x00\x00\x00\x01"); err != nil {
		t.Fatal(err)
	}
	x := kv.Txn{Keys: [][]byte{key}, Fence: []kv.Fence{{Key: def, Version: 1}}}
	fresh := uint64(1)
	put := func(_ [][]byte, b *kv.Batch) error { b.Put(x.Keys[0], val); return nil }
	for _, tt := range []struct {
		what string
		most float64
		f    func() error
	}{
		{"update", 1, func() error { return db.Update(ctx, x, put) }},
		{"new row", 0, func() error {
			fresh++
			x.Keys[0] = rowKey(x.Keys[0][:0], fresh)
			return db.Update(ctx, x, put)
		}},
		{"get", 0, func() error {
			v, err := db.View(ctx, kv.ViewOpts{})
			if err != nil {
				return err
			}
			_, err = v.Get(key)
			return errors.Join(err, v.Close())
		}},
		{"scan that is kept", 0, func() error {
			v, err := db.View(ctx, kv.ViewOpts{})
			if err != nil {
				return err
			}
			it, err := v.Scan(none)
			if err != nil {
				return err
			}
			for it.Next() {
			}
			return errors.Join(it.Close(), v.Close())
		}},
	} {
		allocs := testing.AllocsPerRun(1000, func() {
			if err := tt.f(); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > tt.most {
			t.Errorf("%s: %v allocations, want at most %v", tt.what, allocs, tt.most)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
