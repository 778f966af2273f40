package esm

import (
	"bytes"
	"context"
	"encoding/json"
	"time"
)

// A batch is records that one call has, with what became of former calls.
type batch struct {
	records []Record
	calls   int // that failed, those of the batches that it is a half of included
	refused int // calls in sequence that did not reach the function
	last    bool
	early   bool
}

// A verdict is what a call came to.
type verdict struct {
	reached bool // the function was run
	good    int  // so many records from the first are done with
	all     bool
	state   json.RawMessage // of the window, after them; nil: as before
}

func (v verdict) done() bool { return v.reached && v.all }

// process calls the function with the records until all are done with, or nobody wants more.
func (w *worker) process(ctx context.Context, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	queue := []*batch{{records: records}}
	for len(queue) > 0 && !w.p.over(ctx) {
		b := queue[0]
		if err := w.dropOld(ctx, b); err != nil {
			return err
		}
		if len(b.records) == 0 {
			queue = queue[1:]
			continue
		}
		rest, err := w.try(ctx, b)
		if err != nil {
			return err
		}
		queue = append(rest, queue[1:]...)
	}
	if len(queue) == 0 && len(w.buffer) == 0 && w.readTo != w.at.After {
		return w.skip(ctx) // what was passed over behind the batch
	}
	return nil
}

// try calls the function once with a batch and returns what is left of it.
func (w *worker) try(ctx context.Context, b *batch) ([]*batch, error) {
	w.openWindow(b)
	v := w.call(ctx, b)
	if v.good > 0 {
		next := *w.at
		next.After, next.Since = b.records[v.good-1].Sequence, time.Time{}
		if v.state != nil {
			next.Window = &Window{next.Window.Start, next.Window.End, v.state}
		}
		if err := w.commit(ctx, next); err != nil {
			return nil, err
		}
		b.records = b.records[v.good:]
		b.calls = min(b.calls, 1) // which the first of them failed in: what was before it held it up
	}
	switch {
	case v.done():
		return nil, w.endEarly(ctx)
	case w.exhausted(b):
		return nil, w.discard(ctx, b, conditionRetries)
	case v.reached && v.good == 0 && w.p.cfg.Bisect && len(b.records) > 1:
		b.calls-- // to split is not to try again
		half := len(b.records) / 2
		return []*batch{{records: b.records[:half], calls: b.calls}, {records: b.records[half:], calls: b.calls}}, nil
	}
	w.backOff(ctx, b)
	return []*batch{b}, nil
}

// endEarly ends a window whose state has grown too large.
func (w *worker) endEarly(ctx context.Context) error {
	if w.at.Window == nil || len(w.at.Window.State) <= maxState {
		return nil
	}
	return w.lastCall(ctx, true)
}

// exhausted reports whether a batch has been tried as often as may be.
func (w *worker) exhausted(b *batch) bool {
	if w.p.cfg.Retries < 0 || b.refused > 0 {
		return false
	}
	return b.calls > w.p.cfg.Retries && !(w.p.cfg.Bisect && len(b.records) > 1)
}

// backOff waits before a batch is tried again.
func (w *worker) backOff(ctx context.Context, b *batch) {
	pause := w.p.cfg.Pace.Retry << min(max(b.calls, b.refused, 1)-1, 16)
	w.p.sleep(ctx, min(pause, w.p.cfg.Pace.MaxRetry))
}

// maxAge is how old a record may be.
func (s *Settings) maxAge() time.Duration {
	if s.MaxAge == 0 {
		return retention
	}
	return min(s.MaxAge, retention)
}

// dropOld gives up the records that are too old.
func (w *worker) dropOld(ctx context.Context, b *batch) error {
	n, limit := 0, w.p.cfg.Now().Add(-w.p.cfg.maxAge())
	for n < len(b.records) && b.records[n].Time.Before(limit) {
		n++
	}
	if n == 0 {
		return nil
	}
	old := &batch{records: b.records[:n], calls: b.calls}
	b.records = b.records[n:]
	return w.discard(ctx, old, conditionAge)
}

// call calls the function with a batch.
func (w *worker) call(ctx context.Context, b *batch) verdict {
	answer, failure, err := w.p.cfg.Function(ctx, w.event(b))
	if ctx.Err() != nil {
		return verdict{}
	}
	if err != nil {
		b.refused++
		w.p.cfg.Note("PROBLEM: " + err.Error())
		return verdict{}
	}
	b.refused = 0
	v := w.judge(b, answer, failure)
	if v.done() {
		w.p.cfg.Note(ResultOK)
		return v
	}
	b.calls++
	w.p.cfg.Note(ResultFailed)
	return v
}

// event returns what the function gets.
func (w *worker) event(b *batch) []byte {
	var e bytes.Buffer
	e.WriteString(`{"Records":[`)
	for i := range b.records {
		if i > 0 {
			e.WriteByte(',')
		}
		e.Write(b.records[i].JSON)
	}
	e.WriteByte(']')
	if w.at.Window != nil {
		e.WriteByte(',')
		e.Write(w.windowMembers(b))
	}
	e.WriteByte('}')
	return e.Bytes()
}

// An answer is what a function may say about a batch. Null and absent are told apart where that matters.
type answer struct {
	Failures []struct {
		Sequence *string `json:"itemIdentifier"`
	} `json:"batchItemFailures"`
	State json.RawMessage `json:"state"`
}

// judge says what the function's answer means.
func (w *worker) judge(b *batch, text []byte, failure string) verdict {
	failed := verdict{reached: true}
	if failure != "" {
		return failed
	}
	if !w.p.cfg.Partial && w.at.Window == nil {
		return verdict{reached: true, good: len(b.records), all: true}
	}
	var a answer
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && json.Unmarshal(trimmed, &a) != nil {
		return failed
	}
	good := len(b.records)
	if w.p.cfg.Partial {
		good = a.good(b.records)
	}
	v := verdict{reached: true, good: good, all: good == len(b.records)}
	if w.at.Window != nil && !b.last {
		if v.state = a.State; v.state == nil {
			return failed // what came in the window would be lost
		}
	}
	return v
}

// good returns how many records from the first the answer does not call failed. An identifier that is none of the batch's makes all fail.
func (a *answer) good(records []Record) int {
	if len(a.Failures) == 0 {
		return len(records)
	}
	place := make(map[string]int, len(records))
	for i := range records {
		place[records[i].Sequence] = i
	}
	good := len(records)
	for _, f := range a.Failures {
		if f.Sequence == nil {
			return 0
		}
		i, ok := place[*f.Sequence]
		if !ok {
			return 0
		}
		good = min(good, i)
	}
	return good
}
