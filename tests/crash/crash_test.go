package crash

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/grammedb/gramme/tests/harness"
)

var cycles = flag.Int("cycles", 50, "how often the server is killed")

func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := startServer(t, dir)
	if err := fill(newClient(s)); err != nil {
		t.Fatal(err)
	}
	workers := crew()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for cycle := range *cycles {
		run(t, s, workers, time.Duration(30+rng.IntN(250))*time.Millisecond)
		if cycle%10 == 9 {
			audit(t, dir)
		}
		s = startServer(t, dir)
		check(t, s, workers, cycle%5 == 4)
		if t.Failed() {
			t.Fatalf("after %d cycles; the server's log:\n%s", cycle+1, s.log)
		}
	}
	finish(t, newClient(s), workers)
	s.kill()
	audit(t, dir)
}

// finish looks at the work of all cycles and tells what there was to see.
func finish(t *testing.T, c *client, workers []worker) {
	t.Helper()
	for _, w := range workers {
		switch w := w.(type) {
		case *putter:
			if err := w.checkAll(c); err != nil {
				t.Error(err)
			}
			t.Logf("%s: %d cycles, %d items in the last", w.name, w.cycle, w.done[w.cycle])
		case *trader:
			t.Logf("%s: %d transactions, %d of them sent again", w.name, w.value, w.resent)
		case *follower:
			t.Logf("follower: %d records in %d shards", w.records, w.shards)
		case *mortal:
			if err := w.finish(c); err != nil {
				t.Error(err)
			}
			t.Logf("mortal: %d items, of which %d had to expire", w.count, w.count/2)
		case *indexer:
			t.Logf("indexer: %d times the index was being built at a restart", w.resumed)
		}
	}
}

func crew() []worker {
	workers := []worker{&indexer{}, &dropper{name: "Doomed"}, &mortal{}}
	for i := range 2 {
		workers = append(workers,
			&putter{name: fmt.Sprint("putter", i), done: map[int]int{}},
			&counter{name: fmt.Sprint("counter", i)},
			&toggler{name: fmt.Sprint("toggler", i), pending: -1},
			&trader{name: fmt.Sprint("trader", i)},
		)
	}
	return append(workers, newFollower()) // last: it checks what the others have done in their checks, too
}

// run lets all work for a while and kills the server under them.
func run(t *testing.T, s *server, workers []worker, d time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() {
			err := w.work(newClient(s))
			_, answered := errors.AsType[*remote](err)
			if answered || errors.Is(err, errFault) {
				t.Errorf("%T: %v", w, err)
			}
		})
	}
	time.Sleep(d) // a crash comes when it comes
	s.kill()
	wg.Wait()
}

// check lets all look at what is left of their work.
func check(t *testing.T, s *server, workers []worker, indexes bool) {
	t.Helper()
	c := newClient(s)
	for _, w := range workers {
		if err := w.check(c); err != nil {
			t.Errorf("%T: %v", w, err)
		}
	}
	if !indexes {
		return
	}
	if err := checkIndexes(c); err != nil {
		t.Error(err)
	}
}

// audit opens the store of a killed server from inside, lets what was under way finish, and looks at everything that is stored.
func audit(t *testing.T, dir string) {
	t.Helper()
	n, err := harness.Start(harness.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // a slow machine with the race detector
	defer cancel()
	faults, err := n.Audit(ctx)
	if err != nil {
		t.Error(err)
	}
	for _, f := range faults[:min(10, len(faults))] {
		t.Errorf("audit: %s", f)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
