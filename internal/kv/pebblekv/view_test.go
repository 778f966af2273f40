package pebblekv

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
)

// Scans beside a key that has been overwritten often walk over its versions only until one of them has noticed.
func TestScanPassesHotKey(t *testing.T) {
	const times = 10_000
	db := testOpen(t, inMemory())
	defer db.Close()
	put := func(key string, n int) {
		err := db.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
			b.Put([]byte(key), binary.BigEndian.AppendUint64(nil, uint64(n)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("a", 1)
	for n := range times {
		put("hot", n)
	}
	put("z", 2)
	want := []pair{{"a", 1}, {"hot", times - 1}, {"z", 2}}
	for _, step := range []struct {
		name string
		do   func()
		few  bool // steps
	}{
		{"at first", func() {}, false},
		{"then", func() {}, true},
		{"and again", func() {}, true},
		{"when a flush has left one version", func() {
			if err := db.pebble.Flush(); err != nil {
				t.Fatal(err)
			}
			if db.crowds.of([]byte("a")).Load() {
				t.Error("a flush leaves a crowd")
			}
		}, true},
	} {
		step.do()
		got, steps := scanCounting(t, db)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", step.name, got, want)
		}
		if few := steps <= 10; few != step.few {
			t.Errorf("%s: %d steps over three keys", step.name, steps)
		}
	}
}

type pair struct {
	key string
	n   uint64
}

// scanCounting returns all pairs from a to z and how many steps that took.
func scanCounting(t *testing.T, db *DB) (pairs []pair, steps int) {
	t.Helper()
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	it, err := v.Scan(kv.Range{Lo: []byte("a"), Hi: []byte("zz")})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for it.Next() {
		pairs = append(pairs, pair{string(it.Key()), binary.BigEndian.Uint64(it.Value())})
	}
	return pairs, it.(*iterator).pebble.Stats().ForwardStepCount[pebble.InternalIterCall]
}
