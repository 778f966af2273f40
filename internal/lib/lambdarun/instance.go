package lambdarun

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"
)

// initTime is how long a process may take, beside the function's timeout, until it asks for its first event.
const initTime = 10 * time.Second

// errGone says that a process ended before it was given an event.
var errGone = errors.New("lambdarun: the process has ended")

// An instance is a process, or one in the making, with its Runtime API. It serves one invocation after another.
type instance struct {
	r *Runner
	f *Function

	// Of the goroutine that invokes; of the Runner in between.
	served   bool // it has answered before
	broken   bool // it may not be used again
	lastUsed time.Time
	ending   bool // it was idle and is no more

	cmd       *exec.Cmd // nil: not started
	server    *http.Server
	log       *output
	variable  string // of the environment of the process and its children, and of no other: the address of the Runtime API
	tmp       string // its temporary directory
	closeCode func()

	events chan *invocation // to the Runtime API
	exited chan struct{}    // closed when the process is gone

	mu      sync.Mutex
	current *invocation   // guarded by mu: the one under way
	failed  chan struct{} // closed when fatal is set
	fatal   *answer       // guarded by mu until failed is closed: why no further event is taken
}

// An invocation is a request on its way through a process.
type invocation struct {
	Request
	done      chan answer // gets the answer
	delivered bool        // guarded by the instance's mu, as is answered
	answered  bool
}

// An answer is what the process, or its end, has to say to an invocation.
type answer struct {
	payload []byte
	failure string
}

func newInstance(r *Runner, f *Function) *instance {
	return &instance{
		r: r, f: f,
		events: make(chan *invocation), exited: make(chan struct{}), failed: make(chan struct{}),
		closeCode: func() {},
	}
}

// dead reports whether the process can take no more events.
func (in *instance) dead() bool {
	select {
	case <-in.failed:
		return true
	default:
		return in.broken || !in.served
	}
}

// invoke runs one invocation, in a process that is started if there is none yet.
func (in *instance) invoke(ctx context.Context, req Request) (Result, error) {
	inv := &invocation{Request: req, done: make(chan answer, 1)}
	in.setCurrent(inv)
	defer in.setCurrent(nil)
	if !in.served {
		if err := in.start(ctx, req.ID); err != nil {
			return Result{}, err
		}
	} else {
		in.log.begin(in.f, req.ID)
	}
	begin := time.Now()
	a, err := in.ask(ctx, inv)
	if err != nil {
		in.broken = true
		return Result{}, err
	}
	in.log.sync()
	return Result{Payload: a.payload, Failure: a.failure, Log: in.log.end(in.f, req.ID, time.Since(begin))}, nil
}

// ask hands the event over and waits for the answer.
func (in *instance) ask(ctx context.Context, inv *invocation) (answer, error) {
	delivery := time.NewTimer(initTime + in.f.Timeout)
	defer delivery.Stop()
	select {
	case in.events <- inv:
	case <-in.failed:
		if in.served {
			return answer{}, errGone
		}
		return in.end(inv), nil
	case <-delivery.C:
		return in.timedOut(inv), nil
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
	in.served = true
	timeout := time.NewTimer(in.f.Timeout)
	defer timeout.Stop()
	select {
	case a := <-inv.done:
		return a, nil
	case <-in.failed:
		select {
		case a := <-inv.done: // it answered and ended
			return a, nil
		default:
			return in.end(inv), nil
		}
	case <-timeout.C:
		return in.timedOut(inv), nil
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
}

// end is the answer of a process that has ended.
func (in *instance) end(inv *invocation) answer {
	in.mu.Lock()
	defer in.mu.Unlock()
	a := *in.fatal
	if a.payload == nil {
		a.payload = in.exitDocument(inv.ID)
	}
	return a
}

func (in *instance) timedOut(inv *invocation) answer {
	in.broken = true
	return timedOut(inv.ID, in.f.Timeout)
}

func (in *instance) setCurrent(inv *invocation) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.current = inv
}

// fail notes why the process takes no more events. The first reason counts.
func (in *instance) fail(a answer) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.fatal == nil {
		in.fatal = &a
		close(in.failed)
	}
}

// start starts the process and its Runtime API. It fails if that is no fault of the function; otherwise the instance fails.
func (in *instance) start(ctx context.Context, id string) (err error) {
	if in.log, err = newOutput(in.r.cfg.Log); err != nil {
		return err
	}
	in.log.begin(in.f, id)
	dir, closeCode, err := in.f.Open(ctx)
	if err != nil {
		return err
	}
	in.closeCode = closeCode
	if in.tmp, err = os.MkdirTemp(in.r.cfg.Dir, "tmp-"); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := ln.Addr().String()
	in.server = &http.Server{Handler: in.runtimeAPI(addr), ReadHeaderTimeout: time.Minute}
	go func() { _ = in.server.Serve(ln) }() // until stop closes it
	args, err := in.f.Command(dir)
	if err != nil {
		in.fail(failure("Runtime.InvalidEntrypoint", "", err.Error()))
		return nil
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, in.log.writer, in.log.writer
	in.variable = "AWS_LAMBDA_RUNTIME_API=" + addr
	cmd.Env = append(append([]string{}, in.f.Env...), in.variable, "LAMBDA_TASK_ROOT="+dir, "TMPDIR="+in.tmp)
	cmd.SysProcAttr = groupOfItsOwn()
	if err := in.r.spawn.start(cmd); err != nil {
		in.fail(failure("Runtime.InvalidEntrypoint", "", err.Error()))
		return nil
	}
	in.cmd = cmd
	go in.wait()
	return nil
}

// wait notes the end of the process.
func (in *instance) wait() {
	_ = in.cmd.Wait() // the state says it all
	killGroup(in.cmd.Process)
	killStrays(in.variable)
	close(in.exited)
	in.fail(answer{failure: Unhandled})
}

// exitDocument says how the process ended. REQUIRES: it has exited.
func (in *instance) exitDocument(id string) []byte {
	<-in.exited
	if in.cmd.ProcessState.Success() {
		return failure("Runtime.ExitError", id, "Runtime exited without providing a reason").payload
	}
	return failure("Runtime.ExitError", id, "Runtime exited with error: "+in.cmd.ProcessState.String()).payload
}

// stop ends the process and all that belongs to it. No invocation is under way.
func (in *instance) stop() {
	if in.cmd != nil {
		select {
		case <-in.exited: // its number may be another's by now
		default:
			killGroup(in.cmd.Process)
			<-in.exited
		}
	}
	if in.server != nil {
		_ = in.server.Close()
	}
	if in.log != nil {
		in.log.close()
	}
	if in.tmp != "" {
		_ = os.RemoveAll(in.tmp)
	}
	in.closeCode()
}
