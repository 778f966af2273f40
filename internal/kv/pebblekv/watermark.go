package pebblekv

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/grammedb/gramme/internal/kv"
)

// A watermark numbers commits and knows the number up to which all are durable.
type watermark struct {
	issued  atomic.Uint64 // the newest number
	durable atomic.Uint64 // all commits up to this one are durable
	overlap atomic.Uint64 // how many began when another was not yet durable
	failed  chan struct{} // closed when numbers issued may never become durable

	mu      sync.Mutex
	done    []bool   // done[n%len] says whether n is durable, for durable < n <= durable+len; the length is a power of two
	waiters []waiter // by ascending number
}

// A waiter waits for a number; ready is closed when it is durable.
type waiter struct {
	n     uint64
	ready chan struct{}
}

func newWatermark() *watermark {
	return &watermark{failed: make(chan struct{}), done: make([]bool, 64)}
}

// begin numbers a commit that is about to be applied.
func (w *watermark) begin() uint64 {
	n := w.issued.Add(1)
	if n > w.durable.Load()+1 {
		w.overlap.Add(1)
	}
	return n
}

// finish says that commit n is durable.
func (w *watermark) finish(n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.grow(n)
	w.done[w.slot(n)] = true
	low := w.durable.Load()
	for w.done[w.slot(low+1)] {
		low++
		w.done[w.slot(low)] = false
	}
	w.durable.Store(low)
	woken := 0
	for woken < len(w.waiters) && w.waiters[woken].n <= low {
		close(w.waiters[woken].ready)
		woken++
	}
	w.waiters = slices.Delete(w.waiters, 0, woken)
}

func (w *watermark) slot(n uint64) uint64 { return n & uint64(len(w.done)-1) }

// grow makes room for n and one number more, at which finish may look.
func (w *watermark) grow(n uint64) {
	low := w.durable.Load()
	size := uint64(len(w.done))
	for n-low >= size {
		size *= 2
	}
	if size == uint64(len(w.done)) {
		return
	}
	done := make([]bool, size)
	for i := low + 1; i <= low+uint64(len(w.done)); i++ {
		done[i&(size-1)] = w.done[w.slot(i)]
	}
	w.done = done
}

// wait returns when commit n is durable. It fails with ctx's error, or kv.ErrUnknown if that will never be known.
func (w *watermark) wait(ctx context.Context, n uint64) error {
	if n <= w.durable.Load() {
		return nil
	}
	ready := w.join(n)
	if ready == nil {
		return nil
	}
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		w.quit(ready)
		return ctx.Err()
	case <-w.failed:
		return kv.ErrUnknown
	}
}

// join adds a waiter for n; it returns nil if n is durable by now.
func (w *watermark) join(n uint64) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n <= w.durable.Load() {
		return nil
	}
	at := len(w.waiters)
	for at > 0 && w.waiters[at-1].n > n { // numbers come in nearly ascending order
		at--
	}
	ready := make(chan struct{})
	w.waiters = slices.Insert(w.waiters, at, waiter{n, ready})
	return ready
}

// quit removes a waiter.
func (w *watermark) quit(ready chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiters = slices.DeleteFunc(w.waiters, func(o waiter) bool { return o.ready == ready })
}
