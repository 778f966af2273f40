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

const (
	maxEventAge    = 6 * time.Hour
	maxEventsOnWay = 8
	clockCheck     = time.Second // the database's clock may be moved
)

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

// events are the asynchronous invocations: written down before they are acknowledged, removed when they are over.
type events struct {
	s       *Service
	changed chan struct{} // of one element: something was added

	mu      sync.Mutex
	waiting map[string]event // guarded by mu: by id. Payloads stay where they are
}

// openEvents reads what was waiting when the server ended.
func openEvents(ctx context.Context, s *Service) (*events, error) {
	list, err := all[event](ctx, s.state, span{pk: "event"})
	if err != nil {
		return nil, err
	}
	e := &events{s: s, changed: make(chan struct{}, 1), waiting: map[string]event{}}
	for _, ev := range list {
		e.waiting[ev.ID] = ev
	}
	return e, nil
}

// blobs returns the blobs that are in use.
func (e *events) blobs() map[string]bool {
	used := map[string]bool{}
	for _, ev := range e.waiting {
		used[ev.Blob] = true
	}
	return used
}

// add accepts an invocation: it will be run, also if the server ends now.
func (e *events) add(ctx context.Context, r reference, req lambdarun.Request) error {
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
	e.wait(ev)
	return nil
}

func (ev *event) id() id { return id{"event", ev.ID} }

func (e *events) wait(ev event) {
	e.mu.Lock()
	e.waiting[ev.ID] = ev
	e.mu.Unlock()
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// run runs what is due until ctx is done.
func (e *events) run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	onWay := make(chan struct{}, maxEventsOnWay)
	for {
		ev, pause := e.next()
		if pause > 0 {
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-e.changed:
			case <-ctx.Done():
			}
			timer.Stop()
		}
		if ctx.Err() != nil {
			return nil
		}
		if pause > 0 {
			continue
		}
		onWay <- struct{}{}
		wg.Go(func() {
			defer func() { <-onWay }()
			e.try(ctx, ev)
		})
	}
}

// next takes an event that is due; otherwise it says how long to wait for one.
func (e *events) next() (event, time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, pause := e.s.cfg.Now(), time.Minute
	for _, ev := range e.waiting {
		left := ev.Due.Sub(now)
		if left <= 0 {
			delete(e.waiting, ev.ID)
			return ev, 0
		}
		pause = min(pause, left, clockCheck)
	}
	return event{}, pause
}

// try runs an event once, and writes down what comes next.
func (e *events) try(ctx context.Context, ev event) {
	over, err := e.attempt(ctx, &ev)
	if err == nil && over {
		err = e.remove(ctx, &ev)
	} else if err == nil {
		_, err = e.s.state.put(ctx, ev.id(), ev, always)
	}
	if err != nil {
		if ctx.Err() != nil {
			return // the next start goes on with it
		}
		e.s.cfg.Logger.Error("an asynchronous invocation will be tried again", "function", ev.Function, "request", ev.ID, "error", err)
		ev.Due = e.s.cfg.Now().Add(retryAfterBusy[0])
		over = false
	}
	if !over {
		e.wait(ev)
	}
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
	r := reference{region: ev.Region, account: ev.Account, name: ev.Function}
	req := lambdarun.Request{ID: ev.ID, Payload: payload, ClientContext: ev.ClientContext, Wait: true}
	res, err := e.s.run(ctx, r, req)
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
