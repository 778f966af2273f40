package linear

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/grammedb/gramme/tests/harness"
)

var rounds = flag.Int("rounds", 80, "how many rounds to run")

const (
	clients = 6
	each    = 12 // operations of a client in a round
)

// A history is what the clients of one round did.
type history struct {
	begin time.Time
	hints [items]atomic.Int64 // values that items had lately, for conditions that may hold
	last  atomic.Int64        // the newest value

	mu    sync.Mutex
	ops   []porcupine.Operation
	fault error
}

func (h *history) now() int64 { return int64(time.Since(h.begin)) }

// run does operations as one client until there are enough or stop is set.
func (h *history) run(ctx context.Context, id int, c *client, rng *rand.Rand, n int, stop *atomic.Bool) {
	for range n {
		if stop.Load() {
			return
		}
		in := h.input(rng)
		call := h.now()
		out, err := c.do(ctx, in)
		h.add(porcupine.Operation{ClientId: id, Input: in, Output: out, Call: call, Return: h.now()}, err)
		for i, seen := range out.cells {
			h.hints[in.actions[i].item].Store(seen.v)
		}
	}
}

func (h *history) add(op porcupine.Operation, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
	if err != nil {
		h.fault = err
	}
}

// input makes an operation.
func (h *history) input(rng *rand.Rand) input {
	switch rng.IntN(10) {
	case 0, 1:
		return input{kind: "get", actions: []action{{kind: "get", item: rng.IntN(items)}}}
	case 2:
		return input{kind: "transactget", actions: h.actions(rng, true)}
	case 3, 4, 5:
		in := input{kind: "transact", actions: h.actions(rng, false)}
		if rng.IntN(2) == 0 { // a few requests that several clients send
			in.token = 1 + rng.IntN(6)
			in.actions = []action{{kind: "add", item: in.token % 2, v: 1000}, {kind: "check", item: 2 + in.token%2, when: absent}}
			if in.token > 3 {
				in.actions[1] = action{kind: "add", item: 3, v: 1000}
			}
		}
		return in
	}
	a := h.action(rng, rng.IntN(items))
	for a.kind == "check" {
		a = h.action(rng, a.item)
	}
	return input{kind: "write", actions: []action{a}}
}

// actions makes actions on several items.
func (h *history) actions(rng *rand.Rand, reads bool) (all []action) {
	for _, item := range rng.Perm(items)[:2+rng.IntN(items-1)] {
		a := h.action(rng, item)
		if reads {
			a = action{kind: "get", item: item}
		}
		all = append(all, a)
	}
	return all
}

func (h *history) action(rng *rand.Rand, item int) action {
	a := action{kind: []string{"put", "add", "add", "delete", "check"}[rng.IntN(5)], item: item, v: h.last.Add(1)}
	switch rng.IntN(4) {
	case 0:
		a.when, a.than = equals, h.hints[item].Load()
	case 1:
		a.when = absent
	}
	if a.kind == "check" && a.when == always {
		a.when, a.than = equals, h.hints[item].Load()
	}
	return a
}

// check looks for an order in which the operations could have happened.
func (h *history) check(t *testing.T) {
	t.Helper()
	if h.fault != nil {
		t.Fatal(h.fault)
	}
	ops := slices.DeleteFunc(slices.Clone(h.ops), func(op porcupine.Operation) bool { return silent(op.Input.(input), op.Output.(output)) })
	switch porcupine.CheckOperationsTimeout(model, ops, 30*time.Second) {
	case porcupine.Unknown:
		t.Error("could not decide in time")
	case porcupine.Illegal:
		slices.SortFunc(h.ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
		var lines []string
		for _, op := range h.ops {
			lines = append(lines, fmt.Sprintf("%9d %9d  %s", op.Call, op.Return, describe(op.Input, op.Output)))
		}
		t.Fatalf("not linearizable:\n%s", strings.Join(lines, "\n"))
	}
}

// silent reports whether an operation has no effect and tells nothing of the state, and so fits everywhere.
func silent(in input, out output) bool {
	read := in.kind == "get" || in.kind == "transactget"
	return out.outcome == conflict || out.outcome == unknown && read
}

func start(t *testing.T, syncTime time.Duration) *harness.Node {
	t.Helper()
	n, err := harness.Start(harness.Config{Power: true, SyncTime: syncTime})
	if err != nil {
		t.Fatal(err)
	}
	if err := createTable(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLinearizable runs rounds of clients on fresh items.
func TestLinearizable(t *testing.T) {
	n := start(t, 50*time.Microsecond)
	defer n.Close()
	outcomes := map[string]int{}
	for r := range *rounds {
		h := &history{begin: time.Now()}
		h.all(t.Context(), &client{n, fmt.Sprint("round", r)}, uint64(r), new(atomic.Bool))
		h.check(t)
		for _, op := range h.ops {
			outcomes[fmt.Sprint(op.Input.(input).kind, " ", op.Output.(output).outcome)]++
		}
	}
	t.Logf("outcomes: %v", outcomes)
}

// all runs all clients of a round and waits for them.
func (h *history) all(ctx context.Context, c *client, seed uint64, stop *atomic.Bool) {
	var wg sync.WaitGroup
	for id := range clients {
		wg.Go(func() { h.run(ctx, id, c, rand.New(rand.NewPCG(seed, uint64(id))), each, stop) })
	}
	wg.Wait()
}

// TestPowerCut cuts the power while clients are at work, on a disk that is slow to sync: whatever was answered, be it only read,
// must be there after the restart.
func TestPowerCut(t *testing.T) {
	n := start(t, 300*time.Microsecond)
	for r := range *rounds / 2 {
		rng := rand.New(rand.NewPCG(uint64(r), 99))
		h := &history{begin: time.Now()}
		c := &client{n, fmt.Sprint("round", r)}
		var stop atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() { h.all(t.Context(), c, uint64(r), &stop) })
		time.Sleep(time.Duration(rng.Int64N(int64(8 * time.Millisecond)))) // when the power fails is nobody's choice
		stop.Store(true)                                                   // what goes on is what is under way, and not more than can be decided
		cut := h.now()
		after := n.After(rng.IntN(3)*50, rng)
		dark := h.now()
		wg.Wait()
		h.forget(cut, dark)
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if n = after; n.Open() != nil {
			t.Fatal("the store does not open after a power cut")
		}
		h.run(t.Context(), 100, &client{n, c.round}, rng, 3*items, new(atomic.Bool))
		h.check(t)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

// forget makes operations that were under way when the power was cut such as may have happened, and drops those that came
// after it was dark.
func (h *history) forget(cut, dark int64) {
	h.ops = slices.DeleteFunc(h.ops, func(op porcupine.Operation) bool { return op.Call > dark })
	for i := range h.ops {
		if op := &h.ops[i]; op.Return >= cut {
			op.Output, op.Return = output{}, math.MaxInt64
		}
	}
}
