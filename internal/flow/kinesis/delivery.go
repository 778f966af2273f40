package kinesis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

const (
	// lookEvery is how often the log is looked at for new records.
	lookEvery = 100 * time.Millisecond
	// The pause of a shard where something went wrong doubles from firstPause to maxPause.
	firstPause = 100 * time.Millisecond
	maxPause   = 30 * time.Second
	// lookStreamEvery is how often a stream that cannot be delivered to yet is looked for.
	lookStreamEvery = 500 * time.Millisecond
	// enableWithin is how long a stream that cannot be reached, or is being created, is looked for.
	enableWithin = time.Minute
	// drainWithin is how long what was committed before a destination was disabled is delivered.
	drainWithin = 30 * time.Second
)

// A delivery delivers the changes of one table to its destination, from when that is enabled until it is at its end.
type delivery struct {
	*Manager
	name   table.Name
	number uint64    // of the table
	since  time.Time // of the follower

	poke    chan struct{} // wakes the delivery
	settled chan struct{} // closed when the destination is no longer ENABLING
	ended   chan struct{} // closed when the delivery has ended

	// Of the goroutine that runs.
	shards   map[uint64]*shard // nil: the stored places are to be read
	until    map[uint64]kv.Pos // while DISABLING: the ends of the shards then
	stalled  bool
	lookNext time.Time // when the stream that is being enabled is looked for again

	unanswered                   atomic.Bool // the last request was not
	delivered, failed, throttled atomic.Int64

	mu     sync.Mutex
	oldest map[uint64]time.Time // guarded by mu; by shard: of the first record that is not delivered
}

func (r *delivery) wake() {
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// run delivers until the destination is at its end. An error of the store ends it too; it then begins anew at the stored places.
func (r *delivery) run(ctx context.Context) error {
	r.shards = nil
	for {
		again, over, err := r.step(ctx)
		if err != nil {
			return err
		}
		if over {
			r.forget(r)
			closeOnce(r.settled)
			closeOnce(r.ended)
			return nil
		}
		if !again && !r.pause(ctx) {
			return context.Cause(ctx)
		}
	}
}

// closeOnce closes a channel that only one goroutine closes.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// pause reports whether the time for another look came before ctx was done.
func (r *delivery) pause(ctx context.Context) bool {
	t := time.NewTimer(lookEvery)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.poke:
	case <-ctx.Done():
		return false
	}
	return true
}

// owns reports whether a definition is of the delivery's table, with the delivery's follower.
func (r *delivery) owns(d *table.Definition) bool {
	if d == nil || d.Number != r.number {
		return false
	}
	f := d.Follower(table.DestinationFollower)
	return f != nil && f.Since.Equal(r.since)
}

// definition returns the table as it is, nil if there is nothing to be delivered any more.
func (r *delivery) definition() *table.Definition {
	if d := r.Catalog.Get(r.name); r.owns(d) {
		return d
	}
	for _, d := range r.Catalog.Retired(func(n table.Name) bool { return n == r.name }) {
		if r.owns(d) {
			return d
		}
	}
	return nil
}

// step does what the destination's state asks for, once. again: there is more to do at once; over: there is nothing more to do.
func (r *delivery) step(ctx context.Context) (again, over bool, err error) {
	d := r.definition()
	if d == nil || d.Destination() == nil {
		return false, true, nil
	}
	x := d.Destination()
	if x.Status != table.Enabling {
		closeOnce(r.settled)
	}
	switch {
	case d.Status == table.Deleted:
		again, err = r.deleted(ctx, d, x)
	case x.Status == table.Enabling:
		again, err = r.enabling(ctx, d, x)
	case x.Status == table.Disabling:
		again, err = r.disabling(ctx, d, x)
	case x.Status == table.Updating && r.due(x):
		again, err = true, r.move(ctx, r.settle)
	default:
		var done done
		done, err = r.round(ctx, d, x)
		again = done.again
	}
	return again, false, err
}

// enabling looks whether the stream is there. It reports whether the destination has got into another state.
func (r *delivery) enabling(ctx context.Context, d *table.Definition, x *table.Destination) (moved bool, err error) {
	now := r.Now()
	if !r.due(x) || now.Before(r.lookNext) {
		return false, nil
	}
	r.lookNext = now.Add(lookStreamEvery)
	why, wait := r.look(ctx, d, x)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	waited := now.Sub(x.Changed)
	switch {
	case wait && waited >= 0 && waited < enableWithin:
		return false, nil
	case why == "":
		return true, r.move(ctx, r.settle)
	}
	r.Logger.Warn("a Kinesis destination cannot be enabled", "table", d.Name, "stream", x.Stream, "reason", why)
	return true, r.move(ctx, func(next *table.Definition) { next.SetDestination(table.EnableFailed, r.Now()).Why = why })
}

