package bench

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A phase is the warm-up or the measured window. Workers claim operations from it one by one.
//
// With a rate the operations are due at even distances from the begin, whatever becomes of those before: latency counts from
// then, so that a stall is charged for all who would have come during it, not only for those who did.
type phase struct {
	interval float64       // ns between operations; 0: closed loop
	length   time.Duration // 0: until limit
	limit    uint64        // of operations; 0: none
	retries  int           // of a request

	start  time.Time
	record *collector // nil: a warm-up
	next   atomic.Uint64
	ended  atomic.Int64 // ns from start to the end, once it is over
	over   chan struct{}
	once   sync.Once
	timer  *time.Timer
	early  bool // stopped
}

func newPhase(rate float64, length time.Duration, limit uint64, retries int) *phase {
	p := &phase{length: length, limit: limit, retries: retries, over: make(chan struct{})}
	if rate > 0 {
		p.interval = float64(time.Second) / rate
	}
	return p
}

// begin starts the clock.
func (p *phase) begin() {
	p.start = time.Now()
	if p.length > 0 {
		p.timer = time.AfterFunc(p.length, func() { p.end(p.length, false) })
	}
	if p.record != nil {
		p.record.begin(p)
	}
}

// elapsed is the phase's time.
func (p *phase) elapsed() time.Duration { return time.Since(p.start) }

// end ends the window: no operation begins after it.
func (p *phase) end(at time.Duration, early bool) {
	p.once.Do(func() {
		p.early = early
		p.ended.Store(int64(at))
		close(p.over)
	})
}

// stop ends the window now.
func (p *phase) stop() { p.end(p.elapsed(), true) }

// finish is called when all workers have ended.
func (p *phase) finish() {
	p.end(p.elapsed(), false) // if it was the number of operations that ended it
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.record != nil {
		p.record.finish()
	}
}

// claim returns when the next operation is due, in the phase's time; false if there is none.
func (p *phase) claim() (due time.Duration, ok bool) {
	select {
	case <-p.over:
		return 0, false
	default:
	}
	n := p.next.Add(1) - 1
	if p.limit > 0 && n >= p.limit {
		return 0, false
	}
	if p.interval == 0 {
		return p.elapsed(), true
	}
	due = time.Duration(float64(n) * p.interval)
	return due, p.length == 0 || due < p.length
}

// due returns how many operations should have begun up to the end.
func (p *phase) due() uint64 {
	if p.interval == 0 {
		return 0
	}
	n := uint64(math.Ceil(float64(p.ended.Load()) / p.interval))
	if p.limit > 0 {
		n = min(n, p.limit)
	}
	return n
}
