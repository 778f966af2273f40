package pebblekv

import (
	"encoding/binary"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
)

// A scan does not walk over the versions of a key that has been overwritten often.
func TestScanPassesHotKey(t *testing.T) {
	const times = 10_000
	db := testOpen(t, Config{Memory: true})
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
	for _, want := range []struct {
		key string
		n   uint64
	}{{"a", 1}, {"hot", times - 1}, {"z", 2}} {
		if !it.Next() || string(it.Key()) != want.key || binary.BigEndian.Uint64(it.Value()) != want.n {
			t.Fatalf("not at %v", want)
		}
	}
	if it.Next() {
		t.Errorf("%s after the last key", it.Key())
	}
	stats := it.(*iterator).pebble.Stats()
	if steps := stats.ForwardStepCount[pebble.InternalIterCall]; steps > 10 {
		t.Errorf("%d steps over three keys", steps)
	}
}
