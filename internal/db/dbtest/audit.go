package dbtest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"sort"
	"testing"

	"github.com/grammedb/gramme/internal/db/index"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// Audit recomputes from the tables' rows everything else that is stored: index entries, the entries of time to live, counters, and
// where the logs must have led, and tells what differs, and what belongs to no table. REQUIRES: no write or background work under way. Indexes that are being filled are passed over.
func Audit(ctx context.Context, e kv.Engine, c *table.Catalog) (faults []string, err error) {
	view, err := e.View(ctx, kv.ViewOpts{Pinned: true})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := view.Close(); err == nil {
			err = cerr
		}
	}()
	a := &audit{view: view, want: map[string]row.Row{}, expiries: map[string]bool{}, counters: map[string]int64{}, passed: map[string]bool{}}
	for _, d := range c.All(func(table.Name) bool { return true }) {
		a.expect(d)
	}
	a.rows()
	a.compareExpiries()
	a.counts()
	a.jobs()
	a.logs(ctx, e, c)
	sort.Strings(a.faults)
	return a.faults, a.err
}

type audit struct {
	view     kv.View
	want     map[string]row.Row // by key: rows that must be stored, Item and Size
	expiries map[string]bool    // by key: entries of time to live that must be stored
	counters map[string]int64   // by key: counters that must be stored, unless they are 0
	passed   map[string]bool    // spaces that are not looked into
	faults   []string
	err      error
}

func (a *audit) faultf(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// scan calls f with every pair of a range.
func (a *audit) scan(lo, hi []byte, f func(key, val []byte)) {
	it, err := a.view.Scan(kv.Range{Lo: lo, Hi: hi})
	if err == nil {
		for it.Next() {
			f(bytes.Clone(it.Key()), it.Value())
		}
		err = it.Close()
	}
	if a.err == nil {
		a.err = err
	}
}

// expect notes what must be stored of a table, given its rows.
func (a *audit) expect(d *table.Definition) {
	for i := range d.Indexes {
		if ix := &d.Indexes[i]; ix.Status == table.Creating {
			a.passed[string(keys.AppendSpace(nil, d.Number, ix.Number))] = true
		}
	}
	if d.TTL.Filling {
		lo, _ := keys.NumberedExpiries(d.Number, d.TTL.Entries)
		a.passed[string(lo)] = true
	}
	lo := keys.AppendSpace(nil, d.Number, 0)
	a.scan(lo, keys.Next(lo), func(key, val []byte) {
		r, err := row.Decode(val)
		if err != nil || !attr.Valid(r.Item) {
			a.faultf("%s: row %x is damaged: %v", d.Name, key, err)
			return
		}
		a.expectItem(d, key, bytes.Clone(r.Item))
	})
}

// expectItem notes what must be stored of one item.
func (a *audit) expectItem(d *table.Definition, rowKey []byte, it attr.Item) {
	k, err := d.KeyOf(it)
	if err != nil || !bytes.Equal(d.AppendRowKey(nil, k), rowKey) {
		a.faultf("%s: item %v is stored under %x: %v", d.Name, it, rowKey, err)
		return
	}
	collection := a.expectRow(d, 0, rowKey, it)
	if d.TTL.Kept() {
		if key, ok := index.AppendExpiry(nil, d, rowKey, it); ok {
			a.expiries[string(key)] = true
		}
	}
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		if ix.Status != table.Active {
			continue
		}
		if key, ok := index.AppendKey(nil, d, ix, it); ok {
			size := a.expectRow(d, ix.Number, key, index.Project(d, ix, it))
			if ix.Local {
				collection += size
			}
		}
	}
	if d.HasLocal() {
		a.counters[string(keys.AppendCounter(nil, d.Number, 0, keys.Collection, k.Partition.Bytes()))] += int64(collection)
	}
}

func (a *audit) expectRow(d *table.Definition, index uint16, key []byte, it attr.Item) (size int) {
	size = it.Size()
	a.want[string(key)] = row.Row{Item: it, Size: size}
	a.counters[string(keys.AppendCounter(nil, d.Number, index, keys.Items))]++
	a.counters[string(keys.AppendCounter(nil, d.Number, index, keys.Bytes))] += int64(size)
	return size
}

// rows compares all rows of all tables and indexes with those that must be there.
func (a *audit) rows() {
	a.scan(keys.AppendTable(nil, 0), keys.Next(keys.AppendTable(nil, math.MaxUint64)), func(key, val []byte) {
		want, ok := a.want[string(key)]
		delete(a.want, string(key))
		r, err := row.Decode(val)
		switch {
		case a.passed[string(keys.Space(key))]:
		case !ok:
			a.faultf("row %x is of no table, or an entry of no item: %v", key, r.Item)
		case err != nil || !bytes.Equal(r.Item, want.Item) || r.Size != want.Size:
			a.faultf("row %x holds %v, %d bytes (%v), want %v, %d bytes", key, r.Item, r.Size, err, want.Item, want.Size)
		}
	})
	for key, r := range a.want {
		a.faultf("row %x is missing: %v", key, r.Item)
	}
}

// compareExpiries compares the entries of time to live with those that must be there.
func (a *audit) compareExpiries() {
	lo, _ := keys.Expiries(0)
	_, hi := keys.Expiries(math.MaxUint64)
	a.scan(lo, hi, func(key, val []byte) {
		if !a.expiries[string(key)] || len(val) > 0 {
			a.faultf("entry %x = %x says that an item expires which does not", key, val)
		}
		delete(a.expiries, string(key))
	})
	for key := range a.expiries {
		if !a.passed[string(keys.Space([]byte(key)))] {
			a.faultf("entry %x is missing: an item will not expire", key)
		}
	}
}

// counts compares all counters with those that must be there.
func (a *audit) counts() {
	lo, _ := keys.Counters(0)
	_, hi := keys.Counters(math.MaxUint64)
	a.scan(lo, hi, func(key, val []byte) {
		want := a.counters[string(key)]
		delete(a.counters, string(key))
		if got := kv.Counter(val); got != want && !a.filling(key) {
			a.faultf("counter %x is %d, want %d", key, got, want)
		}
	})
	for key, want := range a.counters {
		if want != 0 {
			a.faultf("counter %x is missing, want %d", key, want)
		}
	}
}

// filling reports whether a counter is of an index that is being filled.
func (a *audit) filling(counter []byte) bool {
	for space := range a.passed {
		if bytes.Equal(counter[1:11], []byte(space)[1:11]) { // table and index
			return true
		}
	}
	return false
}

// jobs tells of background work that is still written down.
func (a *audit) jobs() {
	lo, hi := keys.Jobs("")
	a.scan(lo, hi, func(key, val []byte) {
		if len(a.passed) == 0 {
			a.faultf("job %q is not done: %q", key, val)
		}
	})
}

// CheckAudit fails the test if an Audit finds anything.
func CheckAudit(t testing.TB, e kv.Engine, c *table.Catalog) {
	t.Helper()
	faults, err := Audit(context.Background(), e, c)
	if err != nil {
		t.Errorf("audit: %v", err)
	}
	for i, f := range faults {
		if i == 20 {
			t.Errorf("and %d more faults", len(faults)-i)
			break
		}
		t.Errorf("%s", f)
	}
}
