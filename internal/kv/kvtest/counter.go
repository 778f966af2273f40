package kvtest

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

var counterTests = []test{
	{"AddsAddUp", testAdds},
	{"SeveralAddsInOneBatch", testAddsInBatch},
	{"PutAndDeleteSetACounter", testSetCounter},
	{"ConcurrentAddsLoseNothing", testConcurrentAdds},
	{"AddsAreOfTheSameCommit", testAddsAtomic},
	{"CountersAreScanned", testCountersScanned},
}

func counter(what byte) []byte { return keys.AppendCounter(nil, 1, 0, what) }

func add(t *testing.T, e kv.Engine, key []byte, delta int64) {
	t.Helper()
	update(t, e, kv.Txn{}, write(func(b *kv.Batch) { b.Add(key, delta) }))
}

func wantCount(t *testing.T, e kv.Engine, key []byte, want int64) {
	t.Helper()
	if got := kv.Counter(get(t, e, key)); got != want {
		t.Fatalf("counter is %d, want %d", got, want)
	}
}

func testAdds(t *testing.T, e kv.Engine) {
	c := counter(keys.Items)
	wantCount(t, e, c, 0)
	want := int64(0)
	for _, d := range []int64{1, 5, -2, 0, math.MaxInt64 - 4, math.MinInt64, 7} {
		add(t, e, c, d)
		want += d
		wantCount(t, e, c, want)
	}
	for _, d := range []int64{-want, -3, 3} { // to zero, and through it
		add(t, e, c, d)
	}
	wantCount(t, e, c, 0)
}

func testAddsInBatch(t *testing.T, e kv.Engine) {
	update(t, e, kv.Txn{}, write(func(b *kv.Batch) {
		for i := range int64(10) {
			b.Add(counter(keys.Items), i)
			b.Add(counter(keys.Bytes), -i)
		}
	}))
	wantCount(t, e, counter(keys.Items), 45)
	wantCount(t, e, counter(keys.Bytes), -45)
}

// testSetCounter counts anew, as a job does that repairs a counter.
func testSetCounter(t *testing.T, e kv.Engine) {
	c := counter(keys.Items)
	add(t, e, c, 100)
	update(t, e, one(c), func(vals [][]byte, b *kv.Batch) error {
		b.Put(c, binary.BigEndian.AppendUint64(nil, uint64(kv.Counter(vals[0])-1)))
		b.Add(c, 2)
		return nil
	})
	wantCount(t, e, c, 101)
	add(t, e, c, -1)
	wantCount(t, e, c, 100)
	del(t, e, c)
	wantCount(t, e, c, 0)
	add(t, e, c, 5)
	wantCount(t, e, c, 5)
}

func testConcurrentAdds(t *testing.T, e kv.Engine) {
	parallel(8, func(worker int) {
		for i := range 50 {
			add(t, e, counter(keys.Items), 1)
			add(t, e, counter(keys.Bytes), int64(worker-i))
		}
	})
	wantCount(t, e, counter(keys.Items), 8*50)
	wantCount(t, e, counter(keys.Bytes), 50*28-8*1225)
}

// testAddsAtomic checks that a counter never shows more or less than the rows that were put with it.
func testAddsAtomic(t *testing.T, e kv.Engine) {
	parallel(4, func(i int) {
		for n := range 40 {
			if i < 3 {
				key := row(string(rune('a'+i)) + string(rune('a'+n)))
				update(t, e, one(key), write(func(b *kv.Batch) {
					b.Put(key, nil)
					b.Add(counter(keys.Items), 1)
				}))
				continue
			}
			view(t, e, kv.ViewOpts{Pinned: true}, func(v kv.View) {
				count, n := kv.Counter(getIn(t, v, counter(keys.Items))), len(scanIn(t, v, rows()))
				if count != int64(n) {
					t.Errorf("the counter says %d, there are %d rows", count, n)
				}
			})
		}
	})
}

func testCountersScanned(t *testing.T, e kv.Engine) {
	for range 3 {
		add(t, e, counter(keys.Items), 2)
		add(t, e, counter(keys.Bytes), 3)
	}
	lo, hi := keys.Counters(1)
	pairs := scan(t, e, kv.Range{Lo: lo, Hi: hi})
	if len(pairs) != 2 || kv.Counter(pairs[0].Value) != 6 || kv.Counter(pairs[1].Value) != 9 {
		t.Errorf("the counters are %v", pairs)
	}
}
