package kvtest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

var logTests = []test{
	{"RecordsComeInOrder", testLogOrder},
	{"ShardsAreApart", testLogShards},
	{"SeveralRecordsInOneBatch", testLogBatch},
	{"EmptyLog", testLogEmpty},
	{"LimitAndNext", testLogLimit},
	{"LargeRecords", testLogLarge},
	{"NewestIsTheEnd", testNewest},
	{"TailMissesNothing", testTail},
	{"LogOrderIsCommitOrder", testLogCommitOrder},
	{"RecordIsOfTheSameCommit", testLogAtomic},
	{"Trim", testTrim},
	{"TrimAllKeepsPositions", testTrimAll},
	{"TrimForgetsAShard", testForget},
	{"TrimBesideWritersAndTails", testTrimRace},
}

func appendLog(t *testing.T, e kv.Engine, shard uint64, data ...string) {
	t.Helper()
	update(t, e, kv.Txn{}, write(func(b *kv.Batch) {
		for _, d := range data {
			b.Append(shard, []byte(d))
		}
	}))
}

func tail(t *testing.T, e kv.Engine, shard uint64, after kv.Pos, limit int) []kv.Record {
	t.Helper()
	recs, _, err := e.TailLog(t.Context(), shard, after, limit)
	if err != nil {
		t.Fatalf("TailLog: %v", err)
	}
	return recs
}

// tailAll reads a log from a position to its end and checks that it is a chain.
func tailAll(t *testing.T, e kv.Engine, shard uint64, after kv.Pos) (all []kv.Record) {
	t.Helper()
	for {
		recs, next, err := e.TailLog(t.Context(), shard, after, 7)
		if err != nil {
			t.Fatalf("TailLog: %v", err)
		}
		if len(recs) == 0 {
			return all
		}
		wantChain(t, after, next, recs)
		all, after = append(all, recs...), next
	}
}

// wantChain checks that records follow a position without a gap.
func wantChain(t *testing.T, after, next kv.Pos, recs []kv.Record) {
	t.Helper()
	for _, r := range recs {
		if r.Prev != after || r.Pos <= after {
			t.Fatalf("after position %d comes a record at %d that follows %d", after, r.Pos, r.Prev)
		}
		after = r.Pos
	}
	if next != after {
		t.Fatalf("the last record is at %d, the next position is %d", after, next)
	}
}

func wantData(t *testing.T, recs []kv.Record, want string) {
	t.Helper()
	var got []string
	for _, r := range recs {
		got = append(got, string(r.Data))
	}
	if strings.Join(got, " ") != want {
		t.Fatalf("the log holds %q, want %q", got, want)
	}
}

func testLogOrder(t *testing.T, e kv.Engine) {
	for i := range 10 {
		appendLog(t, e, 1, fmt.Sprint(i))
	}
	appendLog(t, e, 1, "", "end")
	recs := tailAll(t, e, 1, 0)
	wantData(t, recs, "0 1 2 3 4 5 6 7 8 9  end")
	wantData(t, tailAll(t, e, 1, recs[7].Pos), "8 9  end")
}

func testLogShards(t *testing.T, e kv.Engine) {
	update(t, e, kv.Txn{}, write(func(b *kv.Batch) {
		b.Append(1, []byte("a"))
		b.Append(1<<64-1, []byte("x"))
		b.Append(2, []byte("p"))
		b.Append(1, []byte("b"))
	}))
	appendLog(t, e, 1<<64-1, "y")
	appendLog(t, e, 0, "0")
	wantData(t, tailAll(t, e, 1, 0), "a b")
	wantData(t, tailAll(t, e, 2, 0), "p")
	wantData(t, tailAll(t, e, 1<<64-1, 0), "x y")
	wantData(t, tailAll(t, e, 0, 0), "0")
	if err := e.TrimLog(t.Context(), 1, 100); err != nil {
		t.Fatal(err)
	}
	wantData(t, tailAll(t, e, 2, 0), "p")
	wantData(t, tailAll(t, e, 0, 0), "0")
}

func testLogBatch(t *testing.T, e kv.Engine) {
	var want []string
	update(t, e, kv.Txn{}, write(func(b *kv.Batch) {
		for i := range 100 {
			want = append(want, fmt.Sprint(i))
			b.Append(1, []byte(want[i]))
		}
	}))
	wantData(t, tailAll(t, e, 1, 0), strings.Join(want, " "))
}

