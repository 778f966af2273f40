package memkv_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/kv/memkv"
)

const benchRows = 100_000

// rowKey returns the key of one of the rows, in no order. As many do, clients' keys begin with the same words.
func rowKey(dst []byte, n uint64) []byte {
	attr := append(make([]byte, 0, 32), "customer#"...)
	for range 12 {
		n *= 0x9E3779B97F4A7C15
		attr = append(attr, "0123456789abcdef"[n>>60])
	}
	return keys.AppendPartition(keys.AppendSpace(dst, 1, 0), attr)
}

func put(b testing.TB, db *memkv.DB, t kv.Txn, val []byte) {
	err := db.Update(context.Background(), t, func(_ [][]byte, batch *kv.Batch) error {
		batch.Put(t.Keys[0], val)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func benchOpen(b *testing.B) *memkv.DB {
	db := memkv.Open()
	val := make([]byte, 300)
	for i := range uint64(benchRows) {
		put(b, db, kv.Txn{Keys: [][]byte{rowKey(nil, i)}}, val)
	}
	b.ReportAllocs()
	b.ResetTimer()
	return db
}

// BenchmarkUpdate replaces a row.
func BenchmarkUpdate(b *testing.B) {
	db := benchOpen(b)
	b.RunParallel(func(pb *testing.PB) {
		val, t := make([]byte, 300), kv.Txn{Keys: make([][]byte, 1)}
		for i := uint64(0); pb.Next(); i += 7919 {
			t.Keys[0] = rowKey(t.Keys[0][:0], i%benchRows)
			put(b, db, t, val)
		}
	})
}

// BenchmarkInsert puts 25 new rows at once, beside a hundred thousand others and more and more of its own.
func BenchmarkInsert(b *testing.B) {
	db := benchOpen(b)
	var made atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		val, t := make([]byte, 300), kv.Txn{Keys: make([][]byte, 25)}
		for pb.Next() {
			first := benchRows + made.Add(25)
			for i := range t.Keys {
				t.Keys[i] = rowKey(t.Keys[i][:0], first+uint64(i))
			}
			err := db.Update(context.Background(), t, func(_ [][]byte, batch *kv.Batch) error {
				for _, key := range t.Keys {
					batch.Put(key, val)
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkGet reads a row.
func BenchmarkGet(b *testing.B) {
	db := benchOpen(b)
	b.RunParallel(func(pb *testing.PB) {
		var key []byte
		for i := uint64(0); pb.Next(); i += 7919 {
			v, err := db.View(context.Background(), kv.ViewOpts{})
			if err != nil {
				b.Fatal(err)
			}
			key = rowKey(key[:0], i%benchRows)
			if val, err := v.Get(key); err != nil || len(val) != 300 {
				b.Fatal(len(val), err)
			}
			v.Close()
		}
	})
}

// BenchmarkScan reads twenty rows that follow each other; with a write before each scan it takes a snapshot, and the write copies nodes.
func BenchmarkScan(b *testing.B) {
	for name, writes := range map[string]bool{"still": false, "after writes": true} {
		b.Run(name, func(b *testing.B) {
			db := benchOpen(b)
			val, t := make([]byte, 300), kv.Txn{Keys: make([][]byte, 1)}
			_, hi := keys.Log(0)
			for i := uint64(0); b.Loop(); i += 7919 {
				t.Keys[0] = rowKey(t.Keys[0][:0], i%benchRows)
				if writes {
					put(b, db, t, val)
				}
				scan(b, db, kv.Range{Lo: t.Keys[0], Hi: hi})
			}
		})
	}
}

func scan(b *testing.B, db *memkv.DB, r kv.Range) {
	v, err := db.View(context.Background(), kv.ViewOpts{})
	if err != nil {
		b.Fatal(err)
	}
	it, err := v.Scan(r)
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < 20 && it.Next(); n++ {
	}
	it.Close()
	v.Close()
}
