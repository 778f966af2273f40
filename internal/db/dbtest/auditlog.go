package dbtest

import (
	"bytes"
	"context"
	"errors"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// logs reads all logs: every record must be of a shard that some table has, the shards' counters must tell their sizes, and the last
// record of an item must hold the item that is stored.
func (a *audit) logs(ctx context.Context, e kv.Engine, c *table.Catalog) {
	known := map[uint64]bool{}
	every := func(table.Name) bool { return true }
	for _, d := range append(c.All(every), c.Retired(every)...) {
		l := auditedLog{audit: a, table: d, last: map[string]change.Record{}}
		l.findCurrent()
		for _, s := range d.Log.Shards() {
			known[s.Number] = true
			if err := l.read(ctx, e, &s); err != nil && a.err == nil {
				a.err = err
			}
		}
		l.compare()
	}
	lo, hi := keys.Logs()
	a.scan(lo, hi, func(key, _ []byte) {
		if shard := keys.LogShard(key); !known[shard] {
			known[shard] = true
			a.faultf("shard %d is of no table", shard)
		}
	})
}

// An auditedLog is the log of one table.
type auditedLog struct {
	*audit
	table   *table.Definition
	current map[uint64]bool          // shards that lead to open ones: no change is missing since they were opened
	last    map[string]change.Record // of current shards, by row key
}

func (l *auditedLog) findCurrent() {
	l.current = map[uint64]bool{}
	all := l.table.Log.Shards()
	for i := len(all) - 1; i >= 0; i-- { // children before their parents
		if s := &all[i]; s.Closed.IsZero() || l.current[s.Number] {
			l.current[s.Number], l.current[s.Parent] = true, true
		}
	}
}

// read reads a shard from its first record to its last.
func (l *auditedLog) read(ctx context.Context, e kv.Engine, s *table.Shard) error {
	var after kv.Pos
	var size int64
	for {
		recs, next, err := e.TailLog(ctx, s.Number, after, 1000)
		if err != nil && !errors.Is(err, kv.ErrTrimmed) {
			return err
		}
		if err == nil && len(recs) == 0 {
			break
		}
		for i := range recs {
			size += int64(len(recs[i].Data))
			l.record(s, &recs[i])
		}
		after = next
	}
	val, err := l.view.Get(s.SizeKey())
	if n := kv.Counter(val); n != size {
		l.faultf("%s: shard %d holds %d bytes, its counter says %d", l.table.Name, s.Number, size, n)
	}
	return err
}

func (l *auditedLog) record(s *table.Shard, stored *kv.Record) {
	r, err := change.Decode(stored.Data)
	if err != nil {
		l.faultf("%s: record %d of shard %d: %v", l.table.Name, stored.Pos, s.Number, err)
		return
	}
	k, err := l.table.KeyOf(r.Image())
	if err != nil {
		l.faultf("%s: record %d of shard %d has no key: %v", l.table.Name, stored.Pos, s.Number, err)
		return
	}
	rowKey := l.table.AppendRowKey(nil, k)
	if h := keys.Hash(rowKey); h < s.Lo || h > s.Hi {
		l.faultf("%s: record %d of shard %d has hash %d", l.table.Name, stored.Pos, s.Number, h)
	}
	if !l.current[s.Number] {
		return
	}
	if was, ok := l.last[string(rowKey)]; ok {
		// Of an item that was deleted no stamp is left to be later than.
		if !bytes.Equal(was.New, r.Old) || was.New != nil && was.Stamp.Time >= r.Stamp.Time {
			l.faultf("%s: a change at %v made %v, the next one at %v found %v", l.table.Name, was.Stamp, was.New, r.Stamp, r.Old)
		}
	}
	l.last[string(rowKey)] = r
}

// compare holds the items as their last records left them against those that are stored.
func (l *auditedLog) compare() {
	if len(l.table.Log.Open) == 0 {
		return
	}
	for key, want := range l.last {
		val, err := l.view.Get([]byte(key))
		if err != nil && l.err == nil {
			l.err = err
		}
		got, _ := row.Decode(val)
		if !bytes.Equal(got.Item, want.New) || want.New != nil && got.Stamp != want.Stamp {
			l.faultf("%s: the log leaves %v, stored is %v", l.table.Name, want.New, got.Item)
		}
	}
}
