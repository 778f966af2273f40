package job

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errDisk = errors.New("disk is sulking")

// newRunner returns a Runner and what it logs.
func newRunner() (*Runner, *bytes.Buffer) {
	var out bytes.Buffer
	return New(slog.New(slog.NewTextHandler(&out, nil))), &out
}

func TestGoRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := newRunner()
		n := 0
		if !r.Go("once", func(context.Context) error { n++; return nil }) {
			t.Fatal("not started")
		}
		synctest.Wait()
		if n != 1 || r.Running("once") {
			t.Errorf("runs = %d, still running = %v; want 1, false", n, r.Running("once"))
		}
		r.Close()
		if out.Len() > 0 {
			t.Errorf("logged %q, want nothing", out)
		}
	})
}

func TestGoTriesAgainWithGrowingPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := newRunner()
		begin := time.Now()
		var at []time.Duration
		r.Go("stubborn", func(context.Context) error {
			at = append(at, time.Since(begin))
			if len(at) < 4 {
				return errDisk
			}
			return nil
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		r.Close()
		want := []time.Duration{0, firstPause, 3 * firstPause, 7 * firstPause}
		if len(at) != len(want) {
			t.Fatalf("attempts at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("attempt %d at %v, want %v", i, at[i], want[i])
			}
		}
		if got := strings.Count(out.String(), errDisk.Error()); got != 3 {
			t.Errorf("%d log lines name the error, want 3:\n%s", got, out)
		}
	})
}

func TestPauseIsBoundedAndStartsAgainAfterAHealthyRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRunner()
		var ends, begins []time.Time
		r.Go("flaky", func(ctx context.Context) error {
			begins = append(begins, time.Now())
			if len(begins) == 20 {
				time.Sleep(2 * healthyAfter)
			}
			ends = append(ends, time.Now())
			return errDisk
		})
		time.Sleep(time.Hour)
		r.Close()
		longest := time.Duration(0)
		for i := 1; i < len(begins); i++ {
			longest = max(longest, begins[i].Sub(ends[i-1]))
		}
		if longest != maxPause {
			t.Errorf("longest pause = %v, want %v", longest, maxPause)
		}
		if got := begins[20].Sub(ends[19]); got != firstPause {
			t.Errorf("pause after a healthy run = %v, want %v", got, firstPause)
		}
	})
}

func TestPanicIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := newRunner()
		n := 0
		r.Go("clumsy", func(context.Context) error {
			if n++; n == 1 {
				panic("tripped")
			}
			return nil
		})
		time.Sleep(time.Second)
		r.Close()
		if n != 2 {
			t.Errorf("runs = %d, want 2", n)
		}
		for _, want := range []string{"panic: tripped", "job_test.go", "job=clumsy"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, out)
			}
		}
	})
}

func TestNamesAreExclusiveWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRunner()
		defer r.Close()
		free := make(chan struct{})
		hold := func(context.Context) error { <-free; return nil }
		if !r.Go("backfill orders", hold) {
			t.Fatal("first start refused")
		}
		if r.Go("backfill orders", hold) || r.Every("backfill orders", time.Second, hold) {
			t.Error("second start of the same name accepted")
		}
		if !r.Go("backfill users", hold) {
			t.Error("another name refused")
		}
		close(free)
		synctest.Wait()
		if !r.Go("backfill orders", hold) {
			t.Error("start after the end refused")
		}
	})
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := newRunner()
		begin := time.Now()
		var at []time.Duration
		r.Every("sweep", 10*time.Second, func(context.Context) error {
			at = append(at, time.Since(begin))
			switch len(at) {
			case 1:
				return errDisk
			case 2:
				panic("tripped")
			}
			return nil
		})
		time.Sleep(45 * time.Second)
		r.Close()
		want := []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second, 40 * time.Second}
		if len(at) != len(want) {
			t.Fatalf("runs at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("run %d at %v, want %v", i, at[i], want[i])
			}
		}
		if got := strings.Count(out.String(), "level=ERROR"); got != 2 {
			t.Errorf("%d errors logged, want 2:\n%s", got, out)
		}
	})
}

func TestEveryNeverOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRunner()
		active, n := 0, 0
		r.Every("slow", time.Second, func(context.Context) error {
			if active++; active > 1 {
				t.Error("two runs at once")
			}
			time.Sleep(2500 * time.Millisecond)
			active--
			n++
			return nil
		})
		time.Sleep(10 * time.Second)
		r.Close()
		if n < 3 {
			t.Errorf("runs = %d, want at least 3", n)
		}
	})
}

func TestCloseWaitsAndTellsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := newRunner()
		var cause error
		stopped := false
		r.Go("follower", func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			time.Sleep(3 * time.Second) // something to put in order first
			stopped = true
			return ctx.Err()
		})
		synctest.Wait()
		r.Close()
		if !stopped {
			t.Error("Close returned before the work had stopped")
		}
		if !errors.Is(cause, ErrClosed) {
			t.Errorf("cause = %v, want ErrClosed", cause)
		}
		if out.Len() > 0 {
			t.Errorf("a stop was logged as a failure: %s", out)
		}
		r.Close()
		if r.Go("late", func(context.Context) error { t.Error("ran after Close"); return nil }) {
			t.Error("start after Close accepted")
		}
	})
}

func TestCloseEndsAPauseAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRunner()
		r.Go("stubborn", func(context.Context) error { return errDisk })
		time.Sleep(time.Minute)
		begin := time.Now()
		r.Close()
		if d := time.Since(begin); d != 0 {
			t.Errorf("Close took %v, want no wait", d)
		}
	})
}
