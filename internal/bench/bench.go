// Package bench is a load test of a DynamoDB endpoint: it makes a table and loads it, sends a mix of operations over many
// connections, as fast as they are answered or at a given rate, and measures.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/dist"
	"github.com/grammedb/gramme/internal/bench/result"
	"github.com/grammedb/gramme/internal/bench/usage"
	"github.com/grammedb/gramme/internal/bench/workload"
)

// A Config says what to run. Defaults gives most of it a value.
type Config struct {
	Endpoint    client.Endpoint
	URL         string // of the endpoint, for the report
	Credentials client.Credentials
	Version     string // of this program

	Workload     string // an operation, a preset or a mix
	Distribution string // uniform, zipfian or latest; "": the workload's own
	Items        uint64 // rounded up so that partitions are whole
	PerPartition uint64 // 0: the workload's own
	Size         workload.Size
	Random       bool // values that do not compress
	Consistent   bool
	Verify       bool

	Table       string // "": a new name
	Keep        bool   // leave the table for another run
	Existing    bool   // use a table that this program has not made
	Provisioned string // "READ,WRITE" capacity units; "": on demand

	Connections int
	Rate        float64 // operations a second; 0: closed loop
	Warmup      time.Duration
	Duration    time.Duration // 0: until Operations
	Operations  uint64        // 0: until Duration
	Timeout     time.Duration // of a request
	Retries     int
	Seed        uint64 // 0: from the clock
	ServerPID   int    // whose CPU time and memory are reported; 0: none

	Live io.Writer // where progress goes, a line a second; nil: nowhere
}

// Defaults returns a configuration for a local server.
func Defaults() Config {
	return Config{
		URL: "http://127.0.0.1:8000", Workload: "get", Items: 100_000, Size: workload.FixedSize(400), Connections: 16,
		Warmup: 3 * time.Second, Duration: 30 * time.Second, Timeout: 10 * time.Second, Retries: 8,
	}
}

// Bounds.
const (
	maxConnections = 4096
	minItems       = 200
	maxItems       = 1 << 32
	indexableBytes = 250 // an item that is smaller lacks the attributes of the index's key
	defaultPer     = 20
	experiment     = 100 // items that share a partition key in the index
)

// check returns what is wrong with c in one sentence.
func (c *Config) check(mix *workload.Mix) error {
	for _, rule := range []struct {
		bad  bool
		text string
	}{
		{c.Connections < 1 || c.Connections > maxConnections, fmt.Sprintf("connections are from 1 to %d", maxConnections)},
		{c.Items < minItems || c.Items > maxItems, fmt.Sprintf("items are from %d to %d", minItems, uint64(maxItems))},
		{c.PerPartition > 10_000, "a partition has at most 10000 items"},
		{c.Rate < 0, "the rate is not negative"},
		{c.Warmup < 0 || c.Duration < 0, "durations are not negative"},
		{c.Duration == 0 && c.Operations == 0, "say how long, by a duration or a number of operations"},
		{c.Timeout <= 0, "the timeout is more than 0"},
		{c.Retries < 0, "retries are not negative"},
		{mix.Indexed() && c.Size.Min() < indexableBytes, fmt.Sprintf("for the index items have at least %d bytes", indexableBytes)},
		{c.Existing && c.Table == "", "an existing table has a name"},
	} {
		if rule.bad {
			return errors.New(rule.text)
		}
	}
	return nil
}

// A run is a load test under way.
type run struct {
	cfg     Config
	mix     *workload.Mix
	work    *workload.Config
	table   *table
	workers []*worker
	result  result.Result
}

