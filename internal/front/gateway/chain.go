package gateway

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// Serve answers x.Request in x.Response.
func (g *Gateway) Serve(ctx context.Context, x *Exchange) {
	defer g.discard(x)
	x.begun = time.Now()
	if !g.greet(x) {
		return
	}
	r, out, err := g.call(ctx, x)
	switch {
	case err == nil:
		g.answer(x, r, out)
	case !g.answerFailedBody(x, err):
		g.answerError(x, r, g.translate(ctx, r, err))
	}
	r.seconds.Observe(time.Since(x.begun).Seconds())
}

// call is the chain: one request from its bytes to the operation's output.
//
// The service checks that the body is JSON, then that the operation exists, then who is calling. Only a request that is
// going to fail needs the body looked at so early: earlier does it then.
func (g *Gateway) call(ctx context.Context, x *Exchange) (*route, any, error) {
	if err := g.readBody(ctx, x); err != nil {
		return g.nowhere(x), nil, err
	}
	r, err := g.route(x)
	if err != nil {
		return r, nil, earlier(x, r, err)
	}
	id, err := g.authenticate(x, r)
	if err != nil {
		return r, nil, earlier(x, r, err)
	}
	in, err := r.codec(x).Decode(r.op, x.body)
	if err != nil {
		return r, nil, err
	}
	if err := api.Validate(r.op, in); err != nil {
		return r, nil, err
	}
	out, err := g.run(ctx, x, r, id, in)
	return r, out, err
}

// run calls the operation. A panic in it is a fault of this operation and of nothing else.
func (g *Gateway) run(ctx context.Context, x *Exchange, r *route, id sigv4.Identity, in any) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			g.logPanic(r.op.Name, p)
			out, err = nil, api.Internal()
		}
	}()
	principal := g.cfg.Keys.Principal(id.AccessKey)
	x.call = api.Call{
		Service:   r.service,
		Op:        r.op,
		RequestID: x.RequestID,
		Region:    g.region(id.Region),
		Account:   principal.Account,
		Principal: principal,
		Host:      x.Host,
		Time:      x.begun,
		Arena:     &x.arena,
	}
	if g.cfg.Now != nil {
		x.call.Time = g.cfg.Now()
	}
	return r.op.Run(ctx, &x.call, in)
}

// region returns the namespace that requests for a region act in.
func (g *Gateway) region(asked string) string {
	if !g.cfg.OneRegion {
		return asked
	}
	if g.cfg.Region != "" {
		return g.cfg.Region
	}
	return "us-east-1"
}

// translate turns whatever a step failed with into an error of the service.
func (g *Gateway) translate(ctx context.Context, r *route, err error) *api.Error {
	var e *api.Error
	if errors.As(err, &e) {
		return e
	}
	if r.service != nil && r.service.Translate != nil {
		if e := r.service.Translate(err); e != nil {
			return e
		}
	}
	if ctx.Err() != nil {
		return api.Unavailable("The server is shutting down.")
	}
	g.cfg.Logger.Error("operation failed", "operation", r.name(), "error", err)
	return api.Internal()
}

func (g *Gateway) logPanic(where string, p any) {
	g.metrics.panics.Inc()
	g.cfg.Logger.Error("panic", "operation", where, "panic", p, "stack", string(debug.Stack()))
}