func testLogEmpty(t *testing.T, e kv.Engine) {
	recs, next, err := e.TailLog(t.Context(), 5, 0, 10)
	if len(recs) != 0 || next != 0 || err != nil {
		t.Errorf("TailLog of an empty log: %v, %d, %v", recs, next, err)
	}
	if err := e.TrimLog(t.Context(), 5, 3); err != nil {
		t.Errorf("TrimLog of an empty log: %v", err)
	}
	appendLog(t, e, 5, "first")
	wantData(t, tailAll(t, e, 5, 0), "first")
}

func testLogLimit(t *testing.T, e kv.Engine) {
	appendLog(t, e, 1, "a", "b", "c")
	for limit := range 5 {
		recs, next, err := e.TailLog(t.Context(), 1, 0, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) != min(limit, 3) {
			t.Errorf("limit %d: %d records", limit, len(recs))
		}
		wantChain(t, 0, next, recs)
	}
	end := tailAll(t, e, 1, 0)[2].Pos
	recs, next, err := e.TailLog(t.Context(), 1, end, 10)
	if len(recs) != 0 || next != end || err != nil {
		t.Errorf("TailLog at the end: %v, %d, %v", recs, next, err)
	}
	appendLog(t, e, 1, "d")
	wantData(t, tailAll(t, e, 1, end), "d")
}

func testNewest(t *testing.T, e kv.Engine) {
	want := func(when string, want kv.Pos) {
		t.Helper()
		recs, pos, err := e.TailLog(t.Context(), 1, kv.Newest, 10)
		if len(recs) != 0 || pos != want || err != nil {
			t.Errorf("%s the end is at %d (%d records, %v), want %d", when, pos, len(recs), err, want)
		}
	}
	want("in an empty log", 0)
	appendLog(t, e, 1, "a", "b")
	end := tailAll(t, e, 1, 0)[1].Pos
	want("after two records", end)
	for _, upTo := range []kv.Pos{end - 1, end} {
		if err := e.TrimLog(t.Context(), 1, upTo); err != nil {
			t.Fatal(err)
		}
		want("after a trim", end)
	}
	appendLog(t, e, 1, "c")
	want("after one more", tailAll(t, e, 1, end)[0].Pos)
}

func testLogLarge(t *testing.T, e kv.Engine) {
	large := strings.Repeat("x", 800<<10)
	for i := range 12 {
		appendLog(t, e, 1, fmt.Sprint(i, large))
	}
	for i, r := range tailAll(t, e, 1, 0) {
		if string(r.Data) != fmt.Sprint(i, large) {
			t.Fatalf("record %d of %d bytes is another", i, len(r.Data))
		}
	}
}

// testTail follows a log that many write to. What each of them has written comes in its order, once, without a gap.
func testTail(t *testing.T, e kv.Engine) {
	const writers, each = 6, 60
	parallel(writers+1, func(i int) {
		if i < writers {
			for n := range each {
				appendLog(t, e, 1, fmt.Sprintf("%d %d", i, n))
			}
			return
		}
		var next [writers]int
		var after kv.Pos
		for total := 0; total < writers*each && !t.Failed(); {
			recs, pos, err := e.TailLog(t.Context(), 1, after, 5)
			if err != nil {
				t.Errorf("TailLog: %v", err)
				return
			}
			wantChain(t, after, pos, recs)
			for _, r := range recs {
				var w, n int
				if _, err := fmt.Sscan(string(r.Data), &w, &n); err != nil || next[w] != n {
					t.Errorf("record %q of writer %d came when %d was expected (%v)", r.Data, w, next[w], err)
				}
				next[w]++
			}
			after, total = pos, total+len(recs)
		}
	})
}

// testLogCommitOrder checks that records stand in the order in which the changes took effect.
func testLogCommitOrder(t *testing.T, e kv.Engine) {
	const workers, each = 6, 40
	k := row("n")
	parallel(workers, func(int) {
		for range each {
			err := e.Update(t.Context(), one(k), func(vals [][]byte, b *kv.Batch) error {
				n := number(vals[0]) + 1
				b.Put(k, fmt.Append(nil, n))
				b.Append(1, fmt.Append(nil, n))
				return nil
			})
			if err != nil {
				t.Errorf("Update: %v", err)
			}
		}
	})
	for i, r := range tailAll(t, e, 1, 0) {
		if number(r.Data) != int64(i+1) {
			t.Fatalf("record %d is of change %s", i+1, r.Data)
		}
	}
}

// testLogAtomic checks that who sees a record sees what was written with it, and the other way round.
func testLogAtomic(t *testing.T, e kv.Engine) {
	const n = 100
	var after kv.Pos
	parallel(2, func(i int) {
		for j := range n {
			if i == 0 {
				update(t, e, kv.Txn{}, write(func(b *kv.Batch) {
					b.Put(row("a"), fmt.Append(nil, j))
					b.Append(1, fmt.Append(nil, j))
				}))
				continue
			}
			before := number(get(t, e, row("a")))
			recs, next, err := e.TailLog(t.Context(), 1, after, 2*n)
			if err != nil || len(recs) == 0 {
				continue
			}
			after = next
			last := number(recs[len(recs)-1].Data)
			if now := number(get(t, e, row("a"))); last < before || last > now {
				t.Errorf("the row was %d, then the log ended at %d, then the row was %d", before, last, now)
			}
		}
	})
}

