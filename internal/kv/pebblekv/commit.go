package pebblekv

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A commit is made of four steps: it gets a number, announces what it changes, is applied, settles.

// announce tells the marks, the caches and the recent keys what commit n is about to change. Of a log that is its trim point, which only
// TailLog reads, and which a commit does not write.
func (db *DB) announce(b *kv.Batch, n uint64) {
	e := db.recent.enter()
	defer db.recent.leave()
	for _, p := range b.Puts {
		e.add(db.change(p.Key, n))
	}
	for _, k := range b.Dels {
		e.add(db.change(k, n))
	}
	for _, a := range b.Adds {
		e.add(db.change(a.Key, n))
	}
	for _, l := range b.Log {
		db.change(keys.LogHead(l.Shard), n)
	}
}

// change announces the change of one key, and returns its hash.
func (db *DB) change(key []byte, n uint64) (h uint64) {
	h = hash(key)
	db.marks.raise(key, h, n)
	db.values.drop(h)
	if c := keys.CollectionOf(key); c != nil {
		h := hash(c)
		raise(&db.marks.collections[h%stripes], n)
		db.scans.drop(h)
	}
	return h
}

// apply makes b visible. An error means that its outcome is unknown, and that the process ends.
func (db *DB) apply(b *pebble.Batch) (err error) {
	defer func() {
		// Pebble panics when it cannot write its log. Whoever recovers it further up must not go on with this store.
		if r := recover(); r != nil {
			err = db.unknown(fmt.Errorf("commit: %v", r))
		}
	}()
	ended := db.recent.applied(db.watermark.durable.Load())
	if err := db.pebble.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return db.unknown(err)
	}
	if seq := b.SeqNum(); ended != nil && seq > 0 { // a large batch does not know its number any more
		db.recent.close(ended, uint64(seq))
	}
	return nil
}

// settle waits until commit n, whose batch is b, is durable, and says so to others.
func (db *DB) settle(b *pebble.Batch, n uint64) error {
	if err := b.SyncWait(); err != nil {
		return db.unknown(fmt.Errorf("fsync of the log: %w", err))
	}
	db.watermark.finish(n)
	return b.Close()
}

func (db *DB) unknown(err error) error {
	db.fail(err)
	return fmt.Errorf("%w: %w", kv.ErrUnknown, err)
}

// fill puts into b what from changes, except for log records: they have no position yet.
func fill(b *pebble.Batch, from *kv.Batch) error {
	for _, k := range from.Dels {
		if err := b.Delete(k, nil); err != nil {
			return err
		}
	}
	for _, p := range from.Puts {
		if err := b.Set(p.Key, p.Value, nil); err != nil {
			return err
		}
	}
	var delta [8]byte
	for _, a := range from.Adds {
		binary.BigEndian.PutUint64(delta[:], uint64(a.Delta))
		if err := b.Merge(a.Key, delta[:], nil); err != nil {
			return err
		}
	}
	return nil
}
