package esm

import (
	"context"
	"hash/fnv"
	"sync"
	"time"
)

// A Poller serves one mapping.
type Poller struct {
	cfg  Config
	stop <-chan struct{}

	checkpoints map[string][]Checkpoint // by shard, one for each lane
	running     map[string]bool         // shards that have workers
	ended       chan string             // shards whose workers have ended
	quit        chan struct{}           // closed when nobody receives from ended
	wg          sync.WaitGroup
}

// NewPoller makes a Poller.
func NewPoller(cfg Config) *Poller {
	cfg.Pace = cfg.Pace.withDefaults()
	cfg.Lanes = max(1, cfg.Lanes)
	return &Poller{cfg: cfg, checkpoints: map[string][]Checkpoint{}, running: map[string]bool{}, ended: make(chan string), quit: make(chan struct{})}
}

// Begin writes down where a new mapping begins that is not interested in what has been: behind the newest records. The iterators that it
// returns know that place exactly; without them, after a restart, it is known to the second.
func Begin(ctx context.Context, source Source, store Store, lanes int, now time.Time) (latest map[string]string, err error) {
	shards, err := source.Shards(ctx)
	if err != nil {
		return nil, err
	}
	latest = map[string]string{}
	for _, sh := range shards {
		if !sh.Closed {
			if latest[sh.ID], err = source.LatestIterator(ctx, sh.ID); err != nil {
				return nil, err
			}
		}
		for lane := range max(1, lanes) {
			c := Checkpoint{Shard: sh.ID, Lane: lane, Lanes: max(1, lanes), Done: sh.Closed, Since: now}
			if err := store.Save(ctx, &c); err != nil {
				return nil, err
			}
		}
	}
	return latest, nil
}

