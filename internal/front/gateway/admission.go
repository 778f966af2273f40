package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/api"
)

// limits are what requests share.
type limits struct {
	bytes   int64         // of bodies and answers in memory
	running int64         // requests at once
	waiting int           // requests that wait for their turn
	wait    time.Duration // how long one waits
}

// An admission lets requests in while there is room, and has the others wait a little.
//
// The newest of those that wait goes first: under overload some requests are then served as fast as ever and the others
// are told to come back, instead of all being served too late. Nothing but the time limit ends a wait, so a request that
// waits while it holds memory cannot block others for longer than that.
type admission struct {
	limits

	mu      sync.Mutex
	free    claim
	waiters []*waiter // oldest first
	refused int64
}

// A claim is what a request needs or holds.
type claim struct {
	running int64
	bytes   int64
}

type waiter struct {
	claim
	granted chan struct{}
}

func newAdmission(l limits) *admission {
	return &admission{limits: l, free: claim{l.running, l.bytes}}
}

// take waits until c is free and takes it. It reports false if that took too long or too many wait.
func (a *admission) take(ctx context.Context, c claim) bool {
	a.mu.Lock()
	if len(a.waiters) == 0 && a.fits(c) {
		a.grab(c)
		a.mu.Unlock()
		return true
	}
	if len(a.waiters) >= a.waiting || c.bytes > a.limits.bytes {
		a.refused++
		a.mu.Unlock()
		return false
	}
	w := &waiter{c, make(chan struct{})}
	a.waiters = append(a.waiters, w)
	a.mu.Unlock()

	timer := time.NewTimer(a.wait)
	defer timer.Stop()
	select {
	case <-w.granted:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return a.giveUp(w)
}

// giveUp takes w off the list, and reports whether it was granted in the meantime.
func (a *admission) giveUp(w *waiter) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.waiters {
		if a.waiters[i] == w {
			a.waiters = append(a.waiters[:i], a.waiters[i+1:]...)
			a.refused++
			return false
		}
	}
	return true
}

// give returns c and lets in who fits now.
func (a *admission) give(c claim) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free.running += c.running
	a.free.bytes += c.bytes
	for n := len(a.waiters); n > 0 && a.fits(a.waiters[n-1].claim); n-- {
		w := a.waiters[n-1]
		a.waiters = a.waiters[:n-1]
		a.grab(w.claim)
		close(w.granted)
	}
}

// charge takes bytes that are in use already: the free ones may become negative.
func (a *admission) charge(bytes int64) {
	a.mu.Lock()
	a.free.bytes -= bytes
	a.mu.Unlock()
}

// fits reports whether c is free. A request that needs nothing of something does not care how short that is.
func (a *admission) fits(c claim) bool {
	return (c.running == 0 || c.running <= a.free.running) && (c.bytes == 0 || c.bytes <= a.free.bytes)
}

func (a *admission) grab(c claim) {
	a.free.running -= c.running
	a.free.bytes -= c.bytes
}

// A load is how an admission is doing.
type load struct {
	running, bytes, refused int64
	waiting                 int
}

func (a *admission) load() load {
	a.mu.Lock()
	defer a.mu.Unlock()
	return load{a.running - a.free.running, a.bytes - a.free.bytes, a.refused, len(a.waiters)}
}

// admit waits for x's turn, and for the memory that its body needs.
func (g *Gateway) admit(ctx context.Context, x *Exchange, bytes int64) error {
	return g.claim(ctx, x, claim{running: 1, bytes: bytes})
}

// reserve waits for more memory for x.
func (g *Gateway) reserve(ctx context.Context, x *Exchange, bytes int64) error {
	return g.claim(ctx, x, claim{bytes: bytes})
}

func (g *Gateway) claim(ctx context.Context, x *Exchange, c claim) error {
	if !g.admission.take(ctx, c) {
		return api.Throttled("The server has more requests than it can take. Try again.")
	}
	x.held.running += c.running
	x.held.bytes += c.bytes
	return nil
}

// ran gives back x's place among the requests that run.
func (g *Gateway) ran(x *Exchange) {
	if x.held.running > 0 {
		g.admission.give(claim{running: x.held.running})
		x.held.running = 0
	}
}

// finish gives back what x holds.
func (g *Gateway) finish(x *Exchange) {
	if x.held != (claim{}) {
		g.admission.give(x.held)
		x.held = claim{}
	}
}
