// Package memkv is the storage engine of a server that keeps nothing: kv.Engine on a hash map and a B+ tree in memory.
//
// Updates exclude each other by the doors of package latch, and apply their batches under one lock, which readers share. Values are never
// changed, only replaced, so whoever has read one keeps it without a copy. Single keys are found in the map. The tree, which has the
// order, is told of changes late, in their order, and not at all that a key has another value. A scan or a pinned view reads a snapshot of it:
// the tree shares its nodes with it, and copies those that it changes from then on.
//
// It stands beside pebblekv because a measurement asked for it: half of what a PutItem cost in memory went into Pebble's
// memtables, flushes and compactions, which exist for disks.
package memkv

import (
	"bytes"
	"context"
	"sync"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/latch"
)

// DB is an open store.
type DB struct {
	gate    *latch.Gate
	latches *latch.Table
	updates sync.Pool // of *update

	order order

	mu    sync.RWMutex
	pairs pairs
	heads map[uint64]kv.Pos // the newest position of shards that have records
}

var _ kv.Engine = (*DB)(nil)

// Open returns an empty store.
func Open() *DB {
	db := &DB{gate: latch.NewGate(), order: order{tree: newTree()}, pairs: newPairs(), heads: map[uint64]kv.Pos{}}
	db.latches = latch.NewTable(func(key []byte) (uint64, error) { return kv.Version(db.get(key)), nil })
	db.updates.New = func() any { return &update{db: db} }
	return db
}

// Close waits for running calls and open views, and lets go of all memory.
func (db *DB) Close() error {
	if err := db.gate.Close(); err != nil {
		return err
	}
	db.order = order{tree: newTree()}
	db.pairs, db.heads = newPairs(), nil
	return nil
}

// Limits implements kv.Engine.
func (db *DB) Limits() kv.Limits { return kv.Limits{TxnBytes: 512 << 20} }

// PreSplit implements kv.Engine: one machine has nothing to split.
func (db *DB) PreSplit(ctx context.Context, _ [][]byte) error {
	return db.enter(ctx, func() {})
}

// DeleteRange implements kv.Engine.
func (db *DB) DeleteRange(ctx context.Context, lo, hi []byte) error {
	return db.enter(ctx, func() { db.deleteRange(lo, hi) })
}

// enter calls f if the store is open and the caller still there.
func (db *DB) enter(ctx context.Context, f func()) error {
	if err := db.gate.Enter(); err != nil {
		return err
	}
	defer db.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	f()
	return nil
}

// deletedAtOnce is how many keys of a range are deleted while readers wait.
const deletedAtOnce = 256

// deleteRange deletes the keys in [lo, hi) piece by piece.
func (db *DB) deleteRange(lo, hi []byte) {
	for bytes.Compare(lo, hi) < 0 {
		keys, next := db.first(lo, hi)
		db.mu.Lock()
		for _, k := range keys {
			db.pairs.delete(k)
		}
		db.mu.Unlock()
		lo = next
	}
}

// first returns the first keys in [lo, hi), as many as are deleted at once, and where to go on.
func (db *DB) first(lo, hi []byte) (keys [][]byte, next []byte) {
	db.order.mu.Lock()
	defer db.order.mu.Unlock()
	db.order.add(db.takeLate(false))
	return db.order.first(deletedAtOnce, lo, hi)
}

// takeLate takes the changes that the order does not know yet, and begins an epoch if they are for a snapshot. The caller holds order.mu.
func (db *DB) takeLate(snapshot bool) []change {
	db.mu.Lock()
	defer db.mu.Unlock()
	late := db.pairs.late
	db.pairs.late, db.order.late = db.order.late, nil
	if snapshot {
		db.pairs.epoch++
	}
	return late
}

// catchUp tells the order of some changes that it does not know yet, unless somebody else is doing so.
func (db *DB) catchUp(some int) {
	if !db.order.mu.TryLock() {
		return
	}
	defer db.order.mu.Unlock()
	if len(db.order.sorted) == 0 {
		db.order.sort(db.takeLate(false))
	}
	db.order.settle(some)
}

// get returns the value under a key.
func (db *DB) get(key []byte) []byte {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.pairs.get(key)
}

// snapshot returns the tree as it is now, for reading.
func (db *DB) snapshot() *tree {
	if snap := db.lastSnapshot(); snap != nil {
		return snap
	}
	db.order.mu.Lock()
	defer db.order.mu.Unlock()
	if snap := db.lastSnapshot(); snap != nil { // somebody else has made one meanwhile
		return snap
	}
	db.order.add(db.takeLate(true))
	snap := db.order.tree.snapshot()
	db.mu.Lock()
	defer db.mu.Unlock()
	if len(db.pairs.late) == 0 {
		db.pairs.snap = snap
	}
	return snap
}

// lastSnapshot returns the last one if nothing has changed since, else nil.
func (db *DB) lastSnapshot() *tree {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.pairs.snap
}