func testTrim(t *testing.T, e kv.Engine) {
	appendLog(t, e, 1, "a", "b", "c", "d", "e")
	recs := tailAll(t, e, 1, 0)
	trim := func(upTo kv.Pos) {
		if err := e.TrimLog(t.Context(), 1, upTo); err != nil {
			t.Fatalf("TrimLog: %v", err)
		}
	}
	trim(0)
	wantData(t, tailAll(t, e, 1, 0), "a b c d e")
	trim(recs[1].Pos)
	for _, after := range []kv.Pos{0, recs[0].Pos} {
		if _, pos, err := e.TailLog(t.Context(), 1, after, 10); !errors.Is(err, kv.ErrTrimmed) || pos != recs[1].Pos {
			t.Errorf("TailLog after %d returned %d, %v, want ErrTrimmed with %d", after, pos, err, recs[1].Pos)
		}
	}
	wantData(t, tailAll(t, e, 1, recs[1].Pos), "c d e")
	trim(recs[0].Pos) // already
	wantData(t, tailAll(t, e, 1, recs[1].Pos), "c d e")
	trim(recs[3].Pos)
	wantData(t, tailAll(t, e, 1, recs[3].Pos), "e")
	appendLog(t, e, 1, "f")
	wantData(t, tailAll(t, e, 1, recs[3].Pos), "e f")
}

func testTrimAll(t *testing.T, e kv.Engine) {
	var end kv.Pos
	for round := range 4 {
		appendLog(t, e, 1, "a", "b")
		recs := tailAll(t, e, 1, end)
		wantData(t, recs, "a b")
		end = recs[1].Pos
		upTo := end
		if round%2 == 1 {
			upTo += 1000 // what is not there yet is not forgotten
		}
		if err := e.TrimLog(t.Context(), 1, upTo); err != nil {
			t.Fatalf("TrimLog: %v", err)
		}
		wantData(t, tailAll(t, e, 1, end), "")
	}
}

// testForget forgets shards: nothing of them is left, and others are as they were.
func testForget(t *testing.T, e kv.Engine) {
	appendLog(t, e, 1, "a", "b")
	appendLog(t, e, 2, "p", "q")
	appendLog(t, e, 3, "x", "y")
	if err := e.TrimLog(t.Context(), 3, 2); err != nil {
		t.Fatal(err)
	}
	for _, shard := range []uint64{1, 3, 3, 4} { // with records, trimmed, again, never there
		if err := e.TrimLog(t.Context(), shard, kv.Newest); err != nil {
			t.Fatalf("TrimLog of shard %d: %v", shard, err)
		}
		recs, pos, err := e.TailLog(t.Context(), shard, 0, 10)
		if len(recs) > 0 || pos != 0 || err != nil {
			t.Errorf("shard %d has %d records and ends at %d, %v", shard, len(recs), pos, err)
		}
	}
	wantData(t, tailAll(t, e, 2, 0), "p q")
}

// testTrimRace trims while others write and read: who reads gets a chain or is told.
func testTrimRace(t *testing.T, e kv.Engine) {
	const n = 150
	var written, trimmed atomic.Uint64
	parallel(3, func(i int) {
		var after kv.Pos
		for !t.Failed() && (i > 0 || written.Load() < n) {
			switch i {
			case 0:
				appendLog(t, e, 1, "x")
				written.Add(1)
			case 1:
				recs, next, err := e.TailLog(t.Context(), 1, after, 3)
				if errors.Is(err, kv.ErrTrimmed) {
					after = kv.Pos(trimmed.Load())
					continue
				}
				if err != nil {
					t.Errorf("TailLog: %v", err)
				}
				wantChain(t, after, next, recs)
				if after = next; len(recs) == 0 && written.Load() == n {
					return
				}
			case 2:
				recs := tail(t, e, 1, kv.Pos(trimmed.Load()), 20)
				if len(recs) == 0 && written.Load() == n {
					return
				}
				if len(recs) == 0 {
					continue
				}
				upTo := recs[len(recs)-1].Pos
				if err := e.TrimLog(t.Context(), 1, upTo); err != nil {
					t.Errorf("TrimLog: %v", err)
				}
				trimmed.Store(uint64(upTo))
			}
		}
	})
}