// look returns why the stream cannot be delivered to, "" if it can, and whether that may change in a moment.
func (r *delivery) look(ctx context.Context, d *table.Definition, x *table.Destination) (why string, wait bool) {
	region, _, ok := regionOf(x.Stream)
	switch {
	case !ok:
		return "The ARN is not that of a Kinesis data stream", false
	case region != d.Region && !r.AnyRegion:
		return "The Kinesis data stream is not in the region of the table", false
	case r.client == nil:
		return "No Kinesis endpoint is configured", false
	}
	status, err := r.client.streamStatus(ctx, x.Stream)
	switch refused, _ := errors.AsType[*refusal](err); {
	case refused != nil && refused.code == "ResourceNotFoundException":
		return "The Kinesis data stream does not exist", false
	case refused != nil:
		return refused.Error(), transient(err)
	case err != nil:
		r.Logger.Debug("a Kinesis endpoint is not reached", "error", err)
		return "The Kinesis endpoint cannot be reached", true
	case status == "ACTIVE" || status == "UPDATING":
		return "", false
	}
	return "The Kinesis data stream is " + status, status == "CREATING"
}

// disabling delivers what was committed before, unless the stream does not take it, and then ends. It reports whether there is more to
// do at once.
func (r *delivery) disabling(ctx context.Context, d *table.Definition, x *table.Destination) (again bool, err error) {
	if r.until == nil {
		if r.until, err = r.ends(ctx, d); err != nil {
			return false, err
		}
	}
	done, err := r.round(ctx, d, x)
	if err != nil {
		return false, err
	}
	left := done.again || done.faulty
	waited := r.Now().Sub(x.Changed)
	switch {
	case left && r.client != nil && waited >= 0 && waited < drainWithin, !r.due(x):
		return done.again && !done.faulty, nil
	case left:
		r.Logger.Warn("a Kinesis destination is disabled before all changes were delivered", "table", d.Name, "stream", x.Stream)
	}
	return true, r.move(ctx, func(next *table.Definition) { next.SetDestination(table.Disabled, r.Now()) })
}

// ends returns the positions of the newest records of all shards.
func (r *delivery) ends(ctx context.Context, d *table.Definition) (map[uint64]kv.Pos, error) {
	ends := map[uint64]kv.Pos{}
	for _, s := range d.Log.Shards() {
		end, err := r.Log.End(ctx, s.Number)
		if err != nil {
			return nil, err
		}
		ends[s.Number] = end
	}
	return ends, nil
}

// deleted delivers what there is of a table that is no more, and then ends. It reports whether there is more to do at once.
func (r *delivery) deleted(ctx context.Context, d *table.Definition, x *table.Destination) (again bool, err error) {
	if x.Status == table.Enabling {
		return true, r.release(ctx)
	}
	done, err := r.round(ctx, d, x)
	if err != nil || done.again || done.faulty {
		return done.again, err
	}
	return true, r.release(ctx)
}

// report tells of a destination that takes nothing, once, and when it does again.
func (r *delivery) report(d *table.Definition, x *table.Destination, fault error, delivered bool) {
	switch {
	case fault != nil && !r.stalled:
		r.stalled = true
		r.Logger.Warn("a Kinesis data stream does not take all changes; they wait", "table", d.Name, "stream", x.Stream, "error", fault)
	case fault == nil && delivered && r.stalled:
		r.stalled = false
		r.Logger.Info("a Kinesis data stream takes changes again", "table", d.Name, "stream", x.Stream)
	}
}

// waiting notes the time of a shard's first record that is not delivered; zero: all are.
func (r *delivery) waiting(shard uint64, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at.IsZero() {
		delete(r.oldest, shard)
		return
	}
	if r.oldest == nil {
		r.oldest = map[uint64]time.Time{}
	}
	r.oldest[shard] = at
}

func (r *delivery) stats() Stats {
	s := Stats{Table: r.name, Delivered: r.delivered.Load(), Failed: r.failed.Load(), Throttled: r.throttled.Load()}
	now := r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range r.oldest {
		s.Age = max(s.Age, now.Sub(at))
	}
	return s
}
