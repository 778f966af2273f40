package kvtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/grammedb/gramme/internal/kv"
)

var serialTests = []test{
	{"NoIncrementIsLost", testIncrements},
	{"NoWriteSkew", testWriteSkew},
	{"TransfersKeepTheSum", testTransfers},
	{"Linearizable", testLinearizable},
	{"NoDeadlock", testNoDeadlock},
}

// increment is an f that adds 1 to the number in the first key.
func increment(key []byte) func([][]byte, *kv.Batch) error {
	return func(vals [][]byte, b *kv.Batch) error {
		b.Put(key, strconv.AppendInt(nil, number(vals[0])+1, 10))
		return nil
	}
}

func number(val []byte) int64 {
	n, _ := strconv.ParseInt(string(val), 10, 64)
	return n
}

func testIncrements(t *testing.T, e kv.Engine) {
	const workers, each = 8, 50
	k := row("n")
	parallel(workers, func(int) {
		for range each {
			if err := e.Update(t.Context(), one(k), increment(k)); err != nil {
				t.Errorf("Update: %v", err)
			}
		}
	})
	wantVal(t, e, k, fmt.Sprint(workers*each))
}

// testWriteSkew lets two doctors go off call, each only if the other stays: a key that is only read must exclude too.
func testWriteSkew(t *testing.T, e kv.Engine) {
	on := errors.New("the other is off")
	for i := range 100 {
		keys := [][]byte{row(fmt.Sprint("a", i)), row(fmt.Sprint("b", i))}
		parallel(2, func(me int) {
			err := e.Update(t.Context(), one(keys...), func(vals [][]byte, b *kv.Batch) error {
				if vals[1-me] != nil {
					return on
				}
				b.Put(keys[me], []byte("off"))
				return nil
			})
			if err != nil && err != on {
				t.Errorf("Update: %v", err)
			}
		})
		off := 0
		for _, k := range keys {
			if get(t, e, k) != nil {
				off++
			}
		}
		if off != 1 {
			t.Fatalf("%d of two are off call, want 1", off)
		}
	}
}

// testTransfers moves money between accounts while others add it all up.
func testTransfers(t *testing.T, e kv.Engine) {
	const accounts, initial = 8, 100
	account := func(i int) []byte { return row(fmt.Sprint(i)) }
	for i := range accounts {
		put(t, e, account(i), fmt.Sprint(initial))
	}
	check := func(sum int64) {
		if sum != accounts*initial {
			t.Errorf("the accounts hold %d, want %d", sum, accounts*initial)
		}
	}
	parallel(6, func(worker int) {
		rng := rand.New(rand.NewPCG(uint64(worker), 0))
		for range 60 {
			if worker < 4 {
				from := rng.IntN(accounts)
				to := (from + 1 + rng.IntN(accounts-1)) % accounts
				transfer(t, e, account(from), account(to), worker == 0)
				continue
			}
			view(t, e, kv.ViewOpts{Pinned: worker == 4}, func(v kv.View) {
				var sum int64
				for _, p := range scanIn(t, v, rows()) {
					sum += number(p.Value)
				}
				check(sum)
			})
		}
	})
}

// transfer moves some of what the first account holds to the second.
func transfer(t *testing.T, e kv.Engine, from, to []byte, claim bool) {
	for {
		err := e.Update(t.Context(), kv.Txn{Keys: [][]byte{from, to}, Claim: claim}, func(vals [][]byte, b *kv.Batch) error {
			amount := number(vals[0]) / 2
			b.Put(from, strconv.AppendInt(nil, number(vals[0])-amount, 10))
			b.Put(to, strconv.AppendInt(nil, number(vals[1])+amount, 10))
			return nil
		})
		if conflict := new(kv.ConflictError); errors.As(err, &conflict) {
			continue
		}
		if err != nil {
			t.Errorf("Update: %v", err)
		}
		return
	}
}

// testNoDeadlock declares the same keys in all orders.
func testNoDeadlock(t *testing.T, e kv.Engine) {
	parallel(8, func(worker int) {
		rng := rand.New(rand.NewPCG(uint64(worker), 0))
		for range 50 {
			var x kv.Txn
			for _, i := range rng.Perm(6)[:3] {
				x.Keys = append(x.Keys, row(fmt.Sprint(i)))
			}
			if err := e.Update(t.Context(), x, increment(x.Keys[0])); err != nil {
				t.Errorf("Update: %v", err)
			}
		}
	})
	var sum int64
	for _, p := range scan(t, e, rows()) {
		sum += number(p.Value)
	}
	if sum != 8*50 {
		t.Errorf("%d increments, want %d", sum, 8*50)
	}
}

// access is what a client asked of a register: a read, or a write that also says what it replaced.
type access struct {
	key   int
	write string // "" is a read
}

// registers is the model of rows that are read and swapped.
var registers = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[int][]porcupine.Operation{}
		for _, op := range history {
			k := op.Input.(access).key
			byKey[k] = append(byKey[k], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		if w := input.(access).write; w != "" {
			return output == state, w
		}
		return output == state, state
	},
}

// testLinearizable checks that each read and each swap takes effect at one moment between its call and its return.
func testLinearizable(t *testing.T, e kv.Engine) {
	const clients, each, registerCount = 6, 60, 3
	var mu sync.Mutex
	var history []porcupine.Operation
	start := time.Now()
	parallel(clients, func(client int) {
		rng := rand.New(rand.NewPCG(uint64(client), 0))
		for i := range each {
			in := access{key: rng.IntN(registerCount)}
			if rng.IntN(2) == 0 {
				in.write = fmt.Sprint(client, "/", i)
			}
			op := porcupine.Operation{ClientId: client, Input: in, Call: time.Since(start).Nanoseconds()}
			op.Output = do(t, e, in)
			op.Return = time.Since(start).Nanoseconds()
			mu.Lock()
			history = append(history, op)
			mu.Unlock()
		}
	})
	if porcupine.CheckOperationsTimeout(registers, history, 30*time.Second) == porcupine.Illegal {
		t.Error("the history of reads and swaps is not linearizable")
	}
}

// do makes one access and returns the value that it found.
func do(t *testing.T, e kv.Engine, in access) (found string) {
	k := row(fmt.Sprint(in.key))
	if in.write == "" {
		return string(get(t, e, k))
	}
	err := e.Update(t.Context(), one(k), func(vals [][]byte, b *kv.Batch) error {
		found = string(vals[0])
		b.Put(k, []byte(in.write))
		return nil
	})
	if err != nil {
		t.Errorf("Update: %v", err)
	}
	return found
}
