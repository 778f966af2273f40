package esm

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// A worker reads one lane of a shard.
type worker struct {
	p  *Poller
	at *Checkpoint

	iterator string
	buffer   []Record // read, ours, and not yet in a batch
	readTo   string   // sequence number of the last record read, ours or not
	ended    bool     // there will be no more
	saved    time.Time
}

// run calls the function with what comes, until the shard ends or nobody wants more.
func (w *worker) run(ctx context.Context) error {
	if err := w.seek(ctx); err != nil {
		return err
	}
	for !w.p.over(ctx) {
		batch, err := w.gather(ctx)
		if err != nil {
			return err
		}
		next := batch
		if len(next) == 0 {
			next = w.buffer
		}
		if err := w.closeWindow(ctx, next); err != nil {
			return err
		}
		if err := w.process(ctx, batch); err != nil {
			return err
		}
		if w.ended && len(w.buffer) == 0 && !w.p.over(ctx) {
			if err := w.closeWindow(ctx, nil); err != nil || w.p.over(ctx) {
				return err
			}
			return w.finish(ctx)
		}
	}
	return nil
}

// seek makes the iterator at the checkpoint, or takes the one that the mapping began with. What has been trimmed is gone; what is left comes.
func (w *worker) seek(ctx context.Context) (err error) {
	w.readTo, w.buffer, w.ended = w.at.After, nil, false
	if latest := w.p.cfg.Latest[w.at.Shard]; latest != "" && w.at.After == "" {
		w.iterator = latest
		return nil
	}
	w.iterator, err = w.p.cfg.Source.Iterator(ctx, w.at.Shard, w.at.After)
	if errors.Is(err, ErrTrimmed) {
		w.iterator, err = w.p.cfg.Source.Iterator(ctx, w.at.Shard, "")
	}
	return err
}

// gather returns the next batch. It returns none when nobody wants one, at the end of the shard and at that of a tumbling window.
func (w *worker) gather(ctx context.Context) ([]Record, error) {
	var since time.Time // when the first record came
	for !w.p.over(ctx) {
		if n := w.full(); n > 0 {
			return w.take(n), nil
		}
		read, err := w.read(ctx)
		if err != nil {
			return nil, err
		}
		if since.IsZero() && len(w.buffer) > 0 {
			since = time.Now()
		}
		switch {
		case w.ended, len(w.buffer) > 0 && w.waited(since, read):
			return w.take(w.fit()), nil
		case w.windowOver(w.buffer) && (read == 0 || len(w.buffer) > 0): // otherwise what comes next may be in the window
			return nil, nil
		case read == 0:
			w.p.sleep(ctx, w.pause(since))
		}
	}
	return nil, w.settle(ctx)
}

// settle notes, when nobody wants more, what was passed over since progress was stored last.
func (w *worker) settle(ctx context.Context) error {
	if len(w.buffer) > 0 || w.readTo == w.at.After || ctx.Err() != nil {
		return nil
	}
	return w.save(ctx, w.readTo)
}

// waited reports whether a batch goes as it is, with a first record that came at since, after a page of so many records.
func (w *worker) waited(since time.Time, read int) bool {
	if w.p.cfg.Window == 0 {
		return read < pageSize
	}
	return time.Since(since) >= w.p.cfg.Window
}

// pause is how long to wait for more.
func (w *worker) pause(since time.Time) time.Duration {
	d := w.p.cfg.Pace.Poll
	if !since.IsZero() {
		d = min(d, max(time.Millisecond, w.p.cfg.Window-time.Since(since)))
	}
	return d
}

// fit returns how many records of the buffer one batch can hold.
func (w *worker) fit() int {
	size := 0
	for i := range w.buffer {
		size += len(w.buffer[i].JSON) + 1
		if i == w.p.cfg.Batch || i > 0 && size > maxPayload-envelope || !w.sameWindow(&w.buffer[0], &w.buffer[i]) {
			return i
		}
	}
	return len(w.buffer)
}

// envelope is room for what surrounds the records of an event.
const envelope = 8 << 10

// full returns the size of a batch that nothing can be added to; 0 if something may.
func (w *worker) full() int {
	if n := w.fit(); n < len(w.buffer) || n == w.p.cfg.Batch {
		return n
	}
	return 0
}

func (w *worker) take(n int) []Record {
	batch := w.buffer[:n:n]
	w.buffer = w.buffer[n:]
	return batch
}

// read reads one page into the buffer and returns how many records it had, ours or not.
func (w *worker) read(ctx context.Context) (int, error) {
	if w.ended {
		return 0, nil
	}
	records, next, err := w.page(ctx)
	if err != nil {
		return 0, err
	}
	for i := range records {
		r := &records[i]
		w.readTo = r.Sequence
		if w.ours(r) {
			w.buffer = append(w.buffer, *r)
		}
	}
	w.iterator, w.ended = next, next == ""
	if len(records) > 0 && len(w.buffer) == 0 {
		return len(records), w.skip(ctx)
	}
	return len(records), nil
}

// page returns the next page, with another iterator if that which there was is no more.
func (w *worker) page(ctx context.Context) ([]Record, string, error) {
	records, next, err := w.p.cfg.Source.Records(ctx, w.iterator, pageSize)
	if !errors.Is(err, ErrExpired) && !errors.Is(err, ErrTrimmed) {
		return records, next, err
	}
	if err := w.reseek(ctx, errors.Is(err, ErrTrimmed)); err != nil {
		return nil, "", err
	}
	return w.p.cfg.Source.Records(ctx, w.iterator, pageSize)
}

// reseek makes a new iterator behind what has been read.
func (w *worker) reseek(ctx context.Context, trimmed bool) (err error) {
	after := w.readTo
	if trimmed {
		w.p.cfg.Log.Warn("records were trimmed before a function saw them", "stream", w.p.cfg.StreamARN, "shard", w.at.Shard)
		after = ""
	}
	w.iterator, err = w.p.cfg.Source.Iterator(ctx, w.at.Shard, after)
	return err
}

// ours reports whether a record is for the function, by way of this lane.
func (w *worker) ours(r *Record) bool {
	if lane(r.Key, w.p.cfg.Lanes) != w.at.Lane || r.Time.Before(w.at.Since.Truncate(time.Second)) {
		return false
	}
	if len(w.p.cfg.Filters) == 0 {
		return true
	}
	var document any
	if json.Unmarshal(r.JSON, &document) != nil {
		return false // we wrote it ourselves
	}
	for _, f := range w.p.cfg.Filters {
		if f.Match(document) {
			return true
		}
	}
	return false
}

// skipEvery is how often progress is stored that is made by passing over records.
const skipEvery = time.Second

// skip notes that everything that was read is done with.
func (w *worker) skip(ctx context.Context) error {
	if time.Since(w.saved) < skipEvery {
		return nil
	}
	return w.save(ctx, w.readTo)
}

// save stores that records up to a sequence number are done with.
func (w *worker) save(ctx context.Context, after string) error {
	next := *w.at
	next.After = after
	return w.commit(ctx, next)
}

// finish notes that the shard is done with.
func (w *worker) finish(ctx context.Context) error {
	next := *w.at
	next.Done, next.After = true, w.readTo
	return w.commit(ctx, next)
}

// commit stores the next checkpoint. If that fails the lane is where it was.
func (w *worker) commit(ctx context.Context, next Checkpoint) error {
	if err := w.p.cfg.Store.Save(ctx, &next); err != nil {
		return err
	}
	*w.at, w.saved = next, time.Now()
	return nil
}
