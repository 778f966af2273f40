package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A purge is what is left of a dropped table or, if Index is not 0, of a dropped index or the entries of time to live that had the
// number. It is stored, as JSON, until nothing is.
type purge struct {
	Table uint64
	Index uint16 `json:",omitempty"`
}

const purges = "purge/"

func (p purge) name() string {
	if p.Index == 0 {
		return fmt.Sprintf("%s%d", purges, p.Table)
	}
	return fmt.Sprintf("%s%d/%d", purges, p.Table, p.Index)
}

// stagePurges writes purges down in the commit that makes them necessary. Where an index was being filled the fill ends there.
func stagePurges(b *kv.Batch, list []purge) error {
	for _, p := range list {
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		b.Put(keys.Job(p.name()), text)
		if p.Index != 0 {
			b.Delete(cursorKey(p.Table, p.Index))
		}
	}
	return nil
}

// resumePurges starts the purges that are written down.
func (m *Manager) resumePurges(ctx context.Context) error {
	list, err := m.storedPurges(ctx)
	for _, p := range list {
		m.startPurge(p)
	}
	return err
}

func (m *Manager) storedPurges(ctx context.Context) (list []purge, err error) {
	view, err := m.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return nil, err
	}
	defer closing(view, &err)
	lo, hi := keys.Jobs(purges)
	it, err := view.Scan(kv.Range{Lo: lo, Hi: hi})
	if err != nil {
		return nil, err
	}
	defer closing(it, &err)
	for it.Next() {
		var p purge
		if err := json.Unmarshal(it.Value(), &p); err != nil {
			return nil, fmt.Errorf("lifecycle: purge %q: %v: %w", it.Key(), err, kv.ErrCorrupt)
		}
		list = append(list, p)
	}
	return list, nil
}

// closing closes c, as deferred, and keeps the first error.
func closing(c interface{ Close() error }, err *error) {
	if cerr := c.Close(); *err == nil {
		*err = cerr
	}
}

func (m *Manager) startPurge(p purge) {
	m.jobs.Go(p.name(), func(ctx context.Context) error { return m.purge(ctx, p) })
}

// purge deletes the rows and counters, then what says that they are to be deleted. It may be run again.
func (m *Manager) purge(ctx context.Context, p purge) error {
	for _, r := range p.ranges() {
		if err := m.engine.DeleteRange(ctx, r.Lo, r.Hi); err != nil {
			return err
		}
	}
	err := m.engine.Update(ctx, kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
		if p.Index != 0 {
			itemsKey, bytesKey := counters(p.Table, p.Index)
			b.Delete(itemsKey)
			b.Delete(bytesKey)
		}
		b.Delete(keys.Job(p.name()))
		return nil
	})
	if err == nil {
		m.log.Debug("purged", "table", p.Table, "index", p.Index)
	}
	return err
}

func (p purge) ranges() []kv.Range {
	if p.Index != 0 {
		lo, hi := keys.NumberedExpiries(p.Table, p.Index)
		return []kv.Range{indexRange(p.Table, p.Index), {Lo: lo, Hi: hi}}
	}
	rows := keys.AppendTable(nil, p.Table)
	lo, hi := keys.Counters(p.Table)
	first, last := keys.Expiries(p.Table)
	return []kv.Range{{Lo: rows, Hi: keys.Next(rows)}, {Lo: lo, Hi: hi}, {Lo: first, Hi: last}}
}

// indexRange returns where the entries of an index are, or the rows of a table (index 0).
func indexRange(number uint64, index uint16) kv.Range {
	lo := keys.AppendSpace(nil, number, index)
	return kv.Range{Lo: lo, Hi: keys.Next(lo)}
}

// counters returns the keys of an index's counters.
func counters(number uint64, index uint16) (items, bytes []byte) {
	return keys.AppendCounter(nil, number, index, keys.Items), keys.AppendCounter(nil, number, index, keys.Bytes)
}
