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
	"github.com/grammedb/gramme/internal/lang/attr"
)

// The most that one page of a fill reads and enters. A writer of one of its items waits for the page.
const (
	pageItems = 64
	pageRows  = 1024
	pageBytes = 1 << 20
)

// conflictPause is how long a fill waits for a transaction that holds one of its items.
const conflictPause = time.Millisecond

// A fill enters the items of a table into one index, or makes the entries of its time to live.
type fill struct {
	*Manager
	d      *table.Definition // as of late
	number uint16            // of the index or the entries
}

// cursorKey is where a fill keeps the last row key that it has been through.
func cursorKey(number uint64, index uint16) []byte {
	return keys.Job(fmt.Sprintf("backfill/%d/%d", number, index))
}

// startFill fills an index, or makes the entries of time to live, in the background. It returns a channel that is closed once that
// is in use or gone, nil if it did not start.
func (m *Manager) startFill(d *table.Definition, number uint16) <-chan struct{} {
	done := make(chan struct{})
	started := m.jobs.Go(fmt.Sprintf("backfill/%d/%d", d.Number, number), func(ctx context.Context) error {
		f := fill{Manager: m, d: d, number: number}
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
	for more := true; more && err == nil && f.wanted(); {
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

// wanted reports whether what is to be filled still is.
func (f *fill) wanted() bool {
	return f.d != nil && (f.ofTTL() || f.index() != nil)
}

// ofTTL reports whether the entries are those of time to live.
func (f *fill) ofTTL() bool { return f.d.TTL.Filling && f.d.TTL.Entries == f.number }

// index returns the index while it is to be filled, else nil.
func (f *fill) index() *table.Index {
	if ix := f.d.IndexNumbered(f.number); ix != nil && ix.Status == table.Creating {
		return ix
	}
	return nil
}

// appendKey appends the key of the item's entry; ok is false if it has none.
func (f *fill) appendKey(dst, rowKey []byte, it attr.Item) (key []byte, ok bool) {
	if f.ofTTL() {
		return index.AppendExpiry(dst, f.d, rowKey, it)
	}
	return index.AppendKey(dst, f.d, f.index(), it)
}

// value returns what the entry of an item holds.
func (f *fill) value(r row.Row) []byte {
	if f.ofTTL() {
		return nil
	}
	it := index.Project(f.d, f.index(), r.Item)
	return row.Append(make([]byte, 0, len(it)+row.Overhead), r.Stamp, it.Size(), it)
}

// cursor returns the row key that an earlier run has come to, nil if none has.
func (f *fill) cursor(ctx context.Context) (key []byte, err error) {
	view, err := f.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return nil, err
	}
	defer closing(view, &err)
	key, err = view.Get(cursorKey(f.d.Number, f.number))
	return bytes.Clone(key), err
}

// A page is the rows of a stretch of the table whose items have entries.
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
		if _, ok := f.appendKey(buf[:0], p.last, stored.Item); ok {
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
	for f.wanted() {
		t := kv.Txn{Keys: rows, Fence: []kv.Fence{f.d.Fence()}, NoSync: true}
		err := f.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) error {
			if cursor != nil {
				b.Put(cursorKey(f.d.Number, f.number), cursor)
			}
			return f.stage(b, rows, vals)
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
func (f *fill) stage(b *kv.Batch, rowKeys, rows [][]byte) error {
	for i, val := range rows {
		r, err := row.Decode(val)
		if err != nil {
			return err
		}
		if r.Item == nil {
			continue
		}
		if key, ok := f.appendKey(nil, rowKeys[i], r.Item); ok {
			b.Put(key, f.value(r))
		}
	}
	return nil
}

// finish counts the entries of an index and puts them to use.
func (f *fill) finish(ctx context.Context) error {
	if !f.wanted() {
		return nil
	}
	if f.ofTTL() {
		if err := f.sleepUntil(ctx, f.d.TTL.ChangeAt); err != nil {
			return err
		}
		return f.activate(ctx, Size{})
	}
	if err := f.sleepUntil(ctx, f.index().ChangeAt); err != nil {
		return err
	}
	off, err := f.recount(ctx)
	if err != nil {
		return err
	}
	return f.activate(ctx, off)
}

// activate makes the index ACTIVE and puts its counters right, or time to live ENABLED.
func (f *fill) activate(ctx context.Context, off Size) error {
	_, err := f.catalog.Change(ctx, f.d.FullName(), func(old *table.Definition, b *kv.Batch) (*table.Definition, error) {
		if old == nil || old.Number != f.d.Number {
			return old, nil
		}
		next := fill{d: old.Clone(), number: f.number}
		if !next.wanted() {
			return old, nil
		}
		b.Delete(cursorKey(old.Number, f.number))
		if next.ofTTL() {
			t := &next.d.TTL
			t.Filling, t.Status, t.ChangeAt = false, "", time.Time{}
			return next.d, nil
		}
		ix := next.index()
		ix.Status, ix.Backfilling, ix.ChangeAt = table.Active, false, time.Time{}
		itemsKey, bytesKey := counters(old.Number, f.number)
		b.Add(itemsKey, off.Items)
		b.Add(bytesKey, off.Bytes)
		return next.d, nil
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
	counted, err := readSize(view, f.d.Number, f.number)
	if err != nil {
		return off, err
	}
	it, err := view.Scan(indexRange(f.d.Number, f.number))
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
