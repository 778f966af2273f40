package changelog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A place is how far a follower has read. It is stored, as JSON, in a row of the follower's own; there is none before the first Advance.
type place struct {
	Lost bool              `json:",omitempty"`
	Read map[uint64]kv.Pos // by shard
}

func decodePlace(row []byte) (p place, err error) {
	if row == nil {
		return p, nil
	}
	if err := json.Unmarshal(row, &p); err != nil {
		return p, fmt.Errorf("changelog: place of a follower: %v: %w", err, kv.ErrCorrupt)
	}
	return p, nil
}

func (p *place) encode() []byte {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // a place has nothing that JSON cannot hold
	}
	return text
}

// Places returns the positions up to which a follower has read, by shard. A shard that it covers and that is not among them is unread.
// Fails with ErrStartOver.
func (l *Log) Places(ctx context.Context, d *table.Definition, name string) (map[uint64]kv.Pos, error) {
	p, err := l.place(ctx, d, name)
	if err == nil && p.Lost {
		err = ErrStartOver
	}
	return p.Read, err
}

func (l *Log) place(ctx context.Context, d *table.Definition, name string) (p place, err error) {
	view, err := l.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return p, err
	}
	row, err := view.Get(keys.Hold(d.Number, name))
	if err == nil {
		p, err = decodePlace(row)
	}
	if cerr := view.Close(); err == nil {
		err = cerr // a place that was not durable might go back behind what is trimmed for it
	}
	return p, err
}

// Advance notes that a follower has read shards up to positions; it never goes back. What it has read need not be kept for it. Fails with
// ErrStartOver. After a crash some of the newest notes may be missing.
func (l *Log) Advance(ctx context.Context, d *table.Definition, name string, read map[uint64]kv.Pos) error {
	key, oldest := keys.Hold(d.Number, name), uint64(math.MaxUint64)
	for _, s := range d.Log.Shards() {
		oldest = min(oldest, s.Number)
	}
	return l.engine.Update(ctx, kv.Txn{Keys: [][]byte{key}, NoSync: true}, func(vals [][]byte, b *kv.Batch) error {
		p, err := decodePlace(vals[0])
		if err != nil {
			return err
		}
		if p.Lost {
			return ErrStartOver
		}
		if p.Read == nil {
			p.Read = map[uint64]kv.Pos{}
		}
		for shard, pos := range read {
			p.Read[shard] = max(p.Read[shard], pos)
		}
		maps.DeleteFunc(p.Read, func(shard uint64, _ kv.Pos) bool { return shard < oldest }) // of those nothing is left
		b.Put(key, p.encode())
		return nil
	})
}

// lose notes that a follower has lost its place. It fails with kv.ErrFenced if the definition has moved: the follower may have started
// over. Nobody does in a table that is deleted.
func (l *Log) lose(ctx context.Context, d *table.Definition, name string) error {
	key := keys.Hold(d.Number, name)
	t := kv.Txn{Keys: [][]byte{key}}
	if d.Status != table.Deleted {
		t.Fence = []kv.Fence{d.Fence()}
	}
	err := l.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) error {
		p, err := decodePlace(vals[0])
		if err != nil {
			return err
		}
		p.Lost = true
		b.Put(key, p.encode())
		return nil
	})
	if err == nil {
		l.log.Warn("a follower of a table stayed behind for too long and must start over", "table", d.Name, "follower", name)
	}
	return err
}
