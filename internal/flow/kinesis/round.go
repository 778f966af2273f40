package kinesis

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

// A shard is how far the delivery of one shard of the log has come.
type shard struct {
	cursor kv.Pos          // up to here everything has arrived
	stored kv.Pos          // the cursor as it is in the store
	ahead  map[kv.Pos]bool // what has arrived behind it
	over   bool            // there is no more, and there will be none

	limit int           // of records in a request: fewer after one that failed
	wait  time.Time     // until when it is left alone
	delay time.Duration // for which it was left alone last
}

func newShard(at kv.Pos) *shard {
	return &shard{cursor: at, stored: at, ahead: map[kv.Pos]bool{}, limit: maxRecords}
}

// done is what came of a round.
type done struct {
	again  bool // there is more to do at once
	faulty bool // a shard waits because something went wrong
}

// round gives each shard that is to be read a turn, and stores how far all have come.
func (r *delivery) round(ctx context.Context, d *table.Definition, x *table.Destination) (done, error) {
	if err := r.load(ctx, d); err != nil {
		return done{}, err
	}
	var (
		ready = r.ready(d)
		taken = make([]turn, len(ready))
		all   sync.WaitGroup
	)
	src := newSource(d, x.Precision)
	for i := range ready {
		s := &ready[i]
		taken[i] = turn{delivery: r, source: &src, stream: x.Stream, of: s, state: r.shards[s.Number]}
		all.Go(func() { taken[i].take(ctx) })
	}
	all.Wait()
	out, err := r.sum(d, x, taken)
	// Also when the process is about to end: what has arrived need not be sent again.
	return out, errors.Join(err, r.store(context.WithoutCancel(ctx), d))
}

// store stores the cursors that have moved, or leaves them to another round while the disk is full: deliveries go on meanwhile.
func (r *delivery) store(ctx context.Context, d *table.Definition) error {
	moved := map[uint64]kv.Pos{}
	for number, s := range r.shards {
		if s.cursor > s.stored {
			moved[number] = s.cursor
		}
	}
	if len(moved) == 0 {
		return nil
	}
	err := r.Log.Advance(ctx, d, table.DestinationFollower, moved)
	if errors.Is(err, kv.ErrNoSpace) {
		return nil
	}
	if err != nil {
		return err
	}
	for number, at := range moved {
		r.shards[number].stored = at
	}
	return nil
}

// sum puts together what came of all turns.
func (r *delivery) sum(d *table.Definition, x *table.Destination, turns []turn) (out done, err error) {
	var fault error
	delivered := false
	for i := range turns {
		t := &turns[i]
		out.again = out.again || t.more
		delivered = delivered || t.arrived
		err = errors.Join(err, t.err)
		if t.fault != nil {
			fault = t.fault
		}
	}
	for _, s := range r.shards {
		out.faulty = out.faulty || !s.wait.IsZero()
	}
	r.report(d, x, fault, delivered)
	return out, err
}

// load reads the stored places, if they have not been read, and forgets the shards that are no more.
func (r *delivery) load(ctx context.Context, d *table.Definition) error {
	all := d.Log.Shards()
	there := map[uint64]bool{}
	for i := range all {
		there[all[i].Number] = true
	}
	maps.DeleteFunc(r.shards, func(number uint64, _ *shard) bool {
		if !there[number] {
			r.waiting(number, time.Time{})
		}
		return !there[number]
	})
	if r.shards != nil {
		return nil
	}
	places, err := r.Log.Places(ctx, d, table.DestinationFollower)
	if err != nil {
		return err
	}
	r.shards = map[uint64]*shard{}
	for number, at := range places {
		if there[number] {
			r.shards[number] = newShard(at)
		}
	}
	return nil
}

// ready returns the shards that are to be read now: those that are not over and whose parents are, and which need not wait.
func (r *delivery) ready(d *table.Definition) (list []table.Shard) {
	f := d.Follower(table.DestinationFollower)
	now := time.Now()
	unfinished := map[uint64]bool{}
	for _, s := range d.Log.Shards() { // parents first
		if !f.Covers(&s) {
			continue
		}
		state := r.shards[s.Number]
		if state == nil {
			state = newShard(0)
			r.shards[s.Number] = state
		}
		if state.over {
			continue
		}
		unfinished[s.Number] = true
		if !unfinished[s.Parent] && !now.Before(state.wait) {
			list = append(list, s)
		}
	}
	return list
}

// failed leaves the shard alone for a while. Unless something has arrived that is longer each time, and requests get smaller.
func (s *shard) failed(progress bool) {
	if progress {
		s.delay = firstPause
	} else {
		s.delay = max(firstPause, min(2*s.delay, maxPause))
		s.limit = max(1, s.limit/2)
	}
	s.wait = time.Now().Add(s.delay/2 + rand.N(s.delay/2))
}

// succeeded ends what failed began.
func (s *shard) succeeded() {
	s.delay, s.wait, s.limit = 0, time.Time{}, min(2*s.limit, maxRecords)
}

// skip goes on behind a position, up to which the log has been trimmed, and returns how many records have not arrived and never will.
func (s *shard) skip(to kv.Pos) (lost int64) {
	lost = int64(to - s.cursor)
	maps.DeleteFunc(s.ahead, func(at kv.Pos, _ bool) bool {
		if at > to {
			return false
		}
		lost--
		return true
	})
	s.cursor = to
	s.succeeded()
	return lost
}

