package store

import (
	"context"
	"errors"
	"time"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// stageExpiry moves the entry by which the item is found once it has expired.
func stageExpiry(g *staging, d *table.Definition, rowKey []byte, old, new attr.Item) {
	was, had := d.TTL.Expiry(old)
	is, has := d.TTL.Expiry(new)
	if had == has && was == is {
		return
	}
	if had {
		g.Delete(keys.AppendExpiry(g.room(2*keyRoom), d.TTL.Entries, was, rowKey))
	}
	if has {
		g.Put(keys.AppendExpiry(g.room(2*keyRoom), d.TTL.Entries, is, rowKey), nil)
	}
}

// Expired is what Expire has done.
type Expired struct {
	Items int // deleted
	Bytes int // that it has read
}

// Expire deletes, in one commit, those of the items with these row keys that the table's time to live, as it is set then, says are
// expired now. It fails with ErrInTransaction if a running transaction holds one of them. The deletions are visible when it returns and
// durable soon after: what a crash takes back the next sweep finds again.
func (s *Store) Expire(ctx context.Context, d *table.Definition, rowKeys [][]byte, now time.Time) (done Expired, err error) {
	g := newStaging()
	defer g.release()
	w := &g.one[0]
	*w = Write{Kind: Delete, Table: d, User: change.TTL}
	err = s.refence(g.one[:], func() error {
		t := kv.Txn{Keys: rowKeys, Fence: []kv.Fence{w.Table.Fence()}, NoSync: true}
		return s.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) error {
			g.begin(b)
			done = Expired{}
			for i, val := range vals {
				done.Bytes += len(val)
				expired, err := s.expire(g, w, rowKeys[i], val, now)
				if err != nil {
					return err
				}
				if expired {
					done.Items++
				}
			}
			g.sum()
			return nil
		})
	})
	if errors.Is(err, ErrTableGone) {
		return Expired{}, nil
	}
	return done, err
}

// expire applies w to the stored row if its item has expired.
func (s *Store) expire(g *staging, w *Write, rowKey, stored []byte, now time.Time) (expired bool, err error) {
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
	_, err = s.applyRow(g, w, rowKey, stored)
	return err == nil, err
}
