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

	mu      sync.RWMutex
	tables  map[Name]*Definition   // guarded by mu
	retired map[uint64]*Definition // guarded by mu; by number: deleted tables whose logs are kept
}

// OpenCatalog reads all definitions.
func OpenCatalog(ctx context.Context, e kv.Engine) (*Catalog, error) {
	c := &Catalog{engine: e, tables: map[Name]*Definition{}, retired: map[uint64]*Definition{}}
	view, err := e.View(ctx, kv.ViewOpts{})
	if err != nil {
		return nil, err
	}
	lo, hi := keys.Definitions()
	err = each(view, lo, hi, func(d *Definition) { c.tables[d.FullName()] = d })
	if err == nil {
		lo, hi = keys.AllRetired()
		err = each(view, lo, hi, func(d *Definition) { c.retired[d.Number] = d })
	}
	return c, firstError(err, view.Close())
}

// each calls f with every definition in a range.
func each(view kv.View, lo, hi []byte, f func(*Definition)) error {
	it, err := view.Scan(kv.Range{Lo: lo, Hi: hi})
	if err != nil {
		return err
	}
	var bad error
	for bad == nil && it.Next() {
		var d *Definition
		if d, bad = decode(it.Value()); bad == nil {
			f(d)
		}
	}
	return firstError(bad, it.Close())
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
// remove it, or the old one itself to leave everything as it is. Of one that is Deleted the log is kept, if it has any (see Retired).
// f is pure as in kv.Engine. A new table (a definition with Number 0) is given its number, new shards of its log are too.
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
		b.Put(sequence, next.assign(kv.Version(vals[1])))
		if next.Status != Deleted {
			b.Put(key, next.encode())
			return nil
		}
		b.Delete(key)
		if len(next.Log.Closed) > 0 {
			b.Put(keys.Retired(next.Number), next.encode())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.publish(n, next)
	return next, nil
}

// assign gives the definition its version and what is new its number, from a sequence whose last number was last; it returns the
// stored form of the last one given.
func (d *Definition) assign(last uint64) []byte {
	d.Version = last + 1
	if d.Number == 0 {
		d.Number = d.Version
	}
	return binary.BigEndian.AppendUint64(nil, d.Log.number(d.Version))
}

func (c *Catalog) publish(n Name, d *Definition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case d == nil:
		delete(c.tables, n)
	case d.Status == Deleted:
		delete(c.tables, n)
		if len(d.Log.Closed) > 0 {
			c.retired[d.Number] = d
		}
	default:
		d.prepare()
		c.tables[n] = d
	}
}

// prepare makes what every write needs and need not make again.
func (d *Definition) prepare() {
	d.fence = d.Key()
	for i := range d.Log.Open {
		if s := &d.Log.Open[i]; s.size == nil { // shards that are as they were are shared with the definition before
			s.size = keys.LogSize(s.Number)
		}
	}
}

// Retired returns the deleted tables whose names pass the test and whose logs are kept, in no order.
func (c *Catalog) Retired(pass func(Name) bool) []*Definition {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []*Definition
	for _, d := range c.retired {
		if pass(d.FullName()) {
			list = append(list, d)
		}
	}
	return list
}

// ChangeRetired replaces the definition of a deleted table by what f makes of it; nil forgets it. It reports whether there
// was one. f is pure as in kv.Engine; the batch is for rows that are to change with the definition.
func (c *Catalog) ChangeRetired(ctx context.Context, number uint64, f func(old *Definition, b *kv.Batch) *Definition) (bool, error) {
	c.change.Lock()
	defer c.change.Unlock()
	c.mu.RLock()
	old := c.retired[number]
	c.mu.RUnlock()
	if old == nil {
		return false, nil
	}
	var next *Definition
	key := keys.Retired(number)
	t := kv.Txn{Keys: [][]byte{key}, Define: [][]byte{key}} // as a definition it may be put while the disk is full
	err := c.engine.Update(ctx, t, func(_ [][]byte, b *kv.Batch) error {
		if next = f(old, b); next == nil {
			b.Delete(key)
		} else {
			b.Put(key, next.encode())
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if next == nil {
		delete(c.retired, number)
	} else {
		c.retired[number] = next
	}
	return true, nil
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
	d.prepare()
	return d, nil
}
