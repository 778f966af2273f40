package esm

import (
	"context"
	"encoding/json"
	"time"
)

// maxState is the size of the largest state that a function may give to its next invocation of a window.
const maxState = 1 << 20

// windowStart returns when the tumbling window begins that a time lies in.
func (s *Settings) windowStart(t time.Time) time.Time {
	length := int64(s.Tumbling / time.Second)
	return time.Unix(t.Unix()/length*length, 0).UTC()
}

// windowOf returns when the window begins that a record goes to. One whose window is closed already (it was stamped before the end and
// became durable after it) goes to the one that follows. A window that was closed in what is now the future was closed by a wrong clock.
func (w *worker) windowOf(r *Record) time.Time {
	if closed := w.at.Closed; r.Time.Before(closed) && !closed.After(w.p.cfg.Now()) {
		return w.p.cfg.windowStart(closed)
	}
	return w.p.cfg.windowStart(r.Time)
}

// sameWindow reports whether two records may be in one batch.
func (w *worker) sameWindow(a, b *Record) bool {
	return w.p.cfg.Tumbling == 0 || w.windowOf(a).Equal(w.windowOf(b))
}

// windowOver reports whether the open window has ended: its time is over, and next, what comes next, is not in it; or the mapping
// is to have no windows any more.
func (w *worker) windowOver(next []Record) bool {
	open := w.at.Window
	if open == nil {
		return false
	}
	if w.p.cfg.Tumbling == 0 {
		return true
	}
	if len(next) > 0 {
		return !next[0].Time.Before(open.End)
	}
	return w.ended || !w.p.cfg.Now().Before(open.End)
}

// closeWindow makes the last call of a window that is over, and forgets it.
func (w *worker) closeWindow(ctx context.Context, next []Record) error {
	if !w.windowOver(next) {
		return nil
	}
	return w.lastCall(ctx, w.p.cfg.Tumbling == 0)
}

// lastCall gives the function the state of the window for the last time. It is tried no longer than a record of the window would be.
func (w *worker) lastCall(ctx context.Context, early bool) error {
	b := &batch{last: true, early: early}
	for !w.p.over(ctx) {
		switch v := w.call(ctx, b); {
		case v.done():
			return w.forgetWindow(ctx, early)
		case ctx.Err() != nil:
			return nil
		case w.exhausted(b), w.p.cfg.Now().Sub(w.at.Window.End) > w.p.cfg.maxAge():
			w.p.cfg.Log.Warn("the last call of a window is given up", "function", w.p.cfg.FunctionARN, "shard", w.at.Shard, "start", w.at.Window.Start)
			return w.forgetWindow(ctx, early)
		}
		w.backOff(ctx, b)
	}
	return nil
}

// forgetWindow closes the window. One that ends early may be opened again: its time is not over.
func (w *worker) forgetWindow(ctx context.Context, early bool) error {
	next := *w.at
	if !early {
		next.Closed = next.Window.End
	}
	next.Window = nil
	return w.commit(ctx, next)
}

// openWindow opens the window of a batch if none is open.
func (w *worker) openWindow(b *batch) {
	if w.p.cfg.Tumbling == 0 || w.at.Window != nil {
		return
	}
	start := w.windowOf(&b.records[0])
	w.at.Window = &Window{Start: start, End: start.Add(w.p.cfg.Tumbling), State: []byte("{}")}
}

// A windowEvent is what an event of a tumbling window has beside the records.
type windowEvent struct {
	Window struct {
		Start string `json:"start"`
		End   string `json:"end"`
	} `json:"window"`
	State     json.RawMessage `json:"state"`
	Shard     string          `json:"shardId"`
	SourceARN string          `json:"eventSourceARN"`
	Last      bool            `json:"isFinalInvokeForWindow"`
	Early     bool            `json:"isWindowTerminatedEarly"`
}

// windowMembers returns these members as JSON without braces.
func (w *worker) windowMembers(b *batch) []byte {
	e := windowEvent{State: w.at.Window.State, Shard: w.at.Shard, SourceARN: w.p.cfg.StreamARN, Last: b.last, Early: b.early}
	e.Window.Start = w.at.Window.Start.Format(time.RFC3339)
	e.Window.End = w.at.Window.End.Format(time.RFC3339)
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // the state was checked when it came
	}
	return text[1 : len(text)-1]
}
