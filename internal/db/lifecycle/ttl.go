package lifecycle

import (
	"context"
	"time"

	"github.com/grammedb/gramme/internal/db/table"
)

// SetTTL switches a table's time to live on or off: edit sets Enabled to the other value, and Attribute and Changed. Fails with edit's
// error or an *Error. edit is pure: it may run again.
func (m *Manager) SetTTL(ctx context.Context, n table.Name, edit func(*table.TTL) error) error {
	t, err := m.change(ctx, n, func(at machine, old *table.Definition) (*table.Definition, error) {
		if err := ready(n, old, table.Active, table.Updating); err != nil {
			return nil, err
		}
		next := old.Clone()
		if err := edit(&next.TTL); err != nil {
			return nil, err
		}
		at.switchTTL(&next.TTL)
		return next, nil
	})
	if t.filled != nil && m.delay == 0 {
		await(ctx, t.filled)
	}
	return err
}

// switchTTL begins what Enabled says.
func (m machine) switchTTL(t *table.TTL) {
	t.Status, t.Filling = table.Disabling, false
	if t.Enabled {
		t.Status = table.Enabling
	}
	t.ChangeAt = m.now.Add(m.delay)
}

// advanceTTL takes time to live through the step that is due, and returns the entries that are to be purged for it. Writes keep the
// entries from the commit on that enables it until the one that disables it.
func (m machine) advanceTTL(d *table.Definition) (drop []purge) {
	t := &d.TTL
	switch {
	case t.Enabled && t.Entries == 0: // just now, or by a release that kept no entries
		t.Entries = d.TakeNumber()
		t.Filling = true
	case t.Status == table.Disabling && m.due(t.ChangeAt):
		if t.Entries != 0 { // a purge without a number is that of the whole table
			drop = append(drop, purge{Table: d.Number, Index: t.Entries})
		}
		t.Entries, t.Status, t.ChangeAt = 0, "", time.Time{}
	}
	return drop
}

// nextTTL returns when the step of time to live is due that a clock alone brings about; zero if none is.
func nextTTL(t *table.TTL) time.Time {
	if t.Status == table.Disabling {
		return t.ChangeAt
	}
	return time.Time{}
}

// adoptTTL begins to keep entries where a release that did not has enabled time to live.
func (m *Manager) adoptTTL(ctx context.Context, d *table.Definition) error {
	if !d.TTL.Enabled || d.TTL.Entries != 0 {
		return nil
	}
	_, err := m.change(ctx, d.FullName(), func(_ machine, old *table.Definition) (*table.Definition, error) {
		return old.Clone(), nil
	})
	return err
}