// A turn delivers one window of a shard's records.
type turn struct {
	*delivery
	source *source
	stream string
	of     *table.Shard
	state  *shard

	entries []changelog.Entry // that have not arrived, and some that have
	keys    []table.Key
	ids     []string // what items they are of
	data    []byte   // memory for one record

	arrived bool  // something has
	more    bool  // there is more to do at once
	fault   error // of the endpoint
	err     error // of the store
}

// silent reports whether the endpoint did not answer when it was asked last: for this stream, or for any of its region.
func (t *turn) silent() bool {
	return t.unanswered.Load() || t.client != nil && t.client.silence(t.stream).Load()
}

// begin waits until a turn is free and returns what ends it. A stream whose endpoint falls silent while it waits leaves the place to
// streams that are answered.
func (t *turn) begin(ctx context.Context) (end func(), err error) {
	for {
		silent, places := t.silent(), t.turns
		if silent {
			places = t.trials
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if silent || !t.silent() {
			return func() { <-places }, nil
		}
		<-places
	}
}

// take takes the turn, when one is free.
func (t *turn) take(ctx context.Context) {
	end, err := t.begin(ctx)
	if err != nil {
		t.err = err
		return
	}
	defer end()
	if t.err = t.read(ctx); t.err != nil || len(t.entries) == 0 {
		return
	}
	t.waiting(t.of.Number, t.entries[0].Stamp.At())
	for b := newBatch(t.stream); t.fill(b); {
		if t.fault = t.send(ctx, b); t.fault != nil {
			t.state.failed(t.arrived)
			break
		}
		t.state.succeeded()
	}
	t.settle()
	if ctx.Err() != nil {
		t.err = context.Cause(ctx)
	}
}

// read reads the window behind the cursor.
func (t *turn) read(ctx context.Context) error {
	list, next, err := t.Log.Read(ctx, t.of.Number, t.state.cursor, maxRecords)
	if errors.Is(err, kv.ErrTrimmed) {
		lost := t.state.skip(next)
		t.failed.Add(lost)
		t.Logger.Error("changes have waited too long for a Kinesis data stream and are lost to it", "table", t.name.Table, "stream", t.stream, "records", lost)
		t.more = true
		return nil
	}
	if err != nil {
		return err
	}
	if t.until != nil {
		for i := range list {
			if list[i].Pos > t.until[t.of.Number] {
				list = list[:i]
				break
			}
		}
	}
	if len(list) == 0 {
		t.state.succeeded()
		t.waiting(t.of.Number, time.Time{})
		// The definition is older than the look into the log: nothing can come behind what was read.
		t.state.over = !t.of.Closed.IsZero()
		t.more = t.state.over
		return nil
	}
	t.entries, t.more = list, true
	return t.identify()
}

// identify finds out what items the records are of.
func (t *turn) identify() error {
	d := t.source.table
	t.keys, t.ids = make([]table.Key, len(t.entries)), make([]string, len(t.entries))
	for i := range t.entries {
		key, err := d.KeyOf(t.entries[i].Image())
		if err != nil {
			return err
		}
		t.keys[i], t.ids[i] = key, string(d.AppendRowKey(nil, key))
	}
	return nil
}

// fill fills a batch with what has not arrived: of each item the first record. It reports whether there is any.
func (t *turn) fill(b *batch) bool {
	b.reset()
	taken := map[string]bool{}
	for i := range t.entries {
		e := &t.entries[i]
		if t.state.ahead[e.Pos] || taken[t.ids[i]] {
			continue
		}
		if len(b.positions) == t.state.limit {
			break
		}
		partition := partitionKey(t.keys[i])
		t.data = t.source.appendRecord(t.data[:0], t.of.Number, e, t.keys[i])
		if !fits(partition, t.data) {
			t.leaveOut(e)
			continue
		}
		if !b.add(e.Pos, partition, t.data) {
			break
		}
		taken[t.ids[i]] = true
	}
	return len(b.positions) > 0
}

// leaveOut passes over a record that no stream takes.
func (t *turn) leaveOut(e *changelog.Entry) {
	t.failed.Add(1)
	t.Logger.Error("a change is too large for a Kinesis record and is left out", "table", t.name.Table, "stream", t.stream, "bytes", len(t.data))
	t.state.ahead[e.Pos] = true
}

// errNoEndpoint is what every request without an endpoint fails with.
var errNoEndpoint = errors.New("no Kinesis endpoint is configured")

// send puts a batch and notes what has arrived. It fails if not all has.
func (t *turn) send(ctx context.Context, b *batch) error {
	if t.client == nil {
		return errNoEndpoint
	}
	verdicts, err := t.client.putRecords(ctx, b)
	_, refused := errors.AsType[*refusal](err)
	t.unanswered.Store(err != nil && !refused)
	t.client.silence(t.stream).Store(err != nil && !refused)
	if err != nil {
		if isThrottling(err) {
			t.throttled.Add(int64(len(b.positions)))
		}
		return err
	}
	var left error
	for i, v := range verdicts {
		if v.ErrorCode == "" {
			t.state.ahead[b.positions[i]] = true
			t.delivered.Add(1)
			t.arrived = true
			continue
		}
		if v.ErrorCode == tooFast {
			t.throttled.Add(1)
		}
		left = &refusal{http.StatusOK, v.ErrorCode, v.ErrorMessage}
	}
	return left
}

// settle moves the cursor over what has arrived.
func (t *turn) settle() {
	left := t.entries
	for len(left) > 0 && t.state.ahead[left[0].Pos] {
		t.state.cursor = left[0].Pos
		delete(t.state.ahead, t.state.cursor)
		left = left[1:]
	}
	if len(left) > 0 {
		t.waiting(t.of.Number, left[0].Stamp.At())
		return
	}
	t.waiting(t.of.Number, time.Time{})
}
