package kvtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

var claimTests = []test{
	{"HeldKeysConflict", testHeldKeys},
	{"ConflictNamesTheFirstHeldKey", testConflictIndex},
	{"ConflictLeavesNothingClaimed", testConflictReleases},
	{"ClaimsEndWithTheUpdate", testClaimsEnd},
	{"ReadersPassClaims", testReadersPass},
	{"ClaimWaitsForASingleUpdate", testClaimWaits},
	{"RetriedConflictsLoseNothing", testConflictsRetried},
}

func claim(ks ...[]byte) kv.Txn { return kv.Txn{Keys: ks, Claim: true} }

// wantConflict checks that an update meets a held key.
func wantConflict(t *testing.T, e kv.Engine, x kv.Txn, key int) {
	t.Helper()
	err := e.Update(t.Context(), x, write(func(b *kv.Batch) { b.Put(row("not to be"), nil) }))
	conflict := new(kv.ConflictError)
	if !errors.As(err, &conflict) {
		t.Fatalf("Update returned %v, want a ConflictError", err)
	}
	if conflict.Key != key {
		t.Errorf("the conflict is on key %d, want %d", conflict.Key, key)
	}
	wantNone(t, e, row("not to be"))
}

func testHeldKeys(t *testing.T, e kv.Engine) {
	a, b, c := row("a"), row("b"), row("c")
	release := hold(t.Context(), e, claim(a, b), write(func(x *kv.Batch) { x.Put(a, []byte("held")) }))
	wantConflict(t, e, one(a), 0)
	wantConflict(t, e, one(b), 0)
	wantConflict(t, e, claim(a), 0)
	wantConflict(t, e, claim(c, b), 1)
	put(t, e, c, "free")
	update(t, e, claim(c), write(func(x *kv.Batch) { x.Put(c, []byte("free too")) }))
	if err := release(); err != nil {
		t.Fatalf("Update: %v", err)
	}
	wantVal(t, e, a, "held")
	put(t, e, a, "released")
	update(t, e, claim(a, b), write(func(x *kv.Batch) { x.Put(b, []byte("again")) }))
	wantVal(t, e, b, "again")
}

func testConflictIndex(t *testing.T, e kv.Engine) {
	release := hold(t.Context(), e, claim(row("m"), row("z"), row("a")), write(func(*kv.Batch) {}))
	wantConflict(t, e, claim(row("b"), row("z"), row("a"), row("m")), 1)
	wantConflict(t, e, one(row("y"), row("x"), row("a"), row("z")), 2)
	if err := release(); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func testConflictReleases(t *testing.T, e kv.Engine) {
	release := hold(t.Context(), e, claim(row("b")), write(func(*kv.Batch) {}))
	wantConflict(t, e, claim(row("a"), row("b"), row("c")), 1)
	put(t, e, row("a"), "1")
	put(t, e, row("c"), "1")
	if err := release(); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func testClaimsEnd(t *testing.T, e kv.Engine) {
	a, mine := row("a"), errors.New("no")
	put(t, e, definition("T"), string(version(1)))
	if err := e.Update(t.Context(), claim(a), func([][]byte, *kv.Batch) error { return mine }); err != mine {
		t.Errorf("Update returned %v", err)
	}
	put(t, e, a, "after an error")
	x := claim(a)
	x.Fence = []kv.Fence{{Key: definition("T"), Version: 2}}
	if err := e.Update(t.Context(), x, write(func(*kv.Batch) {})); !errors.Is(err, kv.ErrFenced) {
		t.Errorf("Update returned %v, want ErrFenced", err)
	}
	put(t, e, a, "after a fence")
	update(t, e, claim(a), write(func(*kv.Batch) {}))
	put(t, e, a, "after nothing")
	wantVal(t, e, a, "after nothing")
}

func testReadersPass(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "old")
	release := hold(t.Context(), e, claim(row("a")), write(func(b *kv.Batch) { b.Put(row("a"), []byte("new")) }))
	wantVal(t, e, row("a"), "old")
	if got := text(scan(t, e, rows())); got != "a=old" {
		t.Errorf("scan returned %s", got)
	}
	if err := release(); err != nil {
		t.Fatalf("Update: %v", err)
	}
	wantVal(t, e, row("a"), "new")
}

func testClaimWaits(t *testing.T, e kv.Engine) {
	a := row("a")
	release := hold(t.Context(), e, one(a), increment(a))
	done := make(chan error, 1)
	go func() { done <- e.Update(t.Context(), claim(a), increment(a)) }()
	if err := release(); err != nil {
		t.Errorf("the single update, which was there first, returned %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("the transaction returned %v", err)
	}
	wantVal(t, e, a, "2")
}

// testConflictsRetried increments numbers in transactions and single updates beside each other; those that conflict are tried
// again, and each success counts once.
func testConflictsRetried(t *testing.T, e kv.Engine) {
	const workers, each, numbers = 6, 40, 4
	var done [numbers]atomic.Int64
	parallel(workers, func(worker int) {
		rng := rand.New(rand.NewPCG(uint64(worker), 0))
		for n := 0; n < each && !t.Failed(); {
			i := rng.IntN(numbers)
			x := one(row(fmt.Sprint(i)))
			if worker%2 == 0 {
				x = claim(x.Keys[0], row(fmt.Sprint((i+1)%numbers)))
			}
			err := e.Update(t.Context(), x, increment(x.Keys[0]))
			switch {
			case err == nil:
				done[i].Add(1)
				n++
			case !errors.As(err, new(*kv.ConflictError)):
				t.Errorf("Update: %v", err)
			}
		}
	})
	for i := range done {
		if got := number(get(t, e, row(fmt.Sprint(i)))); got != done[i].Load() {
			t.Errorf("number %d is %d, want %d", i, got, done[i].Load())
		}
	}
}
