package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"

	"github.com/grammedb/gramme/internal/svc/lambda/esm"
)

// checkpoints keeps the checkpoints of a mapping. The state of a tumbling window may be larger than an item: then it is a blob.
type checkpoints struct {
	state state
	uuid  string
}

// A checkpoint is one as it is kept.
type checkpoint struct {
	esm.Checkpoint
	Blob string `json:",omitempty"` // of the window's state
	Size int64  `json:",omitempty"`
}

// maxInline is the size of the largest state that is kept in the item itself.
const maxInline = 128 << 10

func (c checkpoints) id(shard string, lane int) id {
	return id{"checkpoint/" + c.uuid, shard + "/" + strconv.Itoa(lane)}
}

// Load implements esm.Store.
func (c checkpoints) Load(ctx context.Context) ([]esm.Checkpoint, error) {
	stored, err := all[checkpoint](ctx, c.state, span{pk: "checkpoint/" + c.uuid})
	if err != nil {
		return nil, err
	}
	list := make([]esm.Checkpoint, len(stored))
	for i, s := range stored {
		list[i] = s.Checkpoint
		if s.Blob == "" {
			continue
		}
		if list[i].Window.State, err = c.state.getBlob(ctx, s.Blob, s.Size); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Save implements esm.Store.
func (c checkpoints) Save(ctx context.Context, cp *esm.Checkpoint) error {
	key := c.id(cp.Shard, cp.Lane)
	next := checkpoint{Checkpoint: *cp}
	if cp.Window != nil && len(cp.Window.State) > maxInline {
		next.Blob, next.Size = newID(), int64(len(cp.Window.State))
		if err := c.state.putBlob(ctx, next.Blob, cp.Window.State); err != nil {
			return err
		}
		next.Window = &esm.Window{Start: cp.Window.Start, End: cp.Window.End}
	}
	old, err := c.replace(ctx, key, next)
	if err != nil || old == "" {
		return err
	}
	return c.state.removeBlob(ctx, old)
}

// replace stores a checkpoint and returns the blob of the one before, "" if it had none.
func (c checkpoints) replace(ctx context.Context, key id, next checkpoint) (blob string, err error) {
	old, err := c.state.swap(ctx, key, next)
	if err != nil || !bytes.Contains(old, []byte(`"Blob"`)) {
		return "", err
	}
	var before checkpoint
	err = json.Unmarshal(old, &before)
	return before.Blob, err
}

// Remove implements esm.Store.
func (c checkpoints) Remove(ctx context.Context, cp *esm.Checkpoint) error {
	key := c.id(cp.Shard, cp.Lane)
	var old checkpoint
	if _, err := c.state.get(ctx, key, &old); err != nil {
		return err
	}
	if _, err := c.state.remove(ctx, key); err != nil || old.Blob == "" {
		return err
	}
	return c.state.removeBlob(ctx, old.Blob)
}

// blobs adds the blobs of the checkpoints to those that are used.
func (c checkpoints) blobs(ctx context.Context, used map[string]bool) error {
	stored, err := all[checkpoint](ctx, c.state, span{pk: "checkpoint/" + c.uuid})
	for _, cp := range stored {
		used[cp.Blob] = true
	}
	return err
}

// removeAll removes all checkpoints of a mapping that is no more.
func (c checkpoints) removeAll(ctx context.Context) error {
	stored, err := all[checkpoint](ctx, c.state, span{pk: "checkpoint/" + c.uuid})
	if err != nil {
		return err
	}
	for i := range stored {
		if err := c.Remove(ctx, &stored[i].Checkpoint); err != nil {
			return err
		}
	}
	return nil
}
