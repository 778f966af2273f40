package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grammedb/gramme/bench/internal/server"
	"github.com/grammedb/gramme/bench/internal/traffic"
	"github.com/grammedb/gramme/internal/bench/usage"
	"github.com/grammedb/gramme/internal/bench/workload"
)

const (
	smallItems  = 100_000   // they fit into the caches
	mediumItems = 1_000_000 // they do not; with so many the server is started again
	hotItems    = 50_000    // that are read at every size
	table       = "scale"
)

// A test is a run and what it has found.
type test struct {
	command  server.Command
	server   *server.Server
	load     traffic.Client
	measured []traffic.Client // what reads meanwhile, and the same of a server to compare with
	rate     int              // of GetItem calls a second beside the load
	work     *workload.Config
	items    uint64 // in the end
	look     time.Duration

	loaded       uint64
	step         uint64 // so many items are timed together
	steps        []time.Duration
	hot          []time.Duration  // p50 of the same items at each size
	idle, during []traffic.Steady // of those that are measured
	peak         int64            // bytes resident
	others       []float64        // cores that other work took, in each measurement
	rows         []row
}

func newTest(items uint64, look time.Duration) *test {
	return &test{
		items: items, look: look, step: min(mediumItems, max(items/4, 1)),
		work: &workload.Config{Table: table, PerPartition: 20, Size: workload.FixedSize(400), Random: true},
	}
}

// run does everything in turn. The server has ended when it returns.
func (t *test) run(ctx context.Context) (err error) {
	if err := t.start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.server.Stop()) }()
	for _, stage := range []func(context.Context) error{t.empty, t.small, t.medium, t.large} {
		if err := stage(ctx); err != nil {
			return err
		}
	}
	t.conclude()
	return nil
}

func (t *test) start() (err error) {
	t.server, err = server.Start(t.command)
	return err
}

// empty is the server before it has any data.
func (t *test) empty(ctx context.Context) error {
	took := t.server.Took()
	t.verdict("start-up, empty", "at most 15 ms", millis(took), took <= 15*time.Millisecond)
	time.Sleep(time.Second)
	rss := t.resident()
	t.verdict("resident memory, idle", "at most 20 MiB", mib(rss), rss <= 20<<20)
	return t.create(ctx)
}

// small is a table that fits into the caches.
func (t *test) small(ctx context.Context) error {
	if err := t.grow(ctx, min(smallItems, t.items)); err != nil {
		return err
	}
	rss := t.resident()
	t.verdict("resident memory with "+count(t.loaded)+" items", "at most 100 MiB", mib(rss), rss <= 100<<20)
	var err error
	if t.idle, err = t.steady(ctx, func() error { time.Sleep(2 * t.look); return nil }); err != nil {
		return err
	}
	return t.reads(ctx)
}

// medium is one that does not, and the server's starts with it.
func (t *test) medium(ctx context.Context) error {
	if t.items < mediumItems {
		return nil
	}
	if err := t.growBeside(ctx, mediumItems); err != nil {
		return err
	}
	if err := t.reads(ctx); err != nil {
		return err
	}
	if err := t.restart(ctx); err != nil {
		return err
	}
	return t.crash(ctx)
}

// large is the last size.
func (t *test) large(ctx context.Context) error {
	if t.items <= t.loaded {
		return nil
	}
	if err := t.growBeside(ctx, t.items); err != nil {
		return err
	}
	return t.reads(ctx)
}

// restart times starts after the server has written and was stopped.
func (t *test) restart(ctx context.Context) error {
	var took []time.Duration
	for range 3 {
		if err := t.grow(ctx, t.loaded+10_000); err != nil {
			return err
		}
		if err := errors.Join(t.server.Stop(), t.start()); err != nil {
			return err
		}
		took = append(took, t.server.Took())
	}
	slices.Sort(took)
	t.verdict("start-up with "+count(t.loaded)+" items after a clean stop", "at most 100 ms", millis(took[1]), took[1] <= 100*time.Millisecond)
	return nil
}

// enoughLog is how much of the log a start should have to replay, where the store keeps that much.
const enoughLog = 16 << 20

// crash times starts after a kill with much of the log to replay.
func (t *test) crash(ctx context.Context) error {
	var took []time.Duration // for 64 MiB
	var logs float64
	for range 3 {
		log, err := t.fillLog(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(t.server.Kill(), t.start()); err != nil {
			return err
		}
		if err := t.present(ctx, t.loaded-1); err != nil {
			return err
		}
		took = append(took, time.Duration(float64(t.server.Took())*(64<<20)/log))
		logs += log
	}
	slices.Sort(took)
	t.verdict("start-up after kill -9, for 64 MiB of log", "at most 1 s",
		fmt.Sprintf("%s (of three starts with %s on average)", millis(took[1]), mib(int64(logs/3))), took[1] <= time.Second)
	return nil
}

// fillLog writes until the log is long, and returns its size.
func (t *test) fillLog(ctx context.Context) (log float64, err error) {
	for try := 0; log < enoughLog && try < 40; try++ {
		if err := t.grow(ctx, t.loaded+10_000); err != nil {
			return 0, err
		}
		if log, err = t.metric("gramme_store_wal_live_bytes"); err != nil {
			return 0, err
		}
	}
	return log, nil
}

// resident returns the server's memory, and remembers its peak.
func (t *test) resident() int64 {
	rss, peak := usage.RSS(t.server.PID())
	t.peak = max(t.peak, peak)
	return rss
}

// conclude judges the run as a whole.
func (t *test) conclude() {
	first, last := t.rateOf(0), t.rateOf(len(t.steps)-1)
	t.verdict(fmt.Sprintf("bulk load of %s items, durable: the last %s against the first", count(t.loaded), count(t.step)), "at least 0.7",
		fmt.Sprintf("%.2f (%s of %s items/s)", last/first, count(uint64(last)), count(uint64(first))), last >= 0.7*first)
	if t.loaded > smallItems {
		busy, calm := p99(t.during[0]), p99(t.idle[0])
		t.verdict("p99 of GetItem during the load against idle", "at most 3", t.against(0), busy <= 3*calm)
	}
	if len(t.measured) > 1 && t.loaded > smallItems {
		t.fact("the same of a server that does nothing else", t.against(1))
	}
	a, b := t.hot[0], t.hot[len(t.hot)-1]
	t.verdict("p50 of GetItem within the cache: the last size against the first", "at most 1.25", fmt.Sprintf("%.2f", float64(b)/float64(a)), 4*b <= 5*a)
	rss := t.resident()
	t.verdict("resident memory with "+count(t.loaded)+" items, now; at its peak", "at most 512 MiB", mib(rss)+"; "+mib(t.peak), t.peak <= 512<<20)
}

// rateOf returns the items a second of one step.
func (t *test) rateOf(step int) float64 {
	n := min(t.loaded-uint64(step)*t.step, t.step)
	return float64(n) / t.steps[step].Seconds()
}

// against says what the load has made of the p99 of one that is measured.
func (t *test) against(i int) string {
	busy, calm := t.during[i], t.idle[i]
	return fmt.Sprintf("%.1f (%v against %v; in the median second %v against %v; sent late %v against %v)", float64(p99(busy))/float64(p99(calm)),
		round(p99(busy)), round(p99(calm)), round(busy.Latencies.MedianSecond(0.99)), round(calm.Latencies.MedianSecond(0.99)),
		round(time.Duration(busy.Late.All().Quantile(0.99))), round(time.Duration(calm.Late.All().Quantile(0.99))))
}

func p99(s traffic.Steady) time.Duration { return time.Duration(s.Latencies.All().Quantile(0.99)) }
