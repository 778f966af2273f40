package table

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A Name is what a table is found by. A name may belong to one table after another.
type Name struct{ Account, Region, Table string }

// A Catalog holds the definitions of all tables: stored by the engine, cached here.
type Catalog struct {
	engine kv.Engine

	change sync.Mutex // one change at a time; REQUIRES: held while tables differs from what is stored

	mu     sync.RWMutex
	tables map[Name]*Definition // guarded by mu
}

// OpenCatalog reads all definitions.
func OpenCatalog(ctx context.Context, e kv.Engine) (*Catalog, error) {
	c := &Catalog{engine: e, tables: map[Name]*Definition{}}
	view, err := e.View(ctx, kv.ViewOpts{})
	if err != nil {
		return nil, err
	}
	lo, hi := keys.Definitions()
	it, err := view.Scan(kv.Range{Lo: lo, Hi: hi})
	if err != nil {
		view.Close()
		return nil, err
	}
	var bad error
	for bad == nil && it.Next() {
		var d *Definition
		if d, bad = decode(it.Value()); bad == nil {
			c.tables[d.FullName()] = d
		}
	}
	return c, firstError(bad, it.Close(), view.Close())
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Get returns the table's definition, nil if there is no such table.
func (c *Catalog) Get(n Name) *Definition {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.tables[n]
}

// Current returns the definition that d's table has now, once a running change is through; nil if the table is gone.
func (c *Catalog) Current(d *Definition) *Definition {
	c.change.Lock()
	defer c.change.Unlock()
	if now := c.Get(d.FullName()); now != nil && now.Number == d.Number {
		return now
	}
	return nil
}

// Holds reports whether what a read was planned with is there still: d's table and, unless it is nil, the index. What is dropped
// is purged only after Holds has begun to report false. So who asks after having opened a view knows whether it shows everything.
func (c *Catalog) Holds(d *Definition, ix *Index) bool {
	now := c.Get(d.FullName())
	switch {
	case now == d:
		return true
	case now == nil || now.Number != d.Number:
		return false
	case ix == nil:
		return true
	}
	kept := now.IndexNumbered(ix.Number)
	return kept != nil && kept.Kept()
}

// List returns the definitions of a region in ascending order of their names.
func (c *Catalog) List(account, region string) []*Definition {
	list := c.All(func(n Name) bool { return n.Account == account && n.Region == region })
	slices.SortFunc(list, func(a, b *Definition) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// All returns the definitions whose names pass the test, in no order.
func (c *Catalog) All(pass func(Name) bool) []*Definition {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []*Definition
	for n, d := range c.tables {
		if pass(n) {
			list = append(list, d)
		}
	}
	return list
}

var sequence = keys.Sequence("catalog")

// Change replaces the definition under a name, in one commit that excludes every write planned with the old one. f gets the
// old definition, nil if there is none, and a batch for rows that are to change with it; it returns the new one, nil to
// remove it, or the old one itself to leave everything as it is. f is pure as in kv.Engine. A new table (a definition with Number 0) is given its number.
func (c *Catalog) Change(ctx context.Context, n Name, f func(old *Definition, b *kv.Batch) (*Definition, error)) (*Definition, error) {
	c.change.Lock()
	defer c.change.Unlock()
	old, key := c.Get(n), keys.Definition(n.Account, n.Region, n.Table)
	var next *Definition
	t := kv.Txn{Keys: [][]byte{key, sequence}, Define: [][]byte{key}}
	err := c.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) (err error) {
		if kv.Version(vals[0]) != old.version() {
			return fmt.Errorf("table: stored definition of %s has version %d, not %d", n.Table, kv.Version(vals[0]), old.version())
		}
		if next, err = f(old, b); err != nil || next == old {
			return err
		}
		if next == nil {
			b.Delete(key)
			return nil
		}
		next.Version = kv.Version(vals[1]) + 1
		if next.Number == 0 {
			next.Number = next.Version
		}
		b.Put(sequence, binary.BigEndian.AppendUint64(nil, next.Version))
		b.Put(key, next.encode())
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.publish(n, next)
	return next, nil
}

func (c *Catalog) publish(n Name, d *Definition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d == nil {
		delete(c.tables, n)
		return
	}
	d.fence = d.Key()
	c.tables[n] = d
}

func (d *Definition) version() uint64 {
	if d == nil {
		return 0
	}
	return d.Version
}

// encode returns the stored form: the version in 8 bytes, then JSON.
func (d *Definition) encode() []byte {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // a Definition has nothing that JSON cannot hold
	}
	return append(binary.BigEndian.AppendUint64(nil, d.Version), text...)
}

func decode(row []byte) (*Definition, error) {
	if len(row) < 8 {
		return nil, fmt.Errorf("table: definition of %d bytes: %w", len(row), kv.ErrCorrupt)
	}
	d := &Definition{Version: kv.Version(row)}
	if err := json.Unmarshal(row[8:], d); err != nil {
		return nil, fmt.Errorf("table: definition: %v: %w", err, kv.ErrCorrupt)
	}
	d.fence = d.Key()
	return d, nil
}
