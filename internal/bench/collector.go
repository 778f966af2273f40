package bench

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/grammedb/gramme/internal/bench/hist"
	"github.com/grammedb/gramme/internal/bench/result"
)

// A collector makes the time series from what the recorders have, second by second, and shows it.
type collector struct {
	workers []*worker
	live    io.Writer // nil: quiet
	phase   *phase
	taken   int // seconds
	series  []result.Second
	done    chan struct{}
	stopped chan struct{}
}

func newCollector(workers []*worker, live io.Writer) *collector {
	return &collector{workers: workers, live: live, done: make(chan struct{}), stopped: make(chan struct{})}
}

// begin starts the collection.
func (c *collector) begin(p *phase) {
	c.phase = p
	go func() {
		defer close(c.stopped)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				c.collect(int(p.elapsed() / time.Second))
			case <-c.done:
				return
			}
		}
	}()
}

// finish collects what is left. What ended after the window is no part of the series.
func (c *collector) finish() {
	close(c.done)
	<-c.stopped
	end := time.Duration(c.phase.ended.Load())
	c.collect(int(end/time.Second) + 1)
	whole := int(math.Ceil(end.Seconds()))
	c.series = c.series[:min(len(c.series), whole)]
	if rest := end - end.Truncate(time.Second); rest > 0 && len(c.series) == whole {
		c.series[whole-1].Length = rest.Seconds()
	}
}

// collect appends the seconds before one to the series.
func (c *collector) collect(before int) {
	if before <= c.taken {
		return
	}
	slots := make([]slot, before-c.taken)
	for _, w := range c.workers {
		w.rec.take(before, func(s *slot) {
			into := &slots[s.second-c.taken]
			into.latency.Merge(&s.latency)
			into.errors += s.errors
			into.retries += s.retries
		})
	}
	for i := range slots {
		s := secondOf(c.taken+i, &slots[i])
		c.series = append(c.series, s)
		c.show(s)
	}
	c.taken = before
}

// secondOf sums a second up.
func secondOf(second int, s *slot) result.Second {
	us := func(q float64) float64 { return result.US(s.latency.Quantile(q)) }
	return result.Second{
		At: float64(second), Length: 1, Operations: s.latency.Count(), Errors: s.errors, Retries: s.retries,
		P50: us(0.5), P90: us(0.9), P99: us(0.99), P999: us(0.999), Max: result.US(s.latency.Max()),
	}
}

func (c *collector) show(s result.Second) {
	if c.live != nil {
		fmt.Fprintf(c.live, "%5.0f s %12s ops/s   p50 %7s ms   p99 %7s ms   errors %s\n",
			s.At+1, result.Rate(s.Rate()), result.Millis(s.P50), result.Millis(s.P99), result.Count(s.Errors))
	}
}

// A set is the distributions of all workers.
type set struct {
	parts             []hist.Hist // by part of the mix
	all, service, lag hist.Hist
}

func (c *collector) histograms(parts int) *set {
	s := &set{parts: make([]hist.Hist, parts)}
	for _, w := range c.workers {
		for i := range w.rec.parts {
			s.parts[i].Merge(&w.rec.parts[i].latency)
		}
		s.service.Merge(&w.rec.service)
		s.lag.Merge(&w.rec.lag)
	}
	for i := range s.parts {
		s.all.Merge(&s.parts[i])
	}
	return s
}
