// Package store is the one write path, and point reads. A write is a value: an item's key, a condition, a change. Its
// effect is a pure function of the item as it was, so the engine may run it again; every operation that writes, single, batched
// or transactional, builds such values and nothing else.
package store

import (
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

// A Store writes and reads items.
type Store struct {
	engine  kv.Engine
	catalog *table.Catalog
	now     func() time.Time
	clock   clock
}

// New returns a store. now tells the time of tokens and stamps.
func New(e kv.Engine, c *table.Catalog, now func() time.Time) *Store {
	return &Store{engine: e, catalog: c, now: now}
}

// A clock gives stamps that grow although the wall clock may step back.
type clock struct{ last atomic.Uint64 }

// after returns a stamp later than every one before it and than old.
func (c *clock) after(now time.Time, old row.Stamp) row.Stamp {
	for {
		last := c.last.Load()
		next := row.After(max(last, old.Time), now)
		if c.last.CompareAndSwap(last, next) {
			return row.Stamp{Time: next}
		}
	}
}