// Run calls the function until stop is closed, and then ends when the calls that are under way are over, or until ctx is done, which
// they see. It fails if the store cannot be read. A Poller runs once.
func (p *Poller) Run(ctx context.Context, stop <-chan struct{}) error {
	p.stop = stop
	if err := p.load(ctx); err != nil {
		return err
	}
	defer p.wg.Wait()
	defer close(p.quit)
	told := "" // a stream that is no more would fill the log
	for {
		problem := ""
		if err := p.discover(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			problem = err.Error()
			p.cfg.Note("PROBLEM: " + problem)
		}
		if problem != "" && problem != told {
			p.cfg.Log.Warn("a stream cannot be read", "stream", p.cfg.StreamARN, "error", problem)
		}
		told = problem
		timer := time.NewTimer(p.cfg.Pace.Discover)
		select {
		case shard := <-p.ended:
			delete(p.running, shard)
		case <-timer.C:
		case <-stop:
			timer.Stop()
			return nil
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// load reads the checkpoints. If the number of lanes has changed, all begin where the last of the former ones was.
func (p *Poller) load(ctx context.Context) error {
	list, err := p.cfg.Store.Load(ctx)
	if err != nil {
		return err
	}
	stored := map[string][]Checkpoint{}
	for _, c := range list {
		stored[c.Shard] = append(stored[c.Shard], c)
	}
	for shard, lanes := range stored {
		if lanes, err = p.relane(ctx, lanes); err != nil {
			return err
		}
		p.checkpoints[shard] = lanes
	}
	return nil
}

// relane returns one checkpoint for each lane that there is now.
func (p *Poller) relane(ctx context.Context, old []Checkpoint) ([]Checkpoint, error) {
	whole := len(old) == p.cfg.Lanes
	least := old[0]
	var window *Window // of which there is one at most
	for _, c := range old {
		whole = whole && c.Lanes == p.cfg.Lanes
		if c.Window != nil {
			window = c.Window
		}
		if least.Done || !c.Done && before(c.After, least.After) {
			least = c
		}
	}
	lanes := make([]Checkpoint, p.cfg.Lanes)
	for i := range lanes {
		lanes[i] = Checkpoint{Shard: least.Shard, Lane: i, Lanes: p.cfg.Lanes, After: least.After, Since: least.Since, Done: least.Done}
	}
	lanes[0].Window = window
	if whole {
		for _, c := range old {
			lanes[c.Lane] = c
		}
		return lanes, nil
	}
	for i := range lanes { // first what will be, then what was: a crash in between repeats records and forgets none
		if err := p.cfg.Store.Save(ctx, &lanes[i]); err != nil {
			return nil, err
		}
	}
	for i := range old {
		if old[i].Lane >= p.cfg.Lanes {
			if err := p.cfg.Store.Remove(ctx, &old[i]); err != nil {
				return nil, err
			}
		}
	}
	return lanes, nil
}

// before reports whether a sequence number is less than another; "" is less than all.
func before(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

// discover starts workers for the shards whose parents are done with, and forgets shards that are no more.
func (p *Poller) discover(ctx context.Context) error {
	shards, err := p.cfg.Source.Shards(ctx)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, sh := range shards {
		listed[sh.ID] = true
	}
	for _, sh := range shards {
		if listed[sh.Parent] && !p.done(sh.Parent) || p.done(sh.ID) || p.running[sh.ID] {
			continue
		}
		if err := p.begin(ctx, sh); err != nil {
			return err
		}
	}
	for id, lanes := range p.checkpoints {
		if listed[id] || p.running[id] {
			continue
		}
		for i := range lanes {
			if err := p.cfg.Store.Remove(ctx, &lanes[i]); err != nil {
				return err
			}
		}
		delete(p.checkpoints, id)
	}
	return nil
}

// done reports whether all lanes of a shard have read it to its end.
func (p *Poller) done(shard string) bool {
	if p.running[shard] {
		return false // and its checkpoints are the workers'
	}
	lanes := p.checkpoints[shard]
	for i := range lanes {
		if !lanes[i].Done {
			return false
		}
	}
	return len(lanes) > 0
}

// begin starts the workers of a shard. Their checkpoints are all there before the first of them makes progress.
func (p *Poller) begin(ctx context.Context, sh Shard) error {
	lanes := p.checkpoints[sh.ID]
	if lanes == nil {
		lanes = make([]Checkpoint, p.cfg.Lanes)
		for i := range lanes {
			lanes[i] = Checkpoint{Shard: sh.ID, Lane: i, Lanes: p.cfg.Lanes}
			if err := p.cfg.Store.Save(ctx, &lanes[i]); err != nil {
				return err
			}
		}
		p.checkpoints[sh.ID] = lanes
	}
	p.running[sh.ID] = true
	p.wg.Go(func() {
		var workers sync.WaitGroup
		for i := range lanes {
			if !lanes[i].Done {
				workers.Go(func() { p.serve(ctx, &lanes[i]) })
			}
		}
		workers.Wait()
		select {
		case p.ended <- sh.ID:
		case <-p.quit:
		}
	})
	return nil
}

// serve runs a worker until its lane is done with or nobody wants it any more; what goes wrong is tried again.
func (p *Poller) serve(ctx context.Context, c *Checkpoint) {
	pause := p.cfg.Pace.Retry
	for !c.Done && !p.over(ctx) {
		w := &worker{p: p, at: c}
		err := w.run(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		p.cfg.Note("PROBLEM: " + err.Error())
		p.cfg.Log.Warn("a shard cannot be read", "stream", p.cfg.StreamARN, "shard", c.Shard, "error", err)
		p.sleep(ctx, pause)
		pause = min(2*pause, p.cfg.Pace.MaxRetry)
	}
}

// over reports whether no further batch is wanted.
func (p *Poller) over(ctx context.Context) bool {
	select {
	case <-p.stop:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// sleep returns after d, or when no further batch is wanted.
func (p *Poller) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.stop:
	case <-ctx.Done():
	}
}

// lane returns the lane that a key belongs to.
func lane(key []byte, lanes int) int {
	if lanes == 1 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write(key)
	return int(h.Sum32() % uint32(lanes))
}
