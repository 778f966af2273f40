package lambda

import (
	"bytes"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/svc/lambda/esm"
)

// TestCheckpoints: what is saved is loaded, however large the state of a window is, and nothing is left of what was.
func TestCheckpoints(t *testing.T) {
	c := checkpoints{newState(t), "uuid"}
	ctx := t.Context()
	start := time.Unix(1_700_000_000, 0).UTC()
	window := func(size int) *esm.Window {
		return &esm.Window{Start: start, End: start.Add(time.Minute), State: append(append([]byte{'"'}, bytes.Repeat([]byte("x"), size)...), '"')}
	}
	other := esm.Checkpoint{Shard: "t", Lane: 2, Lanes: 3, Since: start, Done: true}
	if err := c.Save(ctx, &other); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*esm.Window{nil, window(10), window(maxInline + 1), window(1 << 20), window(5), nil} {
		want := esm.Checkpoint{Shard: "s", Lanes: 1, After: "100000000000000000001", Window: w}
		if err := c.Save(ctx, &want); err != nil {
			t.Fatal(err)
		}
		list, err := c.Load(ctx)
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		got := list[0]
		if got.After != want.After || (got.Window == nil) != (w == nil) || w != nil && (!bytes.Equal(got.Window.State, w.State) || !got.Window.End.Equal(w.End)) {
			t.Errorf("got %+v", got)
		}
		if got := list[1]; got.Shard != "t" || got.Lane != 2 || got.Lanes != 3 || !got.Done || !got.Since.Equal(start) {
			t.Errorf("the other: %+v", got)
		}
		used := map[string]bool{}
		if err := c.blobs(ctx, used); err != nil {
			t.Fatal(err)
		}
		blobs := 0
		if w != nil && len(w.State) > maxInline {
			blobs = 1
		}
		if n := rows(t, c.state, "blob"); n != blobs {
			t.Errorf("%d blobs, want %d", n, blobs)
		}
		if blobs == 1 && len(used) < 1 {
			t.Error("a blob that is in use is not told")
		}
	}
	last := esm.Checkpoint{Shard: "s", Window: window(1 << 20)}
	if err := c.Save(ctx, &last); err != nil {
		t.Fatal(err)
	}
	if err := c.removeAll(ctx); err != nil {
		t.Fatal(err)
	}
	if n := rows(t, c.state, "checkpoint/uuid") + rows(t, c.state, "blob"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
