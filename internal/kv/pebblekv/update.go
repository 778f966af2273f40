package pebblekv

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/latch"
	"github.com/grammedb/gramme/internal/lib/giveway"
)

// update is one call of Update: what it holds, and memory that later ones use again.
type update struct {
	db   *DB
	txn  kv.Txn
	hold latch.Hold

	vals   [][]byte
	memory []byte // of vals
	batch  kv.Batch
	turn   giveway.Turn
	seen   uint64 // the newest commit that may have been read
}

// Update implements kv.Engine.
func (db *DB) Update(ctx context.Context, t kv.Txn, f func(vals [][]byte, b *kv.Batch) error) error {
	if err := db.gate.Enter(); err != nil {
		return err
	}
	defer db.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	u := db.updates.Get().(*update)
	u.txn = t
	if len(t.Keys) >= largeUpdate {
		u.turn = db.config.Way.Begin()
	}
	defer u.finish() // also if f panics
	err := u.run(ctx, f)
	if err != nil || u.batch.Empty() {
		return u.refuse(ctx, err)
	}
	return u.commit()
}

// run does all that comes before the commit.
func (u *update) run(ctx context.Context, f func(vals [][]byte, b *kv.Batch) error) error {
	if err := u.db.latches.Acquire(&u.hold, &u.txn); err != nil {
		return u.turnedAway(err)
	}
	if err := ctx.Err(); err != nil { // it may have taken a while
		return err
	}
	if err := u.read(); err != nil {
		return err
	}
	u.turn.Give()
	if err := f(u.vals, &u.batch); err != nil {
		return err
	}
	return u.admit()
}

// refuse returns err, or nil, from an update that changes nothing, once what it saw is durable.
func (u *update) refuse(ctx context.Context, err error) error {
	u.hold.Release()
	if werr := u.db.watermark.wait(ctx, u.seen); werr != nil {
		return werr
	}
	return err
}

// turnedAway returns err of an update that found a door shut. A definition that has moved on was seen.
func (u *update) turnedAway(err error) error {
	if errors.Is(err, kv.ErrFenced) {
		for _, f := range u.txn.Fence {
			u.see(hash(f.Key))
		}
	}
	return err
}

// loadVersion reads a definition's version from its row.
func (db *DB) loadVersion(key []byte) (uint64, error) {
	f := finder{db: db}
	defer f.close()
	row, err := f.find(key, hash(key))
	return kv.Version(row), err
}

// see notes that a key with this hash has been read.
func (u *update) see(h uint64) { u.seen = max(u.seen, u.db.marks.key(h)) }

// read reads the keys.
func (u *update) read() error {
	f := finder{db: u.db}
	defer f.close()
	for i, k := range u.txn.Keys {
		val, ok := u.db.values.get(u.hold.Hashes[i], k)
		if !ok {
			var err error
			if val, err = f.find(k, u.hold.Hashes[i]); err != nil {
				return err
			}
			val = u.remember(val)
		}
		u.vals = append(u.vals, val)
		u.turn.Give()
		u.see(u.hold.Hashes[i])
	}
	return nil
}

// largeUpdate is how many keys make an update one that gives way to shorter work.
const largeUpdate = 8

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
	bytes := u.batch.Bytes()
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
	u.hold.Redefine(&u.batch)
	u.hold.Release()
	if u.txn.NoSync {
		db.settling.Go(func() { db.settle(b, n) })
		return nil
	}
	if err := db.settle(b, n); err != nil {
		return err
	}
	u.keep(n)
	return nil
}

// keep keeps in memory what commit n, now durable, wrote over what u had read: who changes a value is likely to need it again. Where there was none
// nothing is kept: a load of new items would push out all that is read. Nor is it while an earlier commit is on its way, which may add to the value, or
// delete it with its range, after this one.
func (u *update) keep(n uint64) {
	if u.db.watermark.durable.Load() < n {
		return
	}
	for i, old := range u.vals {
		if old == nil {
			continue
		}
		key := u.txn.Keys[i]
		if val, ok := written(&u.batch, key); ok && len(key)+len(val) <= maxKept {
			u.db.values.keep(hash(key), key, val, &u.db.marks, n)
		}
	}
}

// written returns what b puts under key, if nothing is added to it.
func written(b *kv.Batch, key []byte) ([]byte, bool) {
	for _, a := range b.Adds {
		if bytes.Equal(a.Key, key) {
			return nil, false
		}
	}
	for _, p := range slices.Backward(b.Puts) { // the last one counts
		if bytes.Equal(p.Key, key) {
			return p.Value, true
		}
	}
	return nil, false
}

// publish makes the changes visible, as commit n.
func (u *update) publish(b *pebble.Batch) (n uint64, err error) {
	db := u.db
	if err := fill(b, &u.batch); err != nil {
		return 0, err
	}
	u.turn.Give()
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

// maxMemory bounds the memory that is kept for later updates.
const maxMemory = 64 << 10

// finish releases everything and gives u back.
func (u *update) finish() {
	u.hold.Release()
	clear(u.vals)
	u.batch.Reset()
	if cap(u.memory) > maxMemory {
		u.memory = nil
	}
	*u = update{
		db: u.db, hold: u.hold,
		vals: u.vals[:0], memory: u.memory[:0], batch: u.batch,
	}
	u.db.updates.Put(u)
}
