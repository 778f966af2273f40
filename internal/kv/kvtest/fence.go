package kvtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

var fenceTests = []test{
	{"Versions", testVersions},
	{"NothingOfAFencedUpdateIsApplied", testFencedNothing},
	{"VersionIsThatOfTheRow", testVersionOfRow},
	{"SeveralFences", testSeveralFences},
	{"DefineOnItsOwnFence", testDefineOwnFence},
	{"FailedDefineChangesNothing", testFailedDefine},
	{"DefinitionsRaceWriters", testDefinitionRace},
	{"ManyDefinitionsBesideEachOther", testManyDefinitions},
}

// version returns a definition row.
func version(n uint64) []byte { return append(binary.BigEndian.AppendUint64(nil, n), "definition"...) }

// define writes or, with version 0, deletes a definition.
func define(t *testing.T, e kv.Engine, def []byte, n uint64) {
	t.Helper()
	update(t, e, kv.Txn{Keys: [][]byte{def}, Define: [][]byte{def}}, write(func(b *kv.Batch) {
		if n == 0 {
			b.Delete(def)
		} else {
			b.Put(def, version(n))
		}
	}))
}

// fenced puts a row in an update that was planned with some versions.
func fenced(t *testing.T, e kv.Engine, key []byte, f ...kv.Fence) error {
	return e.Update(t.Context(), kv.Txn{Keys: [][]byte{key}, Fence: f}, write(func(b *kv.Batch) { b.Put(key, []byte("x")) }))
}

// wantFence checks that one version, and no other, lets updates through.
func wantFence(t *testing.T, e kv.Engine, def []byte, n uint64) {
	t.Helper()
	for v := range n + 3 {
		err := fenced(t, e, row("a"), kv.Fence{Key: def, Version: v})
		if v == n && err != nil {
			t.Fatalf("version is %d, Update fenced with it returned %v", n, err)
		}
		if v != n && !errors.Is(err, kv.ErrFenced) {
			t.Fatalf("version is %d, Update fenced with %d returned %v", n, v, err)
		}
	}
}

func testVersions(t *testing.T, e kv.Engine) {
	def := definition("T")
	wantFence(t, e, def, 0)
	for _, n := range []uint64{1, 2, 5, 0, 3} {
		define(t, e, def, n)
		wantFence(t, e, def, n)
	}
}

func testFencedNothing(t *testing.T, e kv.Engine) {
	def := definition("T")
	define(t, e, def, 2)
	x := kv.Txn{Keys: [][]byte{row("a")}, Fence: []kv.Fence{{Key: def, Version: 1}}, Claim: true}
	err := e.Update(t.Context(), x, write(func(b *kv.Batch) {
		b.Put(row("a"), nil)
		b.Add(row("n"), 1)
		b.Append(1, nil)
	}))
	if !errors.Is(err, kv.ErrFenced) {
		t.Fatalf("Update returned %v, want ErrFenced", err)
	}
	wantNone(t, e, row("a"))
	wantNone(t, e, row("n"))
	if recs := tail(t, e, 1, 0, 1); len(recs) != 0 {
		t.Errorf("the log holds %d records", len(recs))
	}
	put(t, e, row("a"), "free")
}

// testVersionOfRow checks rows of other lengths, and one that was there before anybody asked for its version.
func testVersionOfRow(t *testing.T, e kv.Engine) {
	bare, short := definition("bare"), definition("short")
	put(t, e, bare, string(version(7)[:8]))
	wantFence(t, e, bare, 7)
	put(t, e, short, "short")
	wantFence(t, e, short, 0)
}

func testSeveralFences(t *testing.T, e kv.Engine) {
	var fences []kv.Fence
	for i := range 20 {
		def := definition(fmt.Sprint(i))
		define(t, e, def, uint64(i+1))
		fences = append(fences, kv.Fence{Key: def, Version: uint64(i + 1)})
	}
	fences = append(fences, fences[3]) // twice
	if err := fenced(t, e, row("a"), fences...); err != nil {
		t.Fatalf("Update: %v", err)
	}
	for i := range fences {
		fences[i].Version++
		if err := fenced(t, e, row("a"), fences...); !errors.Is(err, kv.ErrFenced) {
			t.Errorf("with the wrong version in fence %d Update returned %v", i, err)
		}
		fences[i].Version--
	}
}

