package store

import (
	"context"
	"errors"
	"slices"

	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/kv"
)

// Apply does one write.
func (s *Store) Apply(ctx context.Context, w Write) (Effect, error) {
	g := newStaging()
	defer g.release()
	g.one[0] = w
	if err := s.batch(ctx, g, g.one[:], g.effect[:]); err != nil {
		return Effect{}, err
	}
	return g.effect[0], nil
}

// Batch does writes of different items that have no conditions, in one commit.
func (s *Store) Batch(ctx context.Context, writes []Write) ([]Effect, error) {
	effects := make([]Effect, len(writes))
	return effects, s.BatchTo(ctx, effects, writes)
}

// BatchTo is Batch with memory for the effects, one for each of the writes.
func (s *Store) BatchTo(ctx context.Context, effects []Effect, writes []Write) error {
	g := newStaging()
	defer g.release()
	return s.batch(ctx, g, writes, effects)
}

func (s *Store) batch(ctx context.Context, g *staging, writes []Write, effects []Effect) error {
	return s.refence(writes, func() error {
		if err := s.measure(ctx, writes); err != nil {
			return err
		}
		return s.engine.Update(ctx, g.plan(writes), func(vals [][]byte, b *kv.Batch) (err error) {
			g.begin(b)
			for i := range writes {
				if effects[i], err = s.applyRow(g, &writes[i], g.keys[i], vals[i]); err != nil {
					return err
				}
			}
			if len(writes) > 1 {
				g.sum()
			}
			return nil
		})
	})
}

// applyRow applies w to the stored row and stages what changes.
func (s *Store) applyRow(g *staging, w *Write, rowKey, stored []byte) (Effect, error) {
	old, err := row.Decode(stored)
	if err != nil {
		return Effect{}, err
	}
	e, err := w.apply(old)
	if err != nil {
		return Effect{}, err
	}
	if err := s.stage(g, w, rowKey, old, &e); err != nil {
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
