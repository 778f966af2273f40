// Package lambdarun runs Lambda functions as processes of this machine. A process speaks the Lambda Runtime API
// (AWS Lambda developer guide: Using the Lambda runtime API) with a server of its own on a loopback port, so Amazon's runtime
// clients work in it as they are; bootstraps for Python and Node.js come with the package.
//
// A process that has answered stays for the next invocation and is ended when nobody needs it for a while. Its life does not
// exceed that of the Runner: Close ends all of them with everything that they have started.
package lambdarun

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// A Function is a revision of a function's code and configuration.
type Function struct {
	ARN      string // of the function
	Revision string // processes are used again for the same revision only
	Name     string // for the log
	Version  string // "$LATEST"

	// Open makes the code available. dir is the process's working directory until close is called.
	Open    func(ctx context.Context) (dir string, close func(), err error)
	Command func(dir string) ([]string, error) // program and arguments
	Env     []string                           // all of the environment but what the Runtime API adds
	Timeout time.Duration
	Memory  int64 // MB, for the log
}

// A Request is one invocation.
type Request struct {
	ID            string
	Payload       []byte
	ClientContext string // JSON; "": none
	// Wait has the invocation wait for its turn until the context is done. Otherwise it fails with ErrBusy.
	Wait bool
}

// A Result is what an invocation came to.
type Result struct {
	Payload []byte
	Failure string // "": none; Unhandled or Handled, then Payload is an error document
	Log     []byte // the end of what was logged, at most 4 KB
}

// The kinds of failures.
const (
	Handled   = "Handled"
	Unhandled = "Unhandled"
)

// MaxPayload is the size of the largest payload and of the largest answer.
const MaxPayload = 6 << 20

// What callers may branch on.
var (
	ErrBusy   = errors.New("lambdarun: as many processes run as may")
	ErrClosed = errors.New("lambdarun: the runner is closed")
)

// Config says how functions are run.
type Config struct {
	Dir         string // for temporary directories of processes
	Limit       int    // processes at once
	PerFunction int    // of them for one function
	Idle        time.Duration
	Log         *slog.Logger // gets what functions print
}

// A Runner runs functions. Its methods may be called by several goroutines.
type Runner struct {
	cfg    Config
	spawn  *spawner
	ctx    context.Context // of all invocations
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	pools   map[string]*pool // by ARN
	running int              // processes, those being started and ended included
	ending  int              // of them those being ended
	changed chan struct{}    // closed and replaced when a process becomes free or ends
	closed  bool
	wg      sync.WaitGroup // of processes
}

// A pool holds the processes of one function.
type pool struct {
	idle    []*instance // the one used last is last
	running int
	ending  int
}

// New makes a Runner. It must be closed.
func New(cfg Config) *Runner {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Runner{cfg: cfg, spawn: newSpawner(), ctx: ctx, cancel: cancel, pools: map[string]*pool{}, changed: make(chan struct{})}
}

// Invoke runs one invocation. It fails only if the function was not asked: what goes wrong in it is a Result.
func (r *Runner) Invoke(ctx context.Context, f *Function, req Request) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.ctx, func() { cancel(ErrClosed) })()
	for {
		in, err := r.acquire(ctx, f, req.Wait)
		if err != nil {
			return Result{}, err
		}
		warm := in.served
		res, err := in.invoke(ctx, req)
		r.release(in)
		if errors.Is(err, errGone) && warm {
			continue // it ended after its last answer: nothing has been tried yet
		}
		return res, err
	}
}

// acquire returns a process of the function: one that is free, or a new one.
func (r *Runner) acquire(ctx context.Context, f *Function, wait bool) (*instance, error) {
	for {
		in, turn, err := r.tryAcquire(f)
		if in != nil || err != nil {
			return in, err
		}
		if !wait && !turn.soon {
			return nil, ErrBusy
		}
		select {
		case <-turn.changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// A turn is what to wait for before there is a process.
type turn struct {
	changed <-chan struct{}
	soon    bool // a process is being ended
}

// tryAcquire returns a process, or what to wait for before trying again.
func (r *Runner) tryAcquire(f *Function) (*instance, turn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, turn{}, ErrClosed
	}
	p := r.pools[f.ARN]
	if p == nil {
		p = &pool{}
		r.pools[f.ARN] = p
	}
	for len(p.idle) > 0 {
		in := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if in.f.Revision == f.Revision && !in.dead() {
			return in, turn{}, nil
		}
		r.end(in)
	}
	if p.running >= r.cfg.PerFunction {
		return nil, turn{r.changed, p.ending > 0}, nil
	}
	if r.running >= r.cfg.Limit {
		if oldest := r.oldestIdle(); oldest != nil {
			r.end(oldest)
		}
		return nil, turn{r.changed, r.ending > 0}, nil
	}
	p.running++
	r.running++
	r.wg.Add(1)
	return newInstance(r, f), turn{}, nil
}

// oldestIdle takes the process that has been idle for longest out of its pool; nil if all are busy. REQUIRES: mu is held.
func (r *Runner) oldestIdle() *instance {
	var from *pool
	for _, p := range r.pools {
		if len(p.idle) > 0 && (from == nil || p.idle[0].lastUsed.Before(from.idle[0].lastUsed)) {
			from = p
		}
	}
	if from == nil {
		return nil
	}
	in := from.idle[0]
	from.idle = from.idle[1:]
	return in
}

// release gives a process back after an invocation. One that can serve no more is gone when release returns.
func (r *Runner) release(in *instance) {
	if !r.keep(in) {
		r.bury(in)
	}
}

// keep puts a process back into its pool, if it is of any more use.
func (r *Runner) keep(in *instance) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.dead() || r.closed {
		return false
	}
	in.lastUsed = time.Now()
	p := r.pools[in.f.ARN]
	p.idle = append(p.idle, in)
	r.notify()
	return true
}

// end ends, in the background, a process that is in no pool's list. The Runner counts it until it is gone. REQUIRES: mu is held.
func (r *Runner) end(in *instance) {
	in.ending = true
	r.ending++
	r.pools[in.f.ARN].ending++
	go r.bury(in)
}

// bury ends a process.
func (r *Runner) bury(in *instance) {
	defer r.wg.Done()
	in.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pools[in.f.ARN]
	if in.ending {
		r.ending--
		p.ending--
	}
	r.running--
	if p.running--; p.running == 0 {
		delete(r.pools, in.f.ARN)
	}
	r.notify()
}

func (r *Runner) notify() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// ReapIdle ends the processes that nobody has needed for Config.Idle.
func (r *Runner) ReapIdle(context.Context) error {
	r.endIdle(func(in *instance) bool { return time.Since(in.lastUsed) > r.cfg.Idle })
	return nil
}

// Retire ends the idle processes of a function that is no more.
func (r *Runner) Retire(arn string) { r.endIdle(func(in *instance) bool { return in.f.ARN == arn }) }

func (r *Runner) endIdle(which func(*instance) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pools {
		kept := p.idle[:0]
		for _, in := range p.idle {
			if which(in) {
				r.end(in)
			} else {
				kept = append(kept, in)
			}
		}
		clear(p.idle[len(kept):])
		p.idle = kept
	}
}

// Close ends all processes; what they are asked at the moment fails. It returns when they are gone.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel(ErrClosed)
	r.endIdle(func(*instance) bool { return true })
	r.wg.Wait()
	r.spawn.close()
}
