package pebblekv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

func TestStripesAreLockedOnceAndInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		hashes := make([]uint64, rng.IntN(200))
		for i := range hashes {
			hashes[i] = rng.Uint64() % 300 * 997 // some are equal
		}
		got := stripesOf(nil, hashes)
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("%v are not in order or not once", got)
		}
		for _, h := range hashes {
			if !slices.Contains(got, uint16(h%stripes)) {
				t.Fatalf("stripe of %d is missing", h)
			}
		}
	}
}

func TestFencesAreLockedOnceAndExclusivelyIfAsked(t *testing.T) {
	def := func(i int) []byte { return fmt.Append(nil, i) }
	var x kv.Txn
	for i := range 300 { // more than there are stripes
		x.Fence = append(x.Fence, kv.Fence{Key: def(i)})
		if i%3 == 0 {
			x.Define = append(x.Define, def(i))
		}
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(x.Fence), func(i, j int) { x.Fence[i], x.Fence[j] = x.Fence[j], x.Fence[i] })
	got := fenceLocks(nil, &x)
	for i := 1; i < len(got); i++ {
		if got[i-1].stripe >= got[i].stripe {
			t.Fatalf("stripe %d comes before %d", got[i-1].stripe, got[i].stripe)
		}
	}
	exclusive := map[uint8]bool{}
	for _, k := range x.Define {
		exclusive[uint8(hash(k)%fenceStripes)] = true
	}
	for _, l := range got {
		if l.exclusive != exclusive[l.stripe] {
			t.Errorf("stripe %d is locked exclusively: %v, want %v", l.stripe, l.exclusive, exclusive[l.stripe])
		}
	}
}

func TestFenceVersionsAreLoadedOnce(t *testing.T) {
	f := fences{versions: map[string]uint64{}}
	loads := 0
	load := func(k []byte) (uint64, error) {
		loads++
		return map[string]uint64{"a": 7}[string(k)], nil
	}
	want := func(key string, version uint64, loaded int) {
		t.Helper()
		v, err := f.version([]byte(key), load)
		if err != nil || v != version || loads != loaded {
			t.Errorf("version of %s: %d, %v after %d loads, want %d after %d", key, v, err, loads, version, loaded)
		}
	}
	want("a", 7, 1)
	want("a", 7, 1)
	f.set([]byte("a"), 8)
	want("a", 8, 1)
	f.set([]byte("a"), 0)
	want("a", 7, 2)
	want("none", 0, 3)
	want("none", 0, 4) // what does not exist is not kept
	if len(f.versions) != 1 {
		t.Errorf("%d versions are kept", len(f.versions))
	}
	_, err := f.version([]byte("bad"), func([]byte) (uint64, error) { return 0, kv.ErrCorrupt })
	if !errors.Is(err, kv.ErrCorrupt) {
		t.Errorf("version returned %v", err)
	}
}

func TestClaims(t *testing.T) {
	c := claims{keys: map[string]struct{}{}}
	k := func(names string) (ks [][]byte) {
		for _, n := range names {
			ks = append(ks, []byte(string(n)))
		}
		return ks
	}
	conflict := func(err error, key int) {
		t.Helper()
		if got := new(kv.ConflictError); !errors.As(err, &got) || got.Key != key {
			t.Errorf("got %v, want a conflict on key %d", err, key)
		}
	}
	none := func(err error) {
		t.Helper()
		if err != nil {
			t.Errorf("got %v", err)
		}
	}
	none(c.meet(k("a")))
	none(c.take(k("bc")))
	none(c.meet(k("a")))
	conflict(c.meet(k("ac")), 1)
	conflict(c.take(k("acb")), 1)
	none(c.take(k("a"))) // which the failed one has not kept
	none(c.take(nil))
	c.release(k("bc"))
	none(c.meet(k("bc")))
	conflict(c.meet(k("a")), 0)
	c.release(k("a"))
	if c.held.Load() != 0 || len(c.keys) != 0 {
		t.Errorf("%d keys are held", len(c.keys))
	}
}

// TestClaimOvertakesAWaitingUpdate claims a key for which an update waits: when the update's turn comes, it must not slip in.
func TestClaimOvertakesAWaitingUpdate(t *testing.T) {
	db := testOpen(t, Config{Memory: true})
	k := [][]byte{[]byte("k")}
	locked := stripesOf(nil, []uint64{hash(k[0])})
	for i := range 100 {
		db.locks.lock(locked)
		done := make(chan error)
		go func() { done <- putRow(db, "k", "1") }()
		for range i { // so that some have looked at the claims and wait by now
			runtime.Gosched()
		}
		if err := db.claims.take(k); err != nil {
			t.Fatal(err)
		}
		db.locks.unlock(locked)
		if err := <-done; !errors.As(err, new(*kv.ConflictError)) {
			t.Fatalf("Update returned %v, want a ConflictError", err)
		}
		db.claims.release(k)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestMarks(t *testing.T) {
	db := &DB{values: newValues(1 << 10)}
	m := &db.marks
	a, b := rowKey(nil, 1), append(keys.AppendSpace(nil, 2, 0), "x"...)
	spaceOf := func(key []byte) kv.Range {
		return kv.Range{Lo: keys.Space(key), Hi: keys.Next(keys.Space(key))}
	}
	db.announce(&kv.Batch{
		Puts: []kv.Pair{{Key: a}}, Dels: [][]byte{b}, Adds: []kv.Add{{Key: []byte("c")}}, Log: []kv.LogEntry{{Shard: 3}},
	}, 5)
	m.raise(a, hash(a), 4) // an older commit comes later
	for _, k := range [][]byte{a, b, []byte("c"), keys.LogHead(3)} {
		if got := m.key(hash(k)); got != 5 {
			t.Errorf("mark of %x is %d, want 5", k, got)
		}
	}
	for _, r := range []kv.Range{spaceOf(a), spaceOf(b), {Lo: a, Hi: append(a, 0)}, {Lo: b, Hi: spaceOf(b).Hi}} {
		if got, ok := m.space(r); !ok || got != 5 {
			t.Errorf("mark of %x .. %x is %d, %v, want 5", r.Lo, r.Hi, got, ok)
		}
	}
	for _, r := range []kv.Range{
		{}, {Lo: a}, {Lo: a, Hi: b}, {Lo: keys.AppendTable(nil, 1), Hi: keys.AppendTable(nil, 2)}, {Lo: []byte("c"), Hi: []byte("d")},
	} {
		if _, ok := m.space(r); ok {
			t.Errorf("%x .. %x lies in one table", r.Lo, r.Hi)
		}
	}
	raise(&m.ranges, 9)
	if got, _ := m.space(spaceOf(a)); got != 9 || m.key(hash([]byte("other"))) != 9 {
		t.Errorf("after a range was deleted the marks are %d and %d, want 9", got, m.key(hash([]byte("other"))))
	}
}
