package bench

import (
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/bench/result"
)

// TestClaim: with a rate operations are due at even distances, up to the length or the limit.
func TestClaim(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rate   float64
		length time.Duration
		limit  uint64
		claims int
	}{
		{"rate and length", 10, time.Second, 0, 10},
		{"rate and limit", 10, 0, 7, 7},
		{"rate and both", 10, time.Second, 7, 7},
		{"limit", 0, 0, 7, 7},
	} {
		p := newPhase(tt.rate, tt.length, tt.limit, 0)
		p.start = time.Now()
		n := 0
		for ; n < 100; n++ {
			due, ok := p.claim()
			if !ok {
				break
			}
			if want := time.Duration(n) * 100 * time.Millisecond; tt.rate > 0 && due != want {
				t.Errorf("%s: operation %d is due at %v, want %v", tt.name, n, due, want)
			}
		}
		if n != tt.claims {
			t.Errorf("%s: %d operations, want %d", tt.name, n, tt.claims)
		}
		p.end(tt.length, false)
		if tt.rate > 0 && tt.limit == 0 && p.due() != uint64(tt.claims) {
			t.Errorf("%s: %d were due, want %d", tt.name, p.due(), tt.claims)
		}
		if _, ok := p.claim(); ok {
			t.Errorf("%s: an operation after the end", tt.name)
		}
	}
}

// TestSeries: operations are counted in the second in which they ended; what ended after the window is in no second, but in
// the totals.
func TestSeries(t *testing.T) {
	const s = time.Second
	w := &worker{rec: newRecorder(2)}
	p := newPhase(0, 2500*time.Millisecond, 0, 0)
	c := newCollector([]*worker{w}, nil)
	c.phase = p
	add := func(part int, due, done time.Duration, code string) {
		w.rec.add(p, event{part: part, due: due, sent: due, done: done, outcome: outcome{code: code, items: 2}})
	}
	add(0, 0, s/2, "")
	add(1, s/2, s+s/2, "")
	add(0, s, s+s/4, "Oops")
	c.collect(1)
	add(0, s/4, s/2, "") // late, but still in time for the next second
	add(0, 2*s, 2*s+s/4, "")
	p.end(2500*time.Millisecond, false)
	add(0, 2*s, 2*s+3*s/4, "")
	add(0, 2*s, 4*s, "")
	close(c.stopped)
	c.finish()
	if len(c.series) != 3 || c.series[2].Length != 0.5 {
		t.Fatalf("series %+v", c.series)
	}
	for i, want := range []uint64{1, 2, 1} {
		if got := c.series[i].Operations; got != want {
			t.Errorf("second %d has %d operations, want %d", i, got, want)
		}
	}
	if c.series[1].Errors != 1 || c.series[1].Max != 1e6 || c.series[0].P50 != 500_000 {
		t.Errorf("series %+v", c.series)
	}
	r := w.rec
	if r.late != 2 || r.lateItems != 4 || r.parts[0].errors != 1 || r.parts[0].latency.Count() != 5 || r.parts[1].items != 2 || r.errors["Oops"] != 1 {
		t.Errorf("late %d, parts %+v", r.late, r.parts[0].errors)
	}
}

// TestRecorderAllocatesNothing: counting is on the way of every operation.
func TestRecorderAllocatesNothing(t *testing.T) {
	r, p := newRecorder(1), newPhase(0, time.Minute, 0, 0)
	e := event{done: time.Millisecond}
	r.add(p, e)
	if n := testing.AllocsPerRun(100, func() { r.add(p, e) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	for second := range 10 { // slots are used again
		r.take(second, func(*slot) {})
		e.done = time.Duration(second) * time.Second
		r.add(p, e)
	}
	if len(r.free) > 2 {
		t.Errorf("%d free slots", len(r.free))
	}
}

func TestMedianSecond(t *testing.T) {
	seconds := func(counts ...uint64) (all []result.Second) {
		for _, n := range counts {
			all = append(all, result.Second{Length: 1, Operations: n})
		}
		return append(all, result.Second{Length: 0.5, Operations: 1e6}) // a part of a second does not count
	}
	for _, tt := range []struct {
		series []result.Second
		want   float64
	}{{seconds(5, 1), 0}, {seconds(5, 1, 3), 3}, {seconds(1, 2, 4, 100), 3}} {
		if got := medianSecond(tt.series); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.series, got, tt.want)
		}
	}
}
