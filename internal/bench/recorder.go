package bench

import (
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/bench/hist"
)

// An event is one operation that has ended. Its times are those of the phase.
type event struct {
	part            int           // of the mix
	due, sent, done time.Duration // due and sent are the same in a closed loop
	slept           bool          // the connection was free when it was due
	outcome
}

// A recorder counts what one worker does. The collector looks into it once a second.
type recorder struct {
	mu              sync.Mutex
	parts           []partCount
	service         hist.Hist // with a rate: from sent to done
	lag             hist.Hist // with a rate: from due to sent although the connection was free
	late, lateItems uint64    // operations that ended after the window
	errors          map[string]uint64
	retries         map[string]uint64
	sample          string // of an error
	bytes           struct{ sent, received uint64 }
	looked          struct{ answers, crcs uint64 }
	slots           []*slot // the seconds that the collector has not taken yet, in order
	closed          int     // the collector has taken the seconds before this one
	free            []*slot
}

type partCount struct {
	latency       hist.Hist
	items, errors uint64
}

// A slot is what was done in one second.
type slot struct {
	second          int
	latency         hist.Hist
	errors, retries uint64
}

func newRecorder(parts int) *recorder {
	return &recorder{parts: make([]partCount, parts), errors: map[string]uint64{}, retries: map[string]uint64{}}
}

// add counts an operation.
func (r *recorder) add(p *phase, e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	part := &r.parts[e.part]
	end := time.Duration(p.ended.Load())
	late := end > 0 && e.done > end
	r.bytes.sent += uint64(e.outcome.sent)
	r.bytes.received += uint64(e.received)
	r.looked.answers += e.answers
	r.looked.crcs += e.crcs
	if e.code != "" {
		part.errors++
		r.errors[e.code]++
		if r.sample == "" {
			r.sample = e.code + ": " + e.text
		}
		if !late {
			r.slot(e.done).errors++
		}
		return
	}
	latency := uint64(max(0, e.done-e.due))
	part.latency.Add(latency)
	part.items += e.items
	if late {
		r.late++
		r.lateItems += e.items
	} else {
		r.slot(e.done).latency.Add(latency)
	}
	if p.interval > 0 {
		r.service.Add(uint64(max(0, e.done-e.sent)))
		if e.slept {
			r.lag.Add(uint64(max(0, e.sent-e.due)))
		}
	}
}

// retry counts a request that is sent again.
func (r *recorder) retry(p *phase, code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retries[code]++
	r.slot(p.elapsed()).retries++
}

// slot returns the one for a time. Times come in order but for some of the collector's.
func (r *recorder) slot(at time.Duration) *slot {
	second := max(int(at/time.Second), r.closed)
	for i := len(r.slots) - 1; i >= 0; i-- {
		if r.slots[i].second == second {
			return r.slots[i]
		}
	}
	s := new(slot)
	if n := len(r.free); n > 0 {
		s, r.free = r.free[n-1], r.free[:n-1]
	}
	s.second = second
	r.slots = append(r.slots, s)
	return s
}

// take hands the seconds before one to f, and forgets them.
func (r *recorder) take(before int, f func(*slot)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.slots[:0]
	for _, s := range r.slots {
		if s.second >= before {
			kept = append(kept, s)
			continue
		}
		f(s)
		s.latency.Reset()
		s.errors, s.retries = 0, 0
		r.free = append(r.free, s)
	}
	r.slots, r.closed = kept, before
}
