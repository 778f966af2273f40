// Package kvtest is the suite that every storage engine passes: what the comments on kv.Engine promise, as tests.
package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A test checks one promise on an empty engine.
type test struct {
	name string
	run  func(t *testing.T, e kv.Engine)
}

// Run tests engines. Open returns a new and empty one at each call; Run closes it.
func Run(t *testing.T, open func(t *testing.T) kv.Engine) {
	groups := []struct {
		name  string
		tests []test
	}{
		{"Update", updateTests},
		{"View", viewTests},
		{"Serial", serialTests},
		{"Fence", fenceTests},
		{"Claim", claimTests},
		{"Counter", counterTests},
		{"Log", logTests},
		{"Lifetime", lifetimeTests},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.tests {
				t.Run(c.name, func(t *testing.T) {
					e := open(t)
					defer shut(t, e)
					c.run(t, e)
				})
			}
		})
	}
}

// shut closes an engine that a test may have closed.
func shut(t *testing.T, e kv.Engine) {
	t.Helper()
	if err := e.Close(); err != nil && !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Close: %v", err)
	}
}

// row returns the key of a row of the test's table; they are one item collection, ordered by name.
func row(name string) []byte { return rowOf(1, name) }

func rowOf(table uint64, name string) []byte {
	return append(keys.AppendPartition(keys.AppendSpace(nil, table, 0), []byte("p")), name...)
}

// rows returns the range of all rows of the test's table.
func rows() kv.Range {
	space := keys.AppendSpace(nil, 1, 0)
	return kv.Range{Lo: space, Hi: keys.Next(space)}
}

func definition(name string) []byte { return keys.Definition("000000000000", "us-east-1", name) }

// one is a Txn that declares keys.
func one(ks ...[]byte) kv.Txn { return kv.Txn{Keys: ks} }

// write returns an f that fills the batch without looking.
func write(fill func(b *kv.Batch)) func([][]byte, *kv.Batch) error {
	return func(_ [][]byte, b *kv.Batch) error {
		fill(b)
		return nil
	}
}

// update runs an Update that must succeed.
func update(t *testing.T, e kv.Engine, x kv.Txn, f func(vals [][]byte, b *kv.Batch) error) {
	t.Helper()
	if err := e.Update(t.Context(), x, f); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func put(t *testing.T, e kv.Engine, key []byte, val string) {
	t.Helper()
	update(t, e, one(key), write(func(b *kv.Batch) { b.Put(key, []byte(val)) }))
}

func del(t *testing.T, e kv.Engine, key []byte) {
	t.Helper()
	update(t, e, one(key), write(func(b *kv.Batch) { b.Delete(key) }))
}

// view runs f with a view and closes it.
func view(t *testing.T, e kv.Engine, o kv.ViewOpts, f func(v kv.View)) {
	t.Helper()
	v, err := e.View(t.Context(), o)
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	f(v)
	if err := v.Close(); err != nil {
		t.Fatalf("Close of a view: %v", err)
	}
}

// get returns the value under a key, nil if there is none.
func get(t *testing.T, e kv.Engine, key []byte) (val []byte) {
	t.Helper()
	view(t, e, kv.ViewOpts{}, func(v kv.View) { val = getIn(t, v, key) })
	return val
}

func getIn(t *testing.T, v kv.View, key []byte) []byte {
	t.Helper()
	val, err := v.Get(key)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return bytes.Clone(val)
}

// wantVal checks the value under a key.
func wantVal(t *testing.T, e kv.Engine, key []byte, want string) {
	t.Helper()
	if got := get(t, e, key); got == nil || string(got) != want {
		t.Fatalf("value of %q is %q (nil: %v), want %q", key, got, got == nil, want)
	}
}

// wantNone checks that there is no value under a key.
func wantNone(t *testing.T, e kv.Engine, key []byte) {
	t.Helper()
	if got := get(t, e, key); got != nil {
		t.Fatalf("value of %q is %q, want none", key, got)
	}
}

// scan returns the pairs in a range.
func scan(t *testing.T, e kv.Engine, r kv.Range) (pairs []kv.Pair) {
	t.Helper()
	view(t, e, kv.ViewOpts{}, func(v kv.View) { pairs = scanIn(t, v, r) })
	return pairs
}

func scanIn(t *testing.T, v kv.View, r kv.Range) []kv.Pair {
	t.Helper()
	it, err := v.Scan(r)
	if err != nil {
		t.Fatalf("Scan: %v", err)
	}
	var pairs []kv.Pair
	for it.Next() {
		pairs = append(pairs, kv.Pair{Key: bytes.Clone(it.Key()), Value: bytes.Clone(it.Value())})
	}
	if err := it.Close(); err != nil {
		t.Fatalf("Close of an iterator: %v", err)
	}
	return pairs
}

// text prints the names and values of rows.
func text(pairs []kv.Pair) string {
	var b bytes.Buffer
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s=%s", bytes.TrimPrefix(p.Key, row("")), p.Value)
	}
	return b.String()
}

// parallel runs f(0) to f(n-1) beside each other and waits for all.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// hold starts an Update that stays in f, and returns once it is there. Release lets it go on and returns its error.
func hold(ctx context.Context, e kv.Engine, x kv.Txn, f func(vals [][]byte, b *kv.Batch) error) (release func() error) {
	inside, proceed, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		done <- e.Update(ctx, x, func(vals [][]byte, b *kv.Batch) error {
			once.Do(func() { close(inside) })
			<-proceed
			return f(vals, b)
		})
	}()
	<-inside
	return func() error {
		close(proceed)
		return <-done
	}
}
