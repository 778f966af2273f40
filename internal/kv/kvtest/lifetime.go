package kvtest

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

var lifetimeTests = []test{
	{"EverythingFailsAfterClose", testClosed},
	{"CloseWaitsForAnUpdate", testCloseWaitsUpdate},
	{"CloseWaitsForAView", testCloseWaitsView},
	{"CloseBesideCalls", testCloseRace},
}

func testClosed(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "1")
	if err := e.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	ctx := context.Background()
	_, viewErr := e.View(ctx, kv.ViewOpts{})
	_, _, tailErr := e.TailLog(ctx, 1, 0, 1)
	for what, err := range map[string]error{
		"Update":      e.Update(ctx, one(row("a")), write(func(*kv.Batch) {})),
		"View":        viewErr,
		"TailLog":     tailErr,
		"TrimLog":     e.TrimLog(ctx, 1, 1),
		"DeleteRange": e.DeleteRange(ctx, row("a"), row("b")),
		"PreSplit":    e.PreSplit(ctx, nil),
		"Close":       e.Close(),
	} {
		if !errors.Is(err, kv.ErrClosed) {
			t.Errorf("%s returned %v, want ErrClosed", what, err)
		}
	}
}

func testCloseWaitsUpdate(t *testing.T, e kv.Engine) {
	var released atomic.Bool
	release := hold(t.Context(), e, one(row("a")), write(func(b *kv.Batch) { b.Put(row("a"), nil) }))
	closed := make(chan error)
	go func() {
		err := e.Close()
		if !released.Load() {
			t.Error("Close returned while an Update ran")
		}
		closed <- err
	}()
	awaitClose(t, e)
	released.Store(true)
	if err := release(); err != nil {
		t.Errorf("Update: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}

// awaitClose returns once Close has begun: nobody is let in any more.
func awaitClose(t *testing.T, e kv.Engine) {
	for !errors.Is(e.PreSplit(t.Context(), nil), kv.ErrClosed) {
		runtime.Gosched()
	}
}

func testCloseWaitsView(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "1")
	v, err := e.View(t.Context(), kv.ViewOpts{Pinned: true})
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- e.Close() }()
	awaitClose(t, e)
	if got := getIn(t, v, row("a")); string(got) != "1" {
		t.Errorf("value is %q", got)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}

// testCloseRace closes an engine under load: calls succeed or fail with ErrClosed.
func testCloseRace(t *testing.T, e kv.Engine) {
	var done atomic.Int64
	parallel(5, func(i int) {
		if i == 0 {
			for done.Load() < 20 && !t.Failed() {
				runtime.Gosched()
			}
			if err := e.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			return
		}
		for {
			if err := readAndWrite(e); errors.Is(err, kv.ErrClosed) {
				return
			} else if err != nil {
				t.Error(err)
			}
			done.Add(1)
		}
	})
}

func readAndWrite(e kv.Engine) error {
	ctx, k := context.Background(), row("a")
	if err := e.Update(ctx, one(k), increment(k)); err != nil {
		return err
	}
	v, err := e.View(ctx, kv.ViewOpts{})
	if err != nil {
		return err
	}
	_, err = v.Get(k)
	return errors.Join(err, v.Close())
}
