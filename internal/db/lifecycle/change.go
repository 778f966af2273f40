package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

// patience is how long Update waits for a new index to be filled, so that with a small table a client's first look finds
// it ACTIVE.
const patience = 150 * time.Millisecond

// Create makes a table of d, which says everything but numbers, states, the ID and when it was made. It returns the
// definition as it is to be answered: CREATING, though the table may be ACTIVE by then. Refusals are *Error and *QuotaError.
func (m *Manager) Create(ctx context.Context, d *table.Definition) (*table.Definition, error) {
	id := uuid.NewString()
	t, err := m.change(ctx, d.FullName(), func(at machine, old *table.Definition) (*table.Definition, error) {
		switch {
		case old == nil:
			next := d.Clone()
			next.ID = id
			next.Log.Ticked = m.lastTick(d.FullName())
			at.create(next)
			return next, m.checkQuota(nil, next)
		case old.Status == table.Creating:
			return nil, &Error{old.Name, BeingCreated}
		}
		return nil, &Error{old.Name, Exists}
	})
	return t.first, err
}

// lastTick returns the newest moment of the logs of deleted tables of that name: streams of the new one are to be told from theirs.
func (m *Manager) lastTick(n table.Name) (last time.Time) {
	for _, d := range m.catalog.Retired(func(r table.Name) bool { return r == n }) {
		if d.Log.Ticked.After(last) {
			last = d.Log.Ticked
		}
	}
	return last
}

// Delete deletes a table and returns its definition as it is to be answered: DELETING. What it held is purged in the
// background. Refusals are *Error.
func (m *Manager) Delete(ctx context.Context, n table.Name) (*table.Definition, error) {
	t, err := m.change(ctx, n, func(at machine, old *table.Definition) (*table.Definition, error) {
		if reason, ok := at.mayRemove(old); !ok {
			return nil, &Error{n.Table, reason}
		}
		next := old.Clone()
		at.remove(next)
		return next, nil
	})
	return t.first, err
}

// Update changes a table's settings, global indexes and stream as edit changes a copy of its definition. An index that edit
// appends, with Number 0, is built; one that it makes DELETING is dropped. One index can be on its way at a time. A stream that
// it appends, with nothing but a View, is enabled; one that it makes DISABLING is disabled.
//
// Update returns the definition as it is to be answered: UPDATING, with the settings as they were, though everything but
// the filling of an index may be done by then. Where edit changes nothing it is the definition as it is.
// Fails with edit's error, an *Error or a *QuotaError. edit is pure: it may run again.
func (m *Manager) Update(ctx context.Context, n table.Name, edit func(*table.Definition) error) (*table.Definition, error) {
	t, err := m.update(ctx, n, edit)
	if t.filled != nil {
		await(ctx, t.filled)
	}
	return t.first, err
}

func (m *Manager) update(ctx context.Context, n table.Name, edit func(*table.Definition) error) (transition, error) {
	return m.change(ctx, n, func(at machine, old *table.Definition) (*table.Definition, error) {
		if err := ready(n, old, table.Active); err != nil {
			return nil, err
		}
		next := old.Clone()
		if err := edit(next); err != nil {
			return nil, err
		}
		if changed, err := at.update(old, next); err != nil || !changed {
			return old, err
		}
		return next, m.checkQuota(old, next)
	})
}

// await waits for done, but not for long.
func await(ctx context.Context, done <-chan struct{}) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Set changes what takes effect at once and without a change of status, as edit changes a copy of the definition: deletion
// protection, warm throughput. It returns the new definition. Fails with edit's error or an *Error. edit is pure: it may run
// again.
func (m *Manager) Set(ctx context.Context, n table.Name, edit func(*table.Definition) error) (*table.Definition, error) {
	return m.catalog.Change(ctx, n, func(old *table.Definition, _ *kv.Batch) (*table.Definition, error) {
		if err := ready(n, old, table.Active, table.Updating); err != nil {
			return nil, err
		}
		next := old.Clone()
		return next, edit(next)
	})
}

