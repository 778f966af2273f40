package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/db/index"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// The most that one page of a fill reads and enters. A writer of one of its items waits for the page.
const (
	pageItems = 64
	pageRows  = 1024
	pageBytes = 1 << 20
)

// conflictPause is how long a fill waits for a transaction that holds one of its items.
const conflictPause = time.Millisecond

// A fill enters the items of a table into one index.
type fill struct {
	*Manager
	d     *table.Definition // as of late
	index uint16
}

// cursorKey is where a fill keeps the last row key that it has been through.
func cursorKey(number uint64, index uint16) []byte {
	return keys.Job(fmt.Sprintf("backfill/%d/%d", number, index))
}

// startFill fills an index in the background. It returns a channel that is closed once the index is ACTIVE or gone, nil if it
// did not start.
func (m *Manager) startFill(d *table.Definition, index uint16) <-chan struct{} {
	done := make(chan struct{})
	started := m.jobs.Go(fmt.Sprintf("backfill/%d/%d", d.Number, index), func(ctx context.Context) error {
		f := fill{Manager: m, d: d, index: index}
		err := f.run(ctx)
		if err == nil {
			close(done)
		}
		return err
	})
	if !started {
		return nil
	}
	return done
}

func (f *fill) run(ctx context.Context) error {
	cursor, err := f.cursor(ctx)
	for more := true; more && err == nil && f.target() != nil; {
		var p page
		if p, err = f.read(ctx, cursor); err == nil {
			cursor, more = p.last, p.more
			err = f.enter(ctx, p.rows, p.last)
		}
	}
	if err != nil {
		return err
	}
	return f.finish(ctx)
}

// target returns the index while it is to be filled, else nil.
func (f *fill) target() *table.Index {
	if f.d == nil {
		return nil
	}
	if ix := f.d.IndexNumbered(f.index); ix != nil && ix.Status == table.Creating {
		return ix
	}
	return nil
}

// cursor returns the row key that an earlier run has come to, nil if none has.
func (f *fill) cursor(ctx context.Context) (key []byte, err error) {
	view, err := f.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return nil, err
	}
	defer closing(view, &err)
	key, err = view.Get(cursorKey(f.d.Number, f.index))
	return bytes.Clone(key), err
}

// A page is the rows of a stretch of the table whose items have entries in the index.
type page struct {
	rows [][]byte // row keys
	last []byte   // the last row key of the stretch
	more bool     // the table may go on after it
}

// read looks for the rows to enter after cursor. An item that has no entry now will have it from its writer.
func (f *fill) read(ctx context.Context, cursor []byte) (p page, err error) {
	view, err := f.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return p, err
	}
	defer closing(view, &err)
	r := indexRange(f.d.Number, 0)
	if cursor != nil {
		r.Lo = append(slices.Clip(cursor), 0) // the first key after it
	}
	it, err := view.Scan(r)
	if err != nil {
		return p, err
	}
	defer closing(it, &err)
	var buf []byte
	p.last = cursor
	for rows, size := 0, 0; it.Next(); rows++ {
		if p.more = len(p.rows) == pageItems || rows == pageRows || size >= pageBytes; p.more {
			break
		}
		stored, err := row.Decode(it.Value())
		if err != nil {
			return p, err
		}
		p.last = bytes.Clone(it.Key())
		size += len(it.Value())
		if _, ok := index.AppendKey(buf[:0], f.d, f.target(), stored.Item); ok {
			p.rows = append(p.rows, p.last)
		}
	}
	return p, nil
}

// enter puts the entries of rows' items as they are now, and stores the cursor if it is not nil. Where a transaction holds one
// of the items it goes on in smaller pieces, so that it gets through among many transactions too.
func (f *fill) enter(ctx context.Context, rows [][]byte, cursor []byte) error {
	if len(rows) == 0 {
		return nil
	}
	for f.target() != nil {
		t := kv.Txn{Keys: rows, Fence: []kv.Fence{f.d.Fence()}, NoSync: true}
		err := f.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) error {
			if cursor != nil {
				b.Put(cursorKey(f.d.Number, f.index), cursor)
			}
			return f.stage(b, vals)
		})
		_, conflict := errors.AsType[*kv.ConflictError](err)
		switch {
		case errors.Is(err, kv.ErrFenced):
			f.d = f.catalog.Current(f.d)
		case conflict && len(rows) > 1:
			half := len(rows) / 2
			if err := f.enter(ctx, rows[:half], nil); err != nil {
				return err
			}
			rows = rows[half:]
		case conflict:
			if err := sleep(ctx, conflictPause); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// stage puts the entries of stored rows.
func (f *fill) stage(b *kv.Batch, rows [][]byte) error {
	for _, val := range rows {
		r, err := row.Decode(val)
		if err != nil {
			return err
		}
		if r.Item == nil {
			continue
		}
		key, ok := index.AppendKey(nil, f.d, f.target(), r.Item)
		if !ok {
			continue
		}
		it := index.Project(f.d, f.target(), r.Item)
		b.Put(key, row.Append(make([]byte, 0, len(it)+row.Overhead), r.Stamp, it.Size(), it))
	}
	return nil
}

// finish counts the entries and makes the index ACTIVE.
func (f *fill) finish(ctx context.Context) error {
	if f.target() == nil {
		return nil
	}
	if err := f.sleepUntil(ctx, f.target().ChangeAt); err != nil {
		return err
	}
	off, err := f.recount(ctx)
	if err != nil {
		return err
	}
	return f.activate(ctx, off)
}

// activate makes the index ACTIVE and puts its counters right.
func (f *fill) activate(ctx context.Context, off Size) error {
	number := f.d.Number
	_, err := f.catalog.Change(ctx, f.d.FullName(), func(old *table.Definition, b *kv.Batch) (*table.Definition, error) {
		if old == nil || old.Number != number {
			return old, nil
		}
		next := old.Clone()
		ix := next.IndexNumbered(f.index)
		if ix == nil || ix.Status != table.Creating {
			return old, nil
		}
		ix.Status, ix.Backfilling, ix.ChangeAt = table.Active, false, time.Time{}
		itemsKey, bytesKey := counters(number, f.index)
		b.Add(itemsKey, off.Items)
		b.Add(bytesKey, off.Bytes)
		b.Delete(cursorKey(number, f.index))
		return next, nil
	})
	return err
}

// recount returns by how much the index's counters are off. REQUIRES: every item has been entered.
func (f *fill) recount(ctx context.Context) (off Size, err error) {
	view, err := f.engine.View(ctx, kv.ViewOpts{Pinned: true})
	if err != nil {
		return off, err
	}
	defer closing(view, &err)
	counted, err := readSize(view, f.d.Number, f.index)
	if err != nil {
		return off, err
	}
	it, err := view.Scan(indexRange(f.d.Number, f.index))
	if err != nil {
		return off, err
	}
	defer closing(it, &err)
	var found Size
	for it.Next() {
		r, err := row.Decode(it.Value())
		if err != nil {
			return off, err
		}
		found.Items++
		found.Bytes += int64(r.Size)
		if found.Items%4096 == 0 && ctx.Err() != nil {
			return off, context.Cause(ctx)
		}
	}
	return Size{found.Items - counted.Items, found.Bytes - counted.Bytes}, nil
}
