package store

import (
	"context"
	"errors"
	"slices"

	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

// Apply does one write.
func (s *Store) Apply(ctx context.Context, write Write) (Effect, error) {
	var e Effect
	one := []Write{write}
	w := &one[0]
	err := s.refence(one, func() error {
		if err := s.measure(ctx, one); err != nil {
			return err
		}
		rowKey := w.rowKey()
		t := kv.Txn{Keys: [][]byte{rowKey}, Fence: []kv.Fence{w.Table.Fence()}}
		return s.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) (err error) {
			e, err = s.applyRow(w, rowKey, vals[0], b)
			return err
		})
	})
	if err != nil {
		return Effect{}, err
	}
	return e, nil
}

// applyRow applies w to the stored row and stages what changes.
func (s *Store) applyRow(w *Write, rowKey, stored []byte, b *kv.Batch) (Effect, error) {
	old, err := row.Decode(stored)
	if err != nil {
		return Effect{}, err
	}
	e, err := w.apply(old)
	if err != nil {
		return Effect{}, err
	}
	if err := s.stage(b, w, rowKey, old, &e); err != nil {
		return Effect{}, err
	}
	if w.WantOld {
		e.Old = slices.Clone(old.Item)
	}
	switch w.Kind {
	case Check:
		e.New = nil
	case Update: // an update without effect returns what it was given, which is the engine's memory
		if len(e.New) > 0 && len(old.Item) > 0 && &e.New[0] == &old.Item[0] {
			e.New = slices.Clone(e.New)
		}
	}
	return e, nil
}

// Batch does writes of different items that have no conditions, in one commit.
func (s *Store) Batch(ctx context.Context, writes []Write) ([]Effect, error) {
	effects := make([]Effect, len(writes))
	err := s.refence(writes, func() error {
		if err := s.measure(ctx, writes); err != nil {
			return err
		}
		t := plan(writes)
		return s.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) (err error) {
			for i := range writes {
				if effects[i], err = s.applyRow(&writes[i], t.Keys[i], vals[i], b); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return effects, err
}

func (w *Write) rowKey() []byte {
	return w.Table.AppendRowKey(make([]byte, 0, 64), w.Key)
}

// plan declares the rows of the writes and the definitions that they were planned with.
func plan(writes []Write) kv.Txn {
	t := kv.Txn{Keys: make([][]byte, len(writes))}
	var last *table.Definition
	for i := range writes {
		w := &writes[i]
		t.Keys[i] = w.rowKey()
		if w.Table != last && !slices.ContainsFunc(t.Fence, func(f kv.Fence) bool { return string(f.Key) == string(w.Table.Fence().Key) }) {
			t.Fence = append(t.Fence, w.Table.Fence())
		}
		last = w.Table
	}
	return t
}

// refence runs do again, with the tables of the writes as they are now, whenever a definition has moved.
func (s *Store) refence(writes []Write, do func() error) error {
	for {
		err := do()
		if !errors.Is(err, kv.ErrFenced) {
			return single(err)
		}
		for i := range writes {
			if writes[i].Table = s.catalog.Current(writes[i].Table); writes[i].Table == nil {
				return ErrTableGone
			}
		}
	}
}

// single words the engine's conflict as a write outside of a transaction meets it.
func single(err error) error {
	if _, ok := errors.AsType[*kv.ConflictError](err); ok {
		return ErrInTransaction
	}
	return err
}
