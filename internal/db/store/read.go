package store

import (
	"context"
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
	Buf        []byte           // what is found is written over it
}

// A Found is what a Read found.
type Found struct {
	Item attr.Item // nil: no item
	Size int       // of the whole item, in bytes as DynamoDB counts them; 0 if there is none
}

// keyBuffers hold keys while they are looked up.
var keyBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 256); return &b }}

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
	return s.get(view, &r, (*buf)[:0])
}

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
	var (
		buf   []byte
		total int
	)
	for i := range reads {
		f, err := s.get(view, &reads[i], buf[:0])
		if err != nil {
			return nil, err
		}
		if total += f.Size; budget > 0 && total > budget && i > 0 {
			return found, nil
		}
		found = append(found, f)
	}
	return found, nil
}

// get reads one item. That there is none is believed only if its table is not being purged.
func (s *Store) get(view kv.View, r *Read, buf []byte) (Found, error) {
	val, err := view.Get(r.Table.AppendRowKey(buf, r.Key))
	if err != nil {
		return Found{}, err
	}
	stored, err := row.Decode(val)
	if err == nil && stored.Item == nil && !s.catalog.Holds(r.Table, nil) {
		err = ErrTableGone
	}
	if err != nil || stored.Item == nil {
		return Found{}, err
	}
	f := Found{Size: stored.Size}
	if r.Projection == nil {
		f.Item = append(r.Buf[:0], stored.Item...)
	} else {
		f.Item = append(r.Buf[:0], r.Projection.Apply(stored.Item)...)
	}
	if f.Item == nil {
		f.Item = attr.Item{}
	}
	return f, nil
}
