package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// stageExpiry moves the entry by which the item is found once it has expired.
func stageExpiry(b *kv.Batch, d *table.Definition, rowKey []byte, old, new attr.Item) {
	was, had := d.TTL.Expiry(old)
	is, has := d.TTL.Expiry(new)
	if had == has && was == is {
		return
	}
	if had {
		b.Delete(keys.AppendExpiry(nil, d.TTL.Entries, was, rowKey))
	}
	if has {
		b.Put(keys.AppendExpiry(nil, d.TTL.Entries, is, rowKey), nil)
	}
}

// Expired is what Expire has done.
type Expired struct {
	Items int // deleted
	Bytes int // that it has read
}

// Expire deletes, in one commit, those of the items with these row keys that the table's time to live, as it is set then, says are
// expired now. It fails with ErrInTransaction if a running transaction holds one of them.
func (s *Store) Expire(ctx context.Context, d *table.Definition, rowKeys [][]byte, now time.Time) (done Expired, err error) {
	one := []Write{{Kind: Delete, Table: d, User: change.TTL}}
	w := &one[0]
	err = s.refence(one, func() error {
		t := kv.Txn{Keys: rowKeys, Fence: []kv.Fence{w.Table.Fence()}}
		return s.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) error {
			done = Expired{}
			for i, val := range vals {
				done.Bytes += len(val)
				expired, err := s.expire(w, rowKeys[i], val, now, b)
				if err != nil {
					return err
				}
				if expired {
					done.Items++
				}
			}
			b.Adds = sum(b.Adds)
			return nil
		})
	})
	if errors.Is(err, ErrTableGone) {
		return Expired{}, nil
	}
	return done, err
}

// expire applies w to the stored row if its item has expired.
func (s *Store) expire(w *Write, rowKey, stored []byte, now time.Time, b *kv.Batch) (expired bool, err error) {
	old, err := row.Decode(stored)
	if err != nil || old.Item == nil || !w.Table.TTL.Kept() {
		return false, err
	}
	from, to := table.Due(now)
	if at, ok := w.Table.TTL.Expiry(old.Item); !ok || at < from || at >= to {
		return false, nil
	}
	if w.Key, err = w.Table.KeyOf(old.Item); err != nil {
		return false, err
	}
	_, err = s.applyRow(w, rowKey, stored, b)
	return err == nil, err
}

// sum makes one addition to each counter of several: they are mostly those of the table.
func sum(adds []kv.Add) []kv.Add {
	sums := adds[:0]
	for _, a := range adds {
		same := func(s kv.Add) bool { return string(s.Key) == string(a.Key) }
		if i := slices.IndexFunc(sums, same); i >= 0 {
			sums[i].Delta += a.Delta
		} else {
			sums = append(sums, a)
		}
	}
	return sums
}
