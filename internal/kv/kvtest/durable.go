package kvtest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A reopenTest checks what is left of an engine that is closed and opened again. Reopen does both; the engine that it was
// given before is not used any more.
type reopenTest struct {
	name string
	run  func(t *testing.T, reopen func() kv.Engine)
}

// RunDurable tests engines that keep what they are told. Open opens the one in a directory, which is empty at first.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) kv.Engine) {
	for _, c := range []reopenTest{
		{"Rows", testReopenRows},
		{"Counters", testReopenCounters},
		{"LogGoesOn", testReopenLog},
		{"TrimmedLogGoesOn", testReopenTrimmed},
		{"Definitions", testReopenDefinitions},
		{"NoSync", testReopenNoSync},
		{"RandomAgainstModel", testReopenRandom},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			var e kv.Engine
			c.run(t, func() kv.Engine {
				if e != nil {
					shut(t, e)
				}
				e = open(t, dir)
				return e
			})
			shut(t, e)
		})
	}
}

func testReopenRows(t *testing.T, reopen func() kv.Engine) {
	e := reopen()
	put(t, e, row("a"), "1")
	put(t, e, row("b"), "1")
	put(t, e, row("c"), "1")
	del(t, e, row("a"))
	if err := e.DeleteRange(t.Context(), row("c"), row("d")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e = reopen()
		if got := text(scan(t, e, rows())); got != "b=1" {
			t.Fatalf("the rows are %s", got)
		}
	}
	put(t, e, row("b"), "2")
	wantVal(t, reopen(), row("b"), "2")
}

func testReopenCounters(t *testing.T, reopen func() kv.Engine) {
	for i := range int64(4) {
		e := reopen()
		wantCount(t, e, counter(keys.Items), i*6)
		for d := range int64(4) {
			add(t, e, counter(keys.Items), d)
		}
	}
}

func testReopenLog(t *testing.T, reopen func() kv.Engine) {
	want := ""
	var e kv.Engine
	for i := range 4 {
		e = reopen()
		appendLog(t, e, 1, fmt.Sprint(i), "x")
		want += fmt.Sprint(" ", i, " x")
	}
	wantData(t, tailAll(t, e, 1, 0), want[1:])
}

func testReopenTrimmed(t *testing.T, reopen func() kv.Engine) {
	var end kv.Pos
	for range 4 {
		e := reopen()
		appendLog(t, e, 1, "a", "b")
		recs := tailAll(t, e, 1, end)
		wantData(t, recs, "a b")
		end = recs[1].Pos
		if err := e.TrimLog(t.Context(), 1, end); err != nil {
			t.Fatal(err)
		}
	}
	e := reopen()
	wantData(t, tailAll(t, e, 1, end), "")
	if _, _, err := e.TailLog(t.Context(), 1, end-1, 1); err == nil {
		t.Error("what was trimmed is back")
	}
}

func testReopenDefinitions(t *testing.T, reopen func() kv.Engine) {
	def := definition("T")
	for n := range uint64(4) {
		e := reopen()
		wantFence(t, e, def, n)
		define(t, e, def, n+1)
	}
}

func testReopenNoSync(t *testing.T, reopen func() kv.Engine) {
	e := reopen()
	for i := range 50 {
		update(t, e, kv.Txn{NoSync: true}, write(func(b *kv.Batch) { b.Put(row(fmt.Sprint(i)), nil) }))
	}
	if got := len(scan(t, reopen(), rows())); got != 50 {
		t.Errorf("%d rows are left of 50", got)
	}
}

func testReopenRandom(t *testing.T, reopen func() kv.Engine) {
	rng := rand.New(rand.NewPCG(3, 4))
	m := model{}
	for range 6 {
		e := reopen()
		m.compare(t, e)
		for range 60 {
			m.step(t, e, rng)
		}
	}
	m.compare(t, reopen())
}
