package memkv

import (
	"context"
	"encoding/binary"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A log record is stored under its shard and position. Positions follow each other without gaps. The trim point of a shard is the
// last position that was forgotten, 8 bytes.

// maxTailBytes is about how much data TailLog returns at once.
const maxTailBytes = 1 << 20

// append appends to a shard's log a record that was copied before it was known at which position. The caller holds db.mu, so records become
// visible in the order of their positions.
func (db *DB) append(shard uint64, record *block) {
	pos := db.head(shard) + 1
	db.heads[shard] = pos
	keys.AppendLog(bytesOf(record.key())[:0], shard, uint64(pos))
	db.pairs.put(record)
}

// head returns the newest position of a shard: where all records are gone, the trim point tells it.
func (db *DB) head(shard uint64) kv.Pos {
	if head, ok := db.heads[shard]; ok {
		return head
	}
	return db.trimPoint(shard)
}

// trimPoint returns the last position of a shard that was forgotten.
func (db *DB) trimPoint(shard uint64) kv.Pos {
	val := db.pairs.get(keys.LogHead(shard))
	if val == nil {
		return 0
	}
	return kv.Pos(binary.BigEndian.Uint64(val))
}

// TailLog implements kv.Engine. It returns fewer records than limit also when they are large.
func (db *DB) TailLog(ctx context.Context, shard uint64, after kv.Pos, limit int) (recs []kv.Record, next kv.Pos, err error) {
	eerr := db.enter(ctx, func() { recs, next, err = db.tail(shard, after, limit) })
	if eerr != nil {
		return nil, 0, eerr
	}
	return recs, next, err
}

func (db *DB) tail(shard uint64, after kv.Pos, limit int) ([]kv.Record, kv.Pos, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if after == kv.Newest {
		return nil, db.head(shard), nil
	}
	if trimmed := db.trimPoint(shard); trimmed > after {
		return nil, trimmed, kv.ErrTrimmed
	}
	var (
		recs []kv.Record
		key  [keys.LogLen]byte
		size int
	)
	for head := db.head(shard); after < head && len(recs) < limit && size < maxTailBytes; after++ {
		data := db.pairs.get(keys.AppendLog(key[:0], shard, uint64(after+1)))
		recs = append(recs, kv.Record{Pos: after + 1, Prev: after, Data: data})
		size += len(data)
	}
	return recs, after, nil
}

// TrimLog implements kv.Engine.
func (db *DB) TrimLog(ctx context.Context, shard uint64, upTo kv.Pos) error {
	return db.enter(ctx, func() { db.trim(shard, upTo) })
}

// trim moves the trim point, then deletes what is behind it: readers see records that are missing as trimmed.
func (db *DB) trim(shard uint64, upTo kv.Pos) {
	if to := db.moveTrimPoint(shard, upTo); to > 0 {
		lo, _ := keys.Log(shard)
		db.deleteRange(lo, keys.Next(keys.AppendLog(nil, shard, uint64(to))))
	}
	if upTo == kv.Newest {
		db.mu.Lock()
		defer db.mu.Unlock()
		db.pairs.delete(keys.LogHead(shard))
	}
}

// moveTrimPoint returns where it is then, 0 if it was there before.
func (db *DB) moveTrimPoint(shard uint64, upTo kv.Pos) kv.Pos {
	db.mu.Lock()
	defer db.mu.Unlock()
	head := db.head(shard)
	upTo = min(upTo, head)
	if upTo <= db.trimPoint(shard) {
		return 0
	}
	if upTo == head {
		delete(db.heads, shard) // shards that are left for good must not pile up
	}
	db.pairs.put(newBlock(keys.LogHead(shard), binary.BigEndian.AppendUint64(nil, uint64(upTo))))
	return upTo
}
