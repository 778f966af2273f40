package store

import (
	"context"
	"slices"
	"sync"

	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A Read asks for one item.
type Read struct {
	Table      *table.Definition
	Key        table.Key
	Projection *expr.Projection // nil: the whole item
}

// A Found is what a Read found.
type Found struct {
	Item attr.Item // nil: no item. It may be shared: it must not be changed
	Size int       // of the whole item, in bytes as DynamoDB counts them; 0 if there is none
}

// keyBuffers hold keys while they are looked up.
var keyBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// Get reads one item, as it is after every write that was acknowledged. It fails with ErrTableGone.
func (s *Store) Get(ctx context.Context, r Read) (f Found, err error) {
	view, err := s.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return Found{}, err
	}
	defer func() {
		if cerr := view.Close(); err == nil {
			err = cerr
		}
	}()
	buf := keyBuffers.Get().(*[]byte)
	defer keyBuffers.Put(buf)
	val, err := view.Get(r.Table.AppendRowKey((*buf)[:0], r.Key))
	if err != nil {
		return Found{}, err
	}
	return s.found(&r, val)
}

// together is how many items GetAll looks up before it looks at their sizes.
const together = 16

// GetAll reads the items one by one, or all at one moment if pinned. It stops before the items' sizes exceed budget, 0 for
// none, and then returns fewer than were asked for, at least one. It fails with ErrTableGone.
func (s *Store) GetAll(ctx context.Context, reads []Read, pinned bool, budget int) (found []Found, err error) {
	view, err := s.engine.View(ctx, kv.ViewOpts{Pinned: pinned})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := view.Close(); err == nil {
			err = cerr
		}
	}()
	found = make([]Found, 0, len(reads))
	total := 0
	for some := range slices.Chunk(reads, together) {
		vals, err := lookUp(view, some)
		if err != nil {
			return nil, err
		}
		for i := range some {
			f, err := s.found(&some[i], vals[i])
			if err != nil {
				return nil, err
			}
			if total += f.Size; budget > 0 && total > budget && len(found) > 0 {
				return found, nil
			}
			found = append(found, f)
		}
	}
	return found, nil
}

// lookUp returns the rows of the items.
func lookUp(view kv.View, reads []Read) ([][]byte, error) {
	buf := keyBuffers.Get().(*[]byte)
	defer keyBuffers.Put(buf)
	keys := make([][]byte, len(reads))
	all := (*buf)[:0]
	for i := range reads {
		n := len(all)
		all = reads[i].Table.AppendRowKey(all, reads[i].Key)
		keys[i] = all[n:len(all):len(all)]
	}
	vals := make([][]byte, len(reads))
	return vals, view.MultiGet(keys, vals)
}

// found is what a stored row, nil for none, means for a read. That there is no item is believed only if its table is not being
// purged.
func (s *Store) found(r *Read, val []byte) (Found, error) {
	stored, err := row.Decode(val)
	if err == nil && stored.Item == nil && !s.catalog.Holds(r.Table, nil) {
		err = ErrTableGone
	}
	if err != nil || stored.Item == nil {
		return Found{}, err
	}
	f := Found{Item: stored.Item, Size: stored.Size}
	if r.Projection != nil {
		f.Item = r.Projection.Apply(stored.Item)
	}
	if f.Item == nil {
		f.Item = attr.Item{}
	}
	return f, nil
}
