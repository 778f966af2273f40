package pebblekv

import (
	"bytes"
	"context"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
)

// update is one call of Update: what it holds, and memory that later ones use again.
type update struct {
	db  *DB
	txn kv.Txn

	hashes  []uint64 // of txn.Keys
	stripes []uint16 // of keys
	fences  []fenceLock

	claimed, fenced, locked bool

	vals   [][]byte
	memory []byte // of vals
	batch  kv.Batch
	seen   uint64 // the newest commit that may have been read
}

// Update implements kv.Engine.
func (db *DB) Update(ctx context.Context, t kv.Txn, f func(vals [][]byte, b *kv.Batch) error) error {
	if err := db.gate.enter(); err != nil {
		return err
	}
	defer db.gate.leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	u := db.updates.Get().(*update)
	u.txn = t
	defer u.finish() // also if f panics
	err := u.run(ctx, f)
	if err != nil || u.batch.Empty() {
		return u.refuse(ctx, err)
	}
	return u.commit()
}

// run does all that comes before the commit.
func (u *update) run(ctx context.Context, f func(vals [][]byte, b *kv.Batch) error) error {
	if err := u.lock(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // it may have taken a while
		return err
	}
	if err := u.read(); err != nil {
		return err
	}
	if err := f(u.vals, &u.batch); err != nil {
		return err
	}
	return u.admit()
}

// refuse returns err, or nil, from an update that changes nothing, once what it saw is durable.
func (u *update) refuse(ctx context.Context, err error) error {
	u.unlock()
	if werr := u.db.watermark.wait(ctx, u.seen); werr != nil {
		return werr
	}
	return err
}

// lock passes the doors that the package comment describes.
func (u *update) lock() error {
	db := u.db
	if u.txn.Claim {
		if err := db.claims.take(u.txn.Keys); err != nil {
			return err
		}
		u.claimed = true
	} else if err := db.claims.meet(u.txn.Keys); err != nil {
		return err
	}
	if err := u.fence(); err != nil {
		return err
	}
	for _, k := range u.txn.Keys {
		u.hashes = append(u.hashes, hash(k))
	}
	u.stripes = stripesOf(u.stripes, u.hashes)
	db.locks.lock(u.stripes)
	u.locked = true
	if u.txn.Claim {
		return nil
	}
	return db.claims.meet(u.txn.Keys)
}

// fence locks the definitions and compares their versions.
func (u *update) fence() error {
	if len(u.txn.Fence)+len(u.txn.Define) == 0 {
		return nil
	}
	u.fences = fenceLocks(u.fences, &u.txn)
	u.db.fences.lock(u.fences)
	u.fenced = true
	for _, f := range u.txn.Fence {
		v, err := u.db.fences.version(f.Key, u.loadVersion)
		if err != nil {
			return err
		}
		if v != f.Version {
			u.see(hash(f.Key))
			return kv.ErrFenced
		}
	}
	return nil
}

// loadVersion reads a definition's version from its row.
func (u *update) loadVersion(key []byte) (uint64, error) {
	var f finder
	defer f.close()
	row, err := f.find(u.db.pebble, u.db.watermark, key)
	return kv.Version(row), err
}

// see notes that a key with this hash has been read.
func (u *update) see(h uint64) { u.seen = max(u.seen, u.db.marks.key(h)) }

// read reads the keys.
func (u *update) read() error {
	var f finder
	defer f.close()
	for i, k := range u.txn.Keys {
		val, ok := u.db.values.get(u.hashes[i], k)
		if !ok {
			var err error
			if val, err = f.find(u.db.pebble, u.db.watermark, k); err != nil {
				return err
			}
			val = u.remember(val)
		}
		u.vals = append(u.vals, val)
		u.see(u.hashes[i])
	}
	return nil
}

// remember copies a value into u's memory. When that grows, the copies that were made before stay where they are.
func (u *update) remember(val []byte) []byte {
	if len(val) == 0 {
		return val // nil and empty differ
	}
	n := len(u.memory)
	u.memory = append(u.memory, val...)
	return u.memory[n:len(u.memory):len(u.memory)]
}

// admit tells whether the batch may be committed.
func (u *update) admit() error {
	if u.batch.Empty() {
		return nil
	}
	bytes := size(&u.batch)
	if bytes > u.db.Limits().TxnBytes {
		return kv.ErrTooLarge
	}
	if len(u.batch.Puts)+len(u.batch.Log) == 0 || len(u.txn.Define) > 0 {
		return nil // what makes room must go on: deletes, and dropping a table
	}
	if !u.db.space.room(bytes) {
		return kv.ErrNoSpace
	}
	return nil
}

// commit applies the batch, lets go of everything, and waits until it is durable.
func (u *update) commit() error {
	db := u.db
	b := db.pebble.NewBatch()
	n, err := u.publish(b)
	if err != nil {
		return err
	}
	u.redefine()
	u.unlock()
	if u.txn.NoSync {
		db.settling.Go(func() { db.settle(b, n) })
		return nil
	}
	return db.settle(b, n)
}

// publish makes the changes visible, as commit n.
func (u *update) publish(b *pebble.Batch) (n uint64, err error) {
	db := u.db
	if err := fill(b, &u.batch); err != nil {
		return 0, err
	}
	if len(u.batch.Log) > 0 {
		db.logs.mu.Lock()
		defer db.logs.mu.Unlock()
		if err := db.logs.place(db, b, u.batch.Log); err != nil {
			return 0, err
		}
	}
	n = db.watermark.begin()
	db.announce(&u.batch, n)
	return n, db.apply(b)
}

// redefine takes note of the definitions that the batch has changed.
func (u *update) redefine() {
	for _, key := range u.txn.Define {
		for _, k := range u.batch.Dels {
			if bytes.Equal(k, key) {
				u.db.fences.set(key, 0)
			}
		}
		for _, p := range u.batch.Puts {
			if bytes.Equal(p.Key, key) {
				u.db.fences.set(key, kv.Version(p.Value))
			}
		}
	}
}

// unlock lets go of all that is held.
func (u *update) unlock() {
	if u.locked {
		u.db.locks.unlock(u.stripes)
	}
	if u.fenced {
		u.db.fences.unlock(u.fences)
	}
	if u.claimed {
		u.db.claims.release(u.txn.Keys)
	}
	u.locked, u.fenced, u.claimed = false, false, false
}

// maxMemory bounds the memory that is kept for later updates.
const maxMemory = 64 << 10

// finish releases everything and gives u back.
func (u *update) finish() {
	u.unlock()
	clear(u.vals)
	u.batch.Reset()
	if cap(u.memory) > maxMemory {
		u.memory = nil
	}
	*u = update{
		db: u.db, hashes: u.hashes[:0], stripes: u.stripes[:0], fences: u.fences[:0],
		vals: u.vals[:0], memory: u.memory[:0], batch: u.batch,
	}
	u.db.updates.Put(u)
}
