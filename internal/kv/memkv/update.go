package memkv

import (
	"context"
	"encoding/binary"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/kv/latch"
)

// update is one call of Update: what it holds, and memory that later ones use again.
type update struct {
	db    *DB
	txn   kv.Txn
	hold  latch.Hold
	vals  [][]byte
	batch kv.Batch
	puts  []*block // copies of what the batch puts
	log   []*block // and appends, without positions
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
	u.apply()
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

// apply makes the changes visible.
func (u *update) apply() {
	if u.batch.Empty() {
		return
	}
	u.copy()
	late := u.change() + int(u.db.order.owed.Load())
	if owed := late - lateMost; owed >= owedLeast {
		u.db.catchUp(owed)
	}
}

// copy copies what the batch puts, which is its caller's, while nobody waits for that.
func (u *update) copy() {
	for _, p := range u.batch.Puts {
		u.puts = append(u.puts, newBlock(p.Key, p.Value))
	}
	for _, e := range u.batch.Log {
		var key [keys.LogLen]byte
		u.log = append(u.log, newBlock(key[:], e.Data))
	}
}

// change makes the changes and returns how many the order does not know yet.
func (u *update) change() (late int) {
	db := u.db
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, k := range u.batch.Dels {
		db.pairs.delete(k)
	}
	for _, b := range u.puts {
		db.pairs.put(b)
	}
	for _, a := range u.batch.Adds {
		sum := kv.Counter(db.pairs.get(a.Key)) + a.Delta
		db.pairs.put(newBlock(a.Key, binary.BigEndian.AppendUint64(nil, uint64(sum))))
	}
	for i, e := range u.batch.Log {
		db.append(e.Shard, u.log[i])
	}
	return len(db.pairs.late)
}

// finish releases everything and gives u back.
func (u *update) finish() {
	u.hold.Release()
	clear(u.vals)
	u.batch.Reset()
	clear(u.puts)
	clear(u.log)
	*u = update{db: u.db, hold: u.hold, vals: u.vals[:0], batch: u.batch, puts: u.puts[:0], log: u.log[:0]}
	u.db.updates.Put(u)
}
