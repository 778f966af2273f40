package kv_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

func TestBatch(t *testing.T) {
	var b kv.Batch
	for range 2 {
		if !b.Empty() {
			t.Fatalf("batch holds %v", b)
		}
		for what, f := range map[string]func(){
			"put":    func() { b.Put([]byte("k"), []byte("v")) },
			"delete": func() { b.Delete([]byte("k")) },
			"add":    func() { b.Add([]byte("n"), -1) },
			"append": func() { b.Append(7, []byte("d")) },
		} {
			f()
			if b.Empty() {
				t.Errorf("batch is empty after %s", what)
			}
		}
		if string(b.Puts[0].Key)+string(b.Puts[0].Value)+string(b.Dels[0]) != "kvk" || b.Adds[0].Delta != -1 || b.Log[0].Shard != 7 {
			t.Errorf("batch holds %v", b)
		}
		b.Reset()
	}
	if puts := b.Puts[:1]; puts[0].Value != nil {
		t.Error("a batch that was reset still holds values")
	}
}

func TestCounter(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 1 << 62, -1 << 63} {
		if got := kv.Counter(binary.BigEndian.AppendUint64(nil, uint64(n))); got != n {
			t.Errorf("Counter = %d, want %d", got, n)
		}
	}
	if got := kv.Counter(nil); got != 0 {
		t.Errorf("Counter of nothing = %d", got)
	}
}

func TestVersion(t *testing.T) {
	for row, want := range map[string]uint64{
		"": 0, "short": 0, "\x00\x00\x00\x00\x00\x00\x01\x02": 258, "\xff\xff\xff\xff\xff\xff\xff\xff and more": 1<<64 - 1,
	} {
		if got := kv.Version([]byte(row)); got != want {
			t.Errorf("Version(%q) = %d, want %d", row, got, want)
		}
	}
}

func TestConflictError(t *testing.T) {
	err := fmt.Errorf("update: %w", &kv.ConflictError{Key: 3})
	conflict := new(kv.ConflictError)
	if !errors.As(err, &conflict) || conflict.Key != 3 {
		t.Errorf("%v is no conflict on key 3", err)
	}
}