func testDefineOwnFence(t *testing.T, e kv.Engine) {
	def, other := definition("T"), definition("U")
	define(t, e, def, 1)
	define(t, e, other, 1)
	for n := uint64(1); n < 5; n++ {
		x := kv.Txn{
			Keys: [][]byte{def}, Define: [][]byte{def},
			Fence: []kv.Fence{{Key: def, Version: n}, {Key: other, Version: 1}},
		}
		update(t, e, x, write(func(b *kv.Batch) { b.Put(def, version(n+1)) }))
		if err := e.Update(t.Context(), x, write(func(b *kv.Batch) { b.Put(def, version(9)) })); !errors.Is(err, kv.ErrFenced) {
			t.Errorf("changing version %d again returned %v, want ErrFenced", n, err)
		}
	}
	wantFence(t, e, def, 5)
}

func testFailedDefine(t *testing.T, e kv.Engine) {
	def, mine := definition("T"), errors.New("no")
	define(t, e, def, 1)
	err := e.Update(t.Context(), kv.Txn{Keys: [][]byte{def}, Define: [][]byte{def}}, func(_ [][]byte, b *kv.Batch) error {
		b.Put(def, version(2))
		return mine
	})
	if err != mine {
		t.Errorf("Update returned %v", err)
	}
	wantFence(t, e, def, 1)
	update(t, e, kv.Txn{Keys: [][]byte{def}, Define: [][]byte{def}}, write(func(b *kv.Batch) { b.Put(row("b"), nil) }))
	wantFence(t, e, def, 1)
}

// testDefinitionRace changes a definition while others write rows planned with it. Once a change has returned, a scan
// sees all rows that were planned with older versions: none comes later.
func testDefinitionRace(t *testing.T, e kv.Engine) {
	const writers, changes = 4, 25
	def := definition("T")
	define(t, e, def, 1)
	var stop atomic.Bool
	counts := make([]int, changes+2) // rows of a version, when the next one was defined
	parallel(writers+1, func(i int) {
		if i < writers {
			for n := 0; !stop.Load(); n++ {
				plannedWrite(t, e, def, fmt.Sprintf("%d/%d", i, n))
			}
			return
		}
		defer stop.Store(true)
		for v := uint64(1); v <= changes; v++ {
			for len(planned(t, e, v)) < writers && !t.Failed() { // let them come
			}
			define(t, e, def, v+1)
			counts[v] = len(planned(t, e, v))
		}
	})
	for v := uint64(1); v <= changes; v++ {
		if got := len(planned(t, e, v)); got != counts[v] {
			t.Errorf("%d rows planned with version %d when it was changed, %d at the end", counts[v], v, got)
		}
	}
}

// plannedRow is the key of a row that was planned with a version.
func plannedRow(v uint64, name string) []byte { return row(fmt.Sprintf("%03d/%s", v, name)) }

// planned returns the rows that were planned with a version.
func planned(t *testing.T, e kv.Engine, v uint64) []kv.Pair {
	return scan(t, e, kv.Range{Lo: plannedRow(v, ""), Hi: plannedRow(v, "\xff")})
}

// plannedWrite reads the definition and puts a row that says with which version.
func plannedWrite(t *testing.T, e kv.Engine, def []byte, name string) {
	v := kv.Version(get(t, e, def))
	key := plannedRow(v, name)
	x := kv.Txn{Keys: [][]byte{key}, Fence: []kv.Fence{{Key: def, Version: v}}}
	err := e.Update(t.Context(), x, write(func(b *kv.Batch) { b.Put(key, nil) }))
	if err != nil && !errors.Is(err, kv.ErrFenced) {
		t.Errorf("Update: %v", err)
	}
}

// testManyDefinitions changes several definitions at once, each update being fenced by all of them in another order.
func testManyDefinitions(t *testing.T, e kv.Engine) {
	const defs, rounds = 6, 40
	def := func(i int) []byte { return definition(fmt.Sprint(i % defs)) }
	for i := range defs {
		define(t, e, def(i), 1)
	}
	parallel(defs, func(me int) {
		for range rounds {
			err := e.Update(t.Context(), rotated(t, e, me, def), func(vals [][]byte, b *kv.Batch) error {
				b.Put(def(me), version(kv.Version(vals[0])+1))
				return nil
			})
			if err != nil && !errors.Is(err, kv.ErrFenced) {
				t.Errorf("Update: %v", err)
			}
		}
	})
	for i := range defs {
		wantFence(t, e, def(i), kv.Version(get(t, e, def(i))))
	}
}

// rotated returns a Txn that defines one definition and is fenced by the others, beginning with the next.
func rotated(t *testing.T, e kv.Engine, me int, def func(int) []byte) kv.Txn {
	x := kv.Txn{Keys: [][]byte{def(me)}, Define: [][]byte{def(me)}}
	for i := me + 1; i < me+4; i++ {
		x.Fence = append(x.Fence, kv.Fence{Key: def(i), Version: kv.Version(get(t, e, def(i)))})
	}
	return x
}
