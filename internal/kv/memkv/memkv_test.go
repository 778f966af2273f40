package memkv_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/kvtest"
	"github.com/grammedb/gramme/internal/kv/memkv"
)

func TestEngine(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.Engine { return memkv.Open() })
}

// TestOrder puts keys in and takes them out in the order of their bytes, whatever they begin with.
func TestOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	db := memkv.Open()
	var want []string
	for range 5000 {
		key := make([]byte, 1+rng.IntN(18))
		for i := range key {
			key[i] = byte([]int{0, 0, 0, 1, 2, 0xfe, 0xff}[rng.IntN(7)])
		}
		want = append(want, string(key))
		put(t, db, kv.Txn{Keys: [][]byte{key}}, nil)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	for _, reverse := range []bool{false, true} {
		v, err := db.View(t.Context(), kv.ViewOpts{})
		if err != nil {
			t.Fatal(err)
		}
		it, err := v.Scan(kv.Range{Reverse: reverse})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for it.Next() {
			got = append(got, string(it.Key()))
		}
		if err := errors.Join(it.Close(), v.Close()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("reverse %v: %d keys, want %d in order", reverse, len(got), len(want))
		}
		slices.Reverse(want)
	}
}
