package dynamodb

import (
	"slices"

	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
)

// A usage is the capacity that one call consumed on one table.
type usage struct {
	table         float64
	local, global map[string]float64 // by index; only those touched
}

func (u *usage) addIndex(ix *table.Index, units float64) {
	if units == 0 {
		return
	}
	m := &u.global
	if ix.Local {
		m = &u.local
	}
	if *m == nil {
		*m = map[string]float64{}
	}
	(*m)[ix.Name] += units
}

// addWrite charges a write; factor is 2 within a transaction, where only the table's part is doubled.
func (u *usage) addWrite(e store.Effect, factor float64) {
	u.table += factor * capacity.Write(e.OldSize, e.NewSize)
	for _, c := range e.Indexes {
		u.addIndex(c.Index, capacity.IndexWrite(c))
	}
}

// addPage charges a Query or Scan.
func (u *usage) addPage(p *query.Plan, pg *query.Page, m capacity.Mode) {
	units := capacity.Read(pg.Bytes, m)
	if p.Index == nil {
		u.table += units
		return
	}
	u.addIndex(p.Index, units)
	for _, size := range pg.Fetched {
		u.table += capacity.Read(size, m)
	}
}

func (u *usage) total() float64 {
	sum := u.table
	for _, units := range u.local {
		sum += units
	}
	for _, units := range u.global {
		sum += units
	}
	return sum
}

// A direction tells which of the members that only transactions fill a usage belongs in.
type direction int

const (
	plain direction = iota // CapacityUnits alone
	reads
	writes
)

// consumed shapes a usage as the request's ReturnConsumedCapacity asks; nil if it asks for nothing.
func consumed(mode *string, tableName string, u *usage, dir direction) *ddb.ConsumedCapacity {
	if mode == nil || *mode == "NONE" {
		return nil
	}
	all := dir.capacity(u.total())
	c := &ddb.ConsumedCapacity{
		TableName:          &tableName,
		CapacityUnits:      all.CapacityUnits,
		ReadCapacityUnits:  all.ReadCapacityUnits,
		WriteCapacityUnits: all.WriteCapacityUnits,
	}
	if *mode == "INDEXES" {
		t := dir.capacity(u.table)
		c.Table = &t
		c.LocalSecondaryIndexes = dir.capacities(u.local)
		c.GlobalSecondaryIndexes = dir.capacities(u.global)
	}
	return c
}

func (d direction) capacity(units float64) ddb.Capacity {
	c := ddb.Capacity{CapacityUnits: &units}
	switch d {
	case reads:
		c.ReadCapacityUnits = &units
	case writes:
		c.WriteCapacityUnits = &units
	}
	return c
}

func (d direction) capacities(m map[string]float64) map[string]ddb.Capacity {
	if m == nil {
		return nil
	}
	out := make(map[string]ddb.Capacity, len(m))
	for name, units := range m {
		out[name] = d.capacity(units)
	}
	return out
}

// A bill is the usage of a call on several tables, in the order in which the call first named them.
type bill struct {
	names  []string
	usages []usage // of the names
}

// of returns the usage of a table. It is valid until the bill is asked for that of another.
func (b *bill) of(tableName string) *usage {
	i := slices.Index(b.names, tableName)
	if i < 0 {
		i = len(b.names)
		b.names, b.usages = append(b.names, tableName), append(b.usages, usage{})
	}
	return &b.usages[i]
}

// addReads charges items that were looked up.
func (b *bill) addReads(tableName string, found []store.Found, m capacity.Mode) {
	if len(found) == 0 {
		return
	}
	u := b.of(tableName)
	for _, f := range found {
		u.table += capacity.Read(f.Size, m)
	}
}

func (b *bill) consumed(mode *string, dir direction) []ddb.ConsumedCapacity {
	if mode == nil || *mode == "NONE" {
		return nil
	}
	list := make([]ddb.ConsumedCapacity, 0, len(b.names))
	for i, name := range b.names {
		list = append(list, *consumed(mode, name, &b.usages[i], dir))
	}
	return list
}
