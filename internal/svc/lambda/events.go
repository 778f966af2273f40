package lambda

import (
	"context"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/lib/lambdarun"
)

// How asynchronous invocations are tried again (AWS Lambda developer guide: Asynchronous invocation).
var (
	retryAfterFailure = []time.Duration{time.Minute, 2 * time.Minute}
	retryAfterBusy    = [...]time.Duration{time.Second, 5 * time.Minute} // the first, and the longest
)

// maxEventAge is how long an invocation is tried.
const maxEventAge = 6 * time.Hour

// An event is an asynchronous invocation as it is kept.
type event struct {
	ID             string
	Region         string
	Account        string
	Function       string
	Blob           string
	Size           int64
	ClientContext  string `json:",omitempty"`
	Received       time.Time
	Due            time.Time
	Failures, Busy int // how often it was tried
}

func (ev *event) id() id { return id{"event", ev.ID} }

func (ev *event) function() reference {
	return reference{region: ev.Region, account: ev.Account, name: ev.Function}
}

// events are the asynchronous invocations: written down before they are acknowledged, removed when they are over.
type events struct {
	s       *Service
	changed chan struct{} // of one element: the queue has changed

	mu    sync.Mutex
	queue queue // guarded by mu
}

// openEvents reads what was waiting when the server ended.
func openEvents(ctx context.Context, s *Service) (*events, error) {
	list, err := all[event](ctx, s.state, span{pk: "event"})
	if err != nil {
		return nil, err
	}
	e := &events{s: s, changed: make(chan struct{}, 1), queue: queue{functions: map[reference]*functionQueue{}}}
	for _, ev := range list {
		e.queue.add(ev)
	}
	return e, nil
}

// blobs returns the blobs that are in use. Nothing is on its way yet.
func (e *events) blobs() map[string]bool {
	used := map[string]bool{}
	for _, f := range e.queue.functions {
		for i := range f.events {
			used[f.events[i].Blob] = true
		}
	}
	return used
}

// add accepts an invocation: it will be run, also if the server ends now.
func (e *events) add(ctx context.Context, r reference, req lambdarun.Request) error {
	e.mu.Lock()
	full := e.queue.waiting >= maxQueued
	e.mu.Unlock()
	if full {
		return fail("TooManyRequestsException", 429, queueIsFull)
	}
	now := e.s.cfg.Now()
	ev := event{
		ID: req.ID, Region: r.region, Account: r.account, Function: r.name, Blob: req.ID, Size: int64(len(req.Payload)),
		ClientContext: req.ClientContext, Received: now, Due: now,
	}
	if err := e.s.state.putBlob(ctx, ev.Blob, req.Payload); err != nil {
		return err
	}
	if _, err := e.s.state.put(ctx, ev.id(), ev, always); err != nil {
		return err
	}
	e.change(func(q *queue) { q.add(ev) })
	return nil
}

// change changes the queue and has run look at it.
func (e *events) change(f func(*queue)) {
	e.mu.Lock()
	f(&e.queue)
	e.mu.Unlock()
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// take takes an event that is due from the queue, or says how long to wait.
func (e *events) take() (event, time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.queue.take(e.s.cfg.Now())
}

// run runs what is due until ctx is done.
func (e *events) run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for ctx.Err() == nil {
		ev, pause := e.take()
		if pause == 0 {
			wg.Go(func() { e.try(ctx, ev) })
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-e.changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// try runs an event once, and writes down what comes next.
func (e *events) try(ctx context.Context, ev event) {
	over, err := e.attempt(ctx, &ev)
	if err == nil && over {
		err = e.remove(ctx, &ev)
	} else if err == nil {
		_, err = e.s.state.put(ctx, ev.id(), ev, always)
	}
	if err != nil && ctx.Err() == nil {
		e.s.cfg.Logger.Error("an asynchronous invocation will be tried again", "function", ev.Function, "request", ev.ID, "error", err)
		ev.Due = e.s.cfg.Now().Add(retryAfterBusy[0])
		over = false
	}
	e.change(func(q *queue) {
		q.done(ev)
		if !over {
			q.add(ev)
		}
	})
}

// attempt invokes the function and reports whether the event is over; otherwise ev says when to try again.
func (e *events) attempt(ctx context.Context, ev *event) (over bool, err error) {
	payload, err := e.s.state.getBlob(ctx, ev.Blob, ev.Size)
	if err != nil {
		return false, err
	}
	if payload == nil {
		return true, nil // the server ended while it was being removed
	}
	req := lambdarun.Request{ID: ev.ID, Payload: payload, ClientContext: ev.ClientContext, Wait: true}
	res, err := e.s.run(ctx, ev.function(), req)
	now, log := e.s.cfg.Now(), e.s.cfg.Logger.With("function", ev.Function, "request", ev.ID)
	switch {
	case err == nil && res.Failure == "":
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err == nil:
		log.Warn("an asynchronous invocation failed", "error", string(res.Payload[:min(len(res.Payload), 1024)]))
		if ev.Failures == len(retryAfterFailure) {
			return true, nil
		}
		ev.Due = now.Add(retryAfterFailure[ev.Failures])
		ev.Failures++
	default:
		log.Warn("an asynchronous invocation found no way to its function", "error", err)
		ev.Due = now.Add(min(retryAfterBusy[0]<<min(ev.Busy, 20), retryAfterBusy[1]))
		ev.Busy++
	}
	return now.Sub(ev.Received) > maxEventAge || api.HasCode(err, "ResourceNotFoundException"), nil
}

func (e *events) remove(ctx context.Context, ev *event) error {
	if _, err := e.s.state.remove(ctx, ev.id()); err != nil {
		return err
	}
	return e.s.state.removeBlob(ctx, ev.Blob)
}