// Run makes the table, runs the load and returns what was measured. When ctx ends, the run ends early and is reported all the
// same; if it had not begun to measure, the error is ctx's.
func Run(ctx context.Context, cfg Config) (res *result.Result, err error) {
	r, err := newRun(cfg)
	if err != nil {
		return nil, err
	}
	hard, kill := context.WithCancelCause(context.WithoutCancel(ctx)) // ends connections at once
	defer kill(nil)
	r.connect(hard)
	defer r.disconnect()
	defer func() { err = errors.Join(err, r.table.drop(context.WithoutCancel(ctx))) }()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if r.cfg.Warmup > 0 {
		r.live("warming up for %v", r.cfg.Warmup)
		r.phase(ctx, kill, newPhase(r.cfg.Rate, r.cfg.Warmup, 0, r.cfg.Retries))
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r.measure(ctx, kill)
	return &r.result, nil
}

// Check returns what is wrong with a configuration in one sentence, before anything is done.
func Check(cfg Config) error {
	_, err := newRun(cfg)
	return err
}

func newRun(cfg Config) (*run, error) {
	mix, err := workload.ParseMix(cfg.Workload)
	if err != nil {
		return nil, err
	}
	if err := cfg.check(mix); err != nil {
		return nil, err
	}
	if _, err := billingOf(cfg.Provisioned); err != nil {
		return nil, err
	}
	preset := workload.FindPreset(cfg.Workload)
	if cfg.PerPartition == 0 {
		cfg.PerPartition = max(preset.PerPartition, defaultPer)
	}
	if cfg.Distribution == "" {
		cfg.Distribution = preset.Distribution
	}
	if cfg.Seed == 0 {
		cfg.Seed = uint64(time.Now().UnixNano())
	}
	if cfg.Table == "" {
		cfg.Table = "gramme-bench-" + time.Now().UTC().Format("20060102-150405.000000")
	}
	whole := lcm(cfg.PerPartition, experiment)
	cfg.Items = (cfg.Items + whole - 1) / whole * whole
	work := &workload.Config{
		Table: cfg.Table, IndexTable: cfg.Table, Items: cfg.Items, IndexItems: cfg.Items, PerPartition: cfg.PerPartition,
		Size: cfg.Size, Random: cfg.Random, Consistent: cfg.Consistent, Segments: cfg.Connections,
		Inserted: dist.NewCounter(cfg.Items),
	}
	if work.Keys, err = keysOf(cfg.Distribution, work); err != nil {
		return nil, err
	}
	return &run{cfg: cfg, mix: mix, work: work}, nil
}

// keysOf returns the chooser of keys.
func keysOf(distribution string, work *workload.Config) (dist.Keys, error) {
	switch distribution {
	case "uniform":
		return dist.Uniform(work.Items), nil
	case "zipfian":
		return dist.Zipfian{Zipf: dist.NewZipf(work.Items)}, nil
	case "latest":
		return dist.Latest{Zipf: dist.NewZipf(work.Items), Inserted: work.Inserted}, nil
	}
	return nil, fmt.Errorf("there is no distribution %q; there are uniform, zipfian and latest", distribution)
}

func lcm(a, b uint64) uint64 {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

func (r *run) live(format string, args ...any) {
	if r.cfg.Live != nil {
		fmt.Fprintf(r.cfg.Live, format+"\n", args...)
	}
}

// connect makes the workers. Their connections are opened by their first requests and closed when ctx ends.
func (r *run) connect(ctx context.Context) {
	agent := "gramme-bench/" + strings.ReplaceAll(strings.Trim(r.cfg.Version, "()"), " ", "-")
	conn := func() *client.Conn { return client.NewConn(r.cfg.Endpoint, r.cfg.Credentials, agent, r.cfg.Timeout) }
	r.table = &table{run: r, conn: conn}
	fresh := dist.Mix64(r.cfg.Seed) >> 44 << 44
	for i := range r.cfg.Connections {
		id := uint64(i)
		r.workers = append(r.workers, &worker{
			run:    r,
			ctx:    ctx,
			conn:   conn(),
			gen:    workload.NewGenerator(r.work, r.cfg.Seed+id*7919, fresh|id<<32),
			rng:    dist.RNG(dist.Mix64(r.cfg.Seed ^ id)),
			cursor: workload.Cursor{Segment: i},
			rec:    newRecorder(len(r.mix.Parts)),
		})
	}
}

func (r *run) disconnect() {
	for _, w := range r.workers {
		w.conn.Close()
		w.pacer.Close()
	}
}

// prepare makes and loads the table.
func (r *run) prepare(ctx context.Context) error {
	loaded, err := r.table.open(ctx)
	if err != nil {
		return err
	}
	if loaded {
		r.live("table %s has its %s items already", r.cfg.Table, result.Count(r.cfg.Items))
		return nil
	}
	r.live("loading %s items of %s bytes into table %s", result.Count(r.cfg.Items), r.cfg.Size, r.cfg.Table)
	begin := time.Now()
	if err := r.load(ctx); err != nil {
		return fmt.Errorf("loading table %s: %w", r.cfg.Table, err)
	}
	secs := time.Since(begin).Seconds()
	r.result.Totals.LoadSeconds, r.result.Totals.LoadItemsPerSecs = secs, float64(r.cfg.Items)/secs
	r.live("loaded in %.1f s, %s items/s", secs, result.Rate(float64(r.cfg.Items)/secs))
	return r.table.markLoaded(ctx)
}

// measure runs the measured phase and fills in the result.
func (r *run) measure(ctx context.Context, kill context.CancelCauseFunc) {
	p := newPhase(r.cfg.Rate, r.cfg.Duration, r.cfg.Operations, r.cfg.Retries)
	p.record = newCollector(r.workers, r.cfg.Live)
	r.result.Started = time.Now().UTC()
	before := usage.Take(r.cfg.ServerPID)
	after := r.phase(ctx, kill, p)
	r.result.EndedEarly = p.early
	r.fill(p, before, after)
}

// phase lets all workers work until the phase ends and all operations under way are answered, and returns the CPU clocks at
// its end. After the end of ctx those have a grace period.
func (r *run) phase(ctx context.Context, kill context.CancelCauseFunc, p *phase) usage.Sample {
	p.begin()
	stop := context.AfterFunc(ctx, func() {
		p.stop()
		time.AfterFunc(grace, func() { kill(context.Cause(ctx)) })
	})
	defer stop()
	all := make(chan struct{})
	go func() {
		defer close(all)
		forEach(r.workers, func(w *worker) { w.work(p) })
	}()
	var after usage.Sample
	select {
	case <-p.over: // by time or by ctx
		after = usage.Take(r.cfg.ServerPID)
		<-all
	case <-all: // by the number of operations, or there is none due any more
		if p.limit == 0 {
			<-p.over
		}
		after = usage.Take(r.cfg.ServerPID)
	}
	p.finish()
	return after
}

// grace is how long operations under way may take after an interrupt.
const grace = 3 * time.Second

// forEach calls f for each worker at once and returns when all have returned.
func forEach(workers []*worker, f func(*worker)) {
	done := make(chan struct{})
	for _, w := range workers {
		go func() {
			f(w)
			done <- struct{}{}
		}()
	}
	for range workers {
		<-done
	}
}
