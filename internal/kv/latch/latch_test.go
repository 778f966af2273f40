package latch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
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
		exclusive[uint8(Hash(k)%fenceStripes)] = true
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
	table := NewTable(nil)
	x := kv.Txn{Keys: [][]byte{[]byte("k")}}
	locked := stripesOf(nil, []uint64{Hash(x.Keys[0])})
	for i := range 100 {
		table.keys.lock(locked)
		done := make(chan error)
		go func() {
			var h Hold
			defer h.Release()
			done <- table.Acquire(&h, &x)
		}()
		for range i { // so that some have looked at the claims and wait by now
			runtime.Gosched()
		}
		if err := table.claims.take(x.Keys); err != nil {
			t.Fatal(err)
		}
		table.keys.unlock(locked)
		if err := <-done; !errors.As(err, new(*kv.ConflictError)) {
			t.Fatalf("Acquire returned %v, want a ConflictError", err)
		}
		table.claims.release(x.Keys)
	}
}

// TestHoldIsUsedAgain holds and releases with one Hold, and finds nothing held and no memory taken.
func TestHoldIsUsedAgain(t *testing.T) {
	def := []byte("def")
	table := NewTable(func([]byte) (uint64, error) { return 3, nil })
	x := kv.Txn{Keys: [][]byte{[]byte("a"), []byte("b")}, Fence: []kv.Fence{{Key: def, Version: 3}}}
	var h Hold
	allocs := testing.AllocsPerRun(100, func() {
		if err := table.Acquire(&h, &x); err != nil {
			t.Fatal(err)
		}
		if len(h.Hashes) != 2 || h.Hashes[1] != Hash(x.Keys[1]) {
			t.Fatalf("hashes are %x", h.Hashes)
		}
		h.Release()
		h.Release()
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	x.Fence[0].Version = 4
	if err := table.Acquire(&h, &x); !errors.Is(err, kv.ErrFenced) {
		t.Errorf("Acquire returned %v, want ErrFenced", err)
	}
	h.Release()
	x.Fence, x.Define = nil, [][]byte{def}
	if err := table.Acquire(&h, &x); err != nil {
		t.Fatal(err)
	}
	h.Redefine(&kv.Batch{Puts: []kv.Pair{{Key: def, Value: []byte{0, 0, 0, 0, 0, 0, 0, 4}}}})
	h.Release()
	x.Fence, x.Define = []kv.Fence{{Key: def, Version: 4}}, nil
	if err := table.Acquire(&h, &x); err != nil {
		t.Errorf("Acquire returned %v for the new version", err)
	}
	h.Release()
}
