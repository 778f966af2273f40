package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/internal/bench/result"
	"github.com/grammedb/gramme/internal/bench/workload"
)

// loadRetries: a table on demand takes minutes to grow to a load.
const loadRetries = 100

// load writes the items in batches over all connections.
func (r *run) load(ctx context.Context) error {
	p := newPhase(0, 0, (r.cfg.Items+workload.BatchWriteItems-1)/workload.BatchWriteItems, loadRetries)
	defer context.AfterFunc(ctx, p.stop)()
	var next, loaded atomic.Uint64
	failed := make(chan error, len(r.workers))
	finished := make(chan struct{})
	go r.showLoad(&loaded, finished)
	p.begin()
	forEach(r.workers, func(w *worker) {
		for {
			if _, ok := p.claim(); !ok {
				return
			}
			to := next.Add(workload.BatchWriteItems)
			from := to - workload.BatchWriteItems
			to = min(to, r.cfg.Items)
			if err := w.loadBatch(p, from, to); err != nil {
				failed <- err
				p.stop()
				return
			}
			loaded.Add(to - from)
		}
	})
	close(finished)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case len(failed) > 0:
		return <-failed
	}
	return nil
}

var loadOperation = &workload.Operation{Name: "load", Target: "BatchWriteItem"}

// loadBatch writes items from..to-1.
func (w *worker) loadBatch(p *phase, from, to uint64) error {
	w.body = w.run.work.AppendLoad(w.body[:0], w.run.cfg.Table, from, to)
	var o outcome
	w.request(p, loadOperation, &o)
	if o.code != "" {
		return fmt.Errorf("%s: %s", o.code, o.text)
	}
	return nil
}

// showLoad shows the progress once a second.
func (r *run) showLoad(loaded *atomic.Uint64, finished <-chan struct{}) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.live("  %s of %s items", result.Count(loaded.Load()), result.Count(r.cfg.Items))
		case <-finished:
			return
		}
	}
}
