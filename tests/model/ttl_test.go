package model

import (
	"time"

	"github.com/grammedb/gramme/internal/api/ddb"
	dbtable "github.com/grammedb/gramme/internal/db/table"
)

// A ttl is a table's time to live.
type ttl struct {
	on      bool
	attr    string
	changed time.Time
}

// setTTL switches time to live on or off, once an hour.
func (m *model) setTTL(op *Op) (code string) {
	t := m.tables[op.Table]
	switch {
	case t == nil:
		return notFound
	case t.ttl.on && op.Attr != t.ttl.attr, t.ttl.on == op.Enable, m.now.Before(t.ttl.changed.Add(time.Hour)):
		return invalid
	}
	t.ttl = ttl{op.Enable, op.Attr, m.now}
	return ""
}

// sweep deletes what has expired.
func (m *model) sweep() {
	for _, t := range m.tables {
		for key, it := range t.items {
			if t.ttl.on && m.expired(it[t.ttl.attr]) {
				e := effect{table: t, key: key, old: it}
				e.log("Service dynamodb.amazonaws.com")
				delete(t.items, key)
			}
		}
	}
}

// expired reports whether an item with that time has expired, and not too long ago.
func (m *model) expired(v Value) bool {
	if v.T != "N" {
		return false
	}
	at := time.Unix(v.int(), 0)
	return v.int() >= 0 && at.Unix() < m.now.Unix() && !at.Before(m.now.AddDate(-5, 0, 0).Truncate(time.Second))
}

func ttlInput(op *Op) *ddb.UpdateTimeToLiveInput {
	return &ddb.UpdateTimeToLiveInput{TableName: &op.Table, TimeToLiveSpecification: &ddb.TimeToLiveSpecification{
		AttributeName: &op.Attr, Enabled: &op.Enable,
	}}
}

// ttl makes an operation that mostly switches time to live to what it is not. Of the attributes one holds times, the others numbers that
// are none.
func (g *generator) ttl() Op {
	name, t := g.table()
	op := Op{Kind: "ttl", Table: name, Attr: pick(g, "t", "t", "t", "t", "b", "v", "s"), Enable: !t.ttl.on}
	if t.ttl.on && !g.one(5) {
		op.Attr = t.ttl.attr
	}
	if g.one(8) {
		op.Enable = !op.Enable
	}
	return op
}

// time makes a value about the present time. Where several write, each with a model of its own, nothing expires.
func (g *generator) time() Value {
	now, year := g.m.now.Unix(), int64(365*86400)
	if g.writer != "" {
		return num(now + year + int64(g.IntN(5)))
	}
	if g.one(10) {
		return pick(g, str("soon"), num(-now), num(1000*now), num(now-6*year), num(now-4*year))
	}
	return num(now + pick[int64](g, -86400, -3600, -1, 0, 1, 1, 2, 5, 300, 3600, 90000))
}

// age switches time to live off and on as long as writers are at work, and deletes what has expired, which is nothing.
func (c *crowd) age(s uint64) {
	g := newGenerator(s, newModel(epoch))
	for c.busy.Load() > 0 {
		name := dbtable.Name{Account: "000000000000", Region: "eu-test-1", Table: pick(g, "T-1", "T-2")}
		err := c.sys.Lifecycle.SetTTL(c.Context(), name, func(t *dbtable.TTL) error { // without the service's pause of an hour
			t.Enabled, t.Attribute, t.Changed = !t.Enabled, pick(g, "t", "b", "v"), epoch
			return nil
		})
		if err == nil {
			err = c.sys.Sweeper.Sweep(c.Context())
		}
		if err != nil {
			c.Errorf("time to live of %s: %v", name.Table, err)
			return
		}
	}
}
