package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/dist"
	"github.com/grammedb/gramme/internal/bench/pace"
	"github.com/grammedb/gramme/internal/bench/workload"
)

// A worker has one connection and sends one request at a time.
type worker struct {
	run    *run
	ctx    context.Context // of the connection; it outlives an interrupt, so that requests under way are answered
	conn   *client.Conn
	gen    *workload.Generator
	rng    dist.RNG // for backoff
	cursor workload.Cursor
	rec    *recorder
	pacer  pace.Timer
	body   []byte
	resp   client.Response
}

// work runs operations until the phase is over.
func (w *worker) work(p *phase) {
	for {
		due, ok := p.claim()
		if !ok {
			return
		}
		sent, slept := due, false
		if p.interval > 0 {
			if wait := due - p.elapsed(); wait > 0 {
				if !w.pacer.Sleep(wait, p.over) {
					return
				}
				slept = true
			}
			sent = p.elapsed()
		}
		part := w.gen.Pick(w.run.mix)
		var o outcome
		w.operate(p, w.run.mix.Parts[part].Operation, &o)
		if p.record != nil && !o.abandoned {
			w.rec.add(p, event{part: part, due: due, sent: sent, done: p.elapsed(), slept: slept, outcome: o})
		}
	}
}

// An outcome is how an operation went.
type outcome struct {
	code           string // of the failure, "" for none
	text           string // of the failure
	items          uint64
	sent, received int
	answers, crcs  uint64 // that were looked into
	abandoned      bool   // between two attempts, as the phase was over
}

// operate runs an operation: one request, or one and the other that follows from it.
func (w *worker) operate(p *phase, op *workload.Operation, o *outcome) {
	for next := op; next != nil && o.code == ""; next = next.Then {
		w.body = next.Body(w.gen, &w.cursor, w.body[:0])
		w.request(p, next, o)
	}
	if op.Ended != nil {
		op.Ended(w.gen, &w.cursor)
	}
}

// request sends w.body until it is answered for good: failures that may pass, and what is left of a batch, are sent again
// after a while.
func (w *worker) request(p *phase, op *workload.Operation, o *outcome) {
	for attempt := 0; ; attempt++ {
		code, text, again := w.attempt(op, o)
		if code == "" {
			o.items = 1
			if op.Answered != nil {
				o.items = op.Answered(&w.cursor, w.resp.Body)
			}
			return
		}
		if !again || attempt >= p.retries {
			o.code, o.text = code, text
			return
		}
		if p.record != nil {
			w.rec.retry(p, code)
		}
		if !w.backoff(attempt, p.over) {
			o.code, o.text, o.abandoned = code, text, true
			return
		}
	}
}

// attempt sends w.body once. again says that it should be sent again; of a batch then only the rest is in it.
func (w *worker) attempt(op *workload.Operation, o *outcome) (code, text string, again bool) {
	n, err := w.conn.Do(w.ctx, op.Target, w.body, &w.resp)
	if w.ctx.Err() != nil {
		return "Interrupted", context.Cause(w.ctx).Error(), false
	}
	if err != nil {
		return client.TransportCode(err), err.Error(), true
	}
	o.sent += n
	o.received += w.resp.Total
	if w.resp.Status != 200 {
		return w.resp.Code(), brief(w.resp.Body), w.resp.Retryable()
	}
	if w.run.cfg.Verify {
		if code, text := w.verify(op, o); code != "" {
			return code, text, false
		}
	}
	if rest := workload.Remaining(op.Target, w.resp.Body); rest != nil {
		w.body = append(append(append(w.body[:0], `{"RequestItems":`...), rest...), '}')
		return client.CodeUnprocessed, brief(rest), true
	}
	return "", "", false
}

// verify looks into an answer.
func (w *worker) verify(op *workload.Operation, o *outcome) (code, text string) {
	o.answers++
	checked, good := w.resp.CheckCRC32()
	if checked {
		o.crcs++
	}
	if !good {
		return client.CodeCRC32, fmt.Sprintf("the body does not have the CRC-32 %s", w.resp.CRC32)
	}
	if err := w.gen.CheckAnswer(op, &w.cursor, w.resp.Body); err != nil {
		return client.CodeWrong, fmt.Sprintf("%s: %v", op.Target, err)
	}
	return "", ""
}

// brief returns the begin of a body.
func brief(body []byte) string { return string(body[:min(len(body), 300)]) }

// Backoff grows from the first to the longest wait, each time drawn from zero up to it, so that clients that failed together
// do not come back together.
const (
	firstBackoff   = 25 * time.Millisecond
	longestBackoff = 2 * time.Second
)

// backoff waits before a retry. false: the phase ended meanwhile.
func (w *worker) backoff(attempt int, over <-chan struct{}) bool {
	longest := min(longestBackoff, firstBackoff<<min(attempt, 10))
	t := time.NewTimer(time.Duration(w.rng.Float() * float64(longest)))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-over:
		return false
	}
}