// Tag changes the tags of a table: edit returns the new ones and leaves the old ones as they are. Tags change at once, but for as
// long as a change takes they cannot be changed again. Fails with edit's error or an *Error. edit is pure: it may run again.
func (m *Manager) Tag(ctx context.Context, n table.Name, edit func(old map[string]string) (map[string]string, error)) error {
	at := m.machine()
	_, err := m.catalog.Change(ctx, n, func(old *table.Definition, _ *kv.Batch) (*table.Definition, error) {
		if err := ready(n, old, table.Active, table.Updating); err != nil {
			return nil, err
		}
		tags, err := edit(old.Tags)
		switch {
		case err != nil:
			return nil, err
		case maps.Equal(tags, old.Tags):
			return old, nil
		case at.pending(old.TagsSettle):
			return nil, &Error{n.Table, OneTagging}
		}
		next := old.Clone()
		next.Tags, next.TagsSettle = tags, at.now.Add(at.delay)
		return next, nil
	})
	return err
}

// ready refuses to change a table that is not in one of the states.
func ready(n table.Name, d *table.Definition, states ...table.Status) error {
	switch {
	case d == nil:
		return &Error{n.Table, Missing}
	case slices.Contains(states, d.Status):
		return nil
	}
	return Busy(d)
}

// Busy says why a table that is not ACTIVE cannot be changed.
func Busy(d *table.Definition) *Error {
	if throughputChanging(d) {
		return &Error{d.Name, ThroughputChanging}
	}
	return &Error{d.Name, map[table.Status]Reason{
		table.Creating: BeingCreated, table.Updating: BeingUpdated, table.Deleting: BeingDeleted,
	}[d.Status]}
}

// A transition is what change has done: the first state it put a table into, and a channel that is closed once what it began to
// fill is in use, nil if there is nothing.
type transition struct {
	first  *table.Definition
	filled <-chan struct{}
}

// change puts a table into a first state, takes every step from there that is due at once, in the same commit, and has the
// others follow. step returns old to leave everything as it is.
func (m *Manager) change(ctx context.Context, n table.Name, step func(machine, *table.Definition) (*table.Definition, error)) (transition, error) {
	var (
		at    = m.machine()
		first *table.Definition
		drop  []purge
	)
	d, err := m.catalog.Change(ctx, n, func(old *table.Definition, b *kv.Batch) (*table.Definition, error) {
		var err error
		if first, err = step(at, old); err != nil || first == old {
			drop = nil
			return old, err
		}
		next := first.Clone()
		drop = at.advance(next)
		return next, stagePurges(b, drop)
	})
	if err != nil {
		return transition{}, err
	}
	for _, p := range drop {
		m.startPurge(p)
	}
	return transition{first, m.follow(d)}, nil
}

// follow starts what is to be done for d, nil if it is gone, in the background. Doing so twice does no harm. It returns a
// channel that is closed once what it began to fill, an index or the entries of time to live, is in use; nil if there is nothing.
func (m *Manager) follow(d *table.Definition) (filled <-chan struct{}) {
	if d == nil || d.Status == table.Deleted {
		return nil
	}
	if !next(d).IsZero() {
		m.jobs.Go(fmt.Sprintf("step/%d/%d", d.Number, d.Version), func(ctx context.Context) error {
			return m.stepWhenDue(ctx, d)
		})
	}
	start := func(number uint16) {
		if done := m.startFill(d, number); done != nil {
			filled = done
		}
	}
	for i := range d.Indexes {
		if ix := &d.Indexes[i]; ix.Status == table.Creating && ix.Backfilling {
			start(ix.Number)
		}
	}
	if d.TTL.Filling {
		start(d.TTL.Entries)
	}
	return filled
}

// stepWhenDue takes d's table through the steps that wait for a time, each when it is due.
func (m *Manager) stepWhenDue(ctx context.Context, d *table.Definition) error {
	for {
		now := m.catalog.Current(d)
		if now == nil || next(now).IsZero() {
			return nil
		}
		if err := m.sleepUntil(ctx, next(now)); err != nil {
			return err
		}
		_, err := m.change(ctx, d.FullName(), func(at machine, old *table.Definition) (*table.Definition, error) {
			if old == nil || old.Number != d.Number || !at.due(next(old)) {
				return old, nil
			}
			return old.Clone(), nil
		})
		if err != nil {
			return err
		}
	}
}

// sleepUntil sleeps until t, or as long as a change takes if that is earlier (see machine.due).
func (m *Manager) sleepUntil(ctx context.Context, t time.Time) error {
	return sleep(ctx, min(t.Sub(m.now()), m.delay+slack))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
