package store

import (
	"context"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// MaxCollection is the size that an item collection of a table with local indexes may reach, entries of the indexes
// included. The service counts its own overhead too, so its limit is no sharper than ours.
const MaxCollection = 10 << 30

// CollectionSize returns the bytes of the items with a partition key and of their entries in local indexes.
func (s *Store) CollectionSize(ctx context.Context, d *table.Definition, partition attr.Value) (int64, error) {
	view, err := s.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return 0, err
	}
	val, err := view.Get(keys.AppendCounter(nil, d.Number, 0, keys.Collection, partition.Bytes()))
	n := kv.Counter(val)
	if cerr := view.Close(); err == nil {
		err = cerr
	}
	return n, err
}

// measure notes which of the writes are to collections that are full and so must not grow. Writes that run at the same time
// may overshoot.
func (s *Store) measure(ctx context.Context, writes []Write) error {
	for i := range writes {
		w := &writes[i]
		if !w.Table.HasLocal() || w.Kind == Delete || w.Kind == Check {
			continue
		}
		n, err := s.CollectionSize(ctx, w.Table, w.Key.Partition)
		if err != nil {
			return err
		}
		w.full = n >= MaxCollection
	}
	return nil
}
