// Package job runs named background work: loops, and tasks that are tried again until they succeed. All of it belongs to
// one Runner, whose Close returns when everything has stopped.
//
// A task that must survive a crash is written down by its owner before it is started here, and started again after a
// restart: the Runner remembers nothing.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// ErrClosed is the cause with which the context of all work is cancelled by Close.
var ErrClosed = errors.New("job: the runner is closed")

// The pause after a failed attempt: it doubles from firstPause to maxPause. An attempt that ran longer than
// healthyAfter before it failed starts again at firstPause.
const (
	firstPause   = 100 * time.Millisecond
	maxPause     = 30 * time.Second
	healthyAfter = time.Minute
)

// A Runner owns background work. Its methods may be called from several goroutines.
type Runner struct {
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running map[string]struct{} // names of the work under way
}

// New makes a Runner that logs failures to log.
func New(log *slog.Logger) *Runner {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Runner{log: log, ctx: ctx, cancel: cancel, running: make(map[string]struct{})}
}

// Go runs work in the background until it returns nil. When it returns an error or panics it is logged and run again
// after a growing pause. The context is cancelled, with ErrClosed as its cause, by Close; what work returns after that
// is not looked at.
//
// It reports whether work was started: not if work of that name is still running, nor after Close.
func (r *Runner) Go(name string, work func(context.Context) error) bool {
	return r.start(name, func() { r.retry(name, work) })
}

// Every runs work each time the interval has passed, first after one interval; runs never overlap, and a run that took
// longer than the interval is followed by the next one at once. An error or a panic is logged and does not end the loop.
// It reports whether the loop was started, as Go does.
func (r *Runner) Every(name string, interval time.Duration, work func(context.Context) error) bool {
	return r.start(name, func() { r.loop(name, interval, work) })
}

// Close cancels the context of all work and returns when all of it has returned. Close may be called more than once.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel(ErrClosed)
	r.wg.Wait()
}

// Running reports whether work of that name is under way.
func (r *Runner) Running(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.running[name]
	return ok
}

func (r *Runner) start(name string, f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.running[name]; ok || r.closed {
		return false
	}
	r.running[name] = struct{}{}
	r.wg.Go(func() {
		defer r.finish(name)
		f()
	})
	return true
}

func (r *Runner) finish(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, name)
}

func (r *Runner) retry(name string, work func(context.Context) error) {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		begin := time.Now()
		err := r.attempt(work)
		if err == nil || r.ctx.Err() != nil {
			return
		}
		if time.Since(begin) > healthyAfter {
			pause = firstPause
		}
		r.log.Error("background work failed, trying again", "job", name, "error", err, "after", pause)
		if !r.sleep(pause) {
			return
		}
	}
}

func (r *Runner) loop(name string, interval time.Duration, work func(context.Context) error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-ticker.C:
		}
		if err := r.attempt(work); err != nil && r.ctx.Err() == nil {
			r.log.Error("background work failed", "job", name, "error", err, "next", interval)
		}
	}
}

// attempt calls work once and turns a panic into an error that carries the stack.
func (r *Runner) attempt(work func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return work(r.ctx)
}

// sleep reports whether d passed before the runner was closed.
func (r *Runner) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
