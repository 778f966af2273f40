package memkv

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/latch"
)

// update is one call of Update: what it holds, and memory that later ones use again.
type update struct {
	db    *DB
	txn   kv.Txn
	hold  latch.Hold
	vals  [][]byte
	batch kv.Batch
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
	defer u.finish() // also if f panics
	return u.run(ctx, f)
}

func (u *update) run(ctx context.Context, f func(vals [][]byte, b *kv.Batch) error) error {
	if err := u.db.latches.Acquire(&u.hold, &u.txn); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // it may have taken a while
		return err
	}
	u.read()
	if err := f(u.vals, &u.batch); err != nil {
		return err
	}
	if u.batch.Bytes() > u.db.Limits().TxnBytes {
		return kv.ErrTooLarge
	}
	u.db.apply(&u.batch)
	u.hold.Redefine(&u.batch)
	return nil
}

// read reads the keys.
func (u *update) read() {
	u.db.mu.RLock()
	defer u.db.mu.RUnlock()
	for _, k := range u.txn.Keys {
		u.vals = append(u.vals, u.db.pairs.get(k))
	}
}

// apply makes the changes of b visible.
func (db *DB) apply(b *kv.Batch) {
	if b.Empty() {
		return
	}
	own(b)
	if late := db.change(b); late >= lateMost {
		db.catchUp()
	}
}

// own replaces the values in b, which are its caller's, by copies, while nobody waits for that.
func own(b *kv.Batch) {
	for i := range b.Puts {
		b.Puts[i].Value = bytes.Clone(b.Puts[i].Value)
	}
	for i := range b.Log {
		b.Log[i].Data = bytes.Clone(b.Log[i].Data)
	}
}

// change makes the changes of b, whose values it keeps, and returns how many the order does not know yet.
func (db *DB) change(b *kv.Batch) (late int) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, k := range b.Dels {
		db.pairs.delete(k)
	}
	for _, p := range b.Puts {
		db.pairs.put(p.Key, text(p.Value))
	}
	for _, a := range b.Adds {
		sum := kv.Counter(db.pairs.get(a.Key)) + a.Delta
		db.pairs.put(a.Key, text(binary.BigEndian.AppendUint64(nil, uint64(sum))))
	}
	for _, e := range b.Log {
		db.append(e)
	}
	return len(db.pairs.late)
}

// finish releases everything and gives u back.
func (u *update) finish() {
	u.hold.Release()
	clear(u.vals)
	u.batch.Reset()
	*u = update{db: u.db, hold: u.hold, vals: u.vals[:0], batch: u.batch}
	u.db.updates.Put(u)
}
