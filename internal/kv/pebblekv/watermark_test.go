package pebblekv

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/grammedb/gramme/internal/kv"
)

// TestWatermarkInAnyOrder finishes commits in random order and compares with a plain set.
func TestWatermarkInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		w := newWatermark()
		open, done := []uint64{}, map[uint64]bool{}
		for range 500 {
			if len(open) == 0 || len(open) < 300 && rng.IntN(2) == 0 {
				open = append(open, w.begin())
				continue
			}
			i := rng.IntN(len(open))
			n := open[i]
			open[i] = open[len(open)-1]
			open = open[:len(open)-1]
			w.finish(n)
			done[n] = true
			low := uint64(0)
			for done[low+1] {
				low++
			}
			if got := w.durable.Load(); got != low {
				t.Fatalf("after %d: durable up to %d, want %d", n, got, low)
			}
		}
	}
}

func TestWatermarkWakesWhoItShould(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatermark()
		for range 4 {
			w.begin()
		}
		var woken [5]bool
		for _, n := range []uint64{3, 1, 4, 2, 0} {
			go func() {
				if err := w.wait(t.Context(), n); err != nil {
					t.Errorf("wait: %v", err)
				}
				woken[n] = true
			}()
		}
		for _, c := range []struct {
			finish uint64
			want   [5]bool
		}{
			{3, [5]bool{true, false, false, false, false}},
			{1, [5]bool{true, true, false, false, false}},
			{2, [5]bool{true, true, true, true, false}},
			{4, [5]bool{true, true, true, true, true}},
		} {
			w.finish(c.finish)
			synctest.Wait()
			if woken != c.want {
				t.Errorf("after commit %d awake: %v, want %v", c.finish, woken, c.want)
			}
		}
		if len(w.waiters) != 0 {
			t.Errorf("%d waiters are left", len(w.waiters))
		}
	})
}

func TestWatermarkGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatermark()
		w.begin()
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		go func() { errs <- w.wait(ctx, 1) }()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) || len(w.waiters) != 0 {
			t.Errorf("wait returned %v and left %d waiters", err, len(w.waiters))
		}
		go func() { errs <- w.wait(t.Context(), 1) }()
		synctest.Wait()
		close(w.failed)
		if err := <-errs; !errors.Is(err, kv.ErrUnknown) {
			t.Errorf("wait returned %v, want ErrUnknown", err)
		}
	})
}

func TestWatermarkConcurrently(t *testing.T) {
	w := newWatermark()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				n := w.begin()
				w.finish(n)
				if err := w.wait(t.Context(), n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := w.durable.Load(); got != 8*500 {
		t.Errorf("durable up to %d, want %d", got, 8*500)
	}
}

// TestOverlap counts the commits that began when another was not durable.
func TestOverlap(t *testing.T) {
	w := newWatermark()
	for range 3 {
		w.finish(w.begin())
	}
	if n := w.overlap.Load(); n != 0 {
		t.Errorf("%d of three commits in a row overlap", n)
	}
	first, second := w.begin(), w.begin()
	w.finish(second)
	third := w.begin() // the first is still on its way
	w.finish(first)
	w.finish(third)
	w.finish(w.begin())
	if n := w.overlap.Load(); n != 2 {
		t.Errorf("%d commits overlap, want 2", n)
	}
}
