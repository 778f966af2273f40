package pebblekv

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
)

// TestCloseFlushes: a store that was closed has no log to replay, and all that was in it.
func TestCloseFlushes(t *testing.T) {
	c := Config{Dir: "db", FS: vfs.NewMem(), ReserveBytes: -1}
	db, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 2*flushFrom)
	err = db.Update(t.Context(), kv.Txn{Keys: [][]byte{[]byte("k")}}, func(_ [][]byte, b *kv.Batch) error {
		b.Put([]byte("k"), value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(c); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n := db.Metrics().Flush.WriteThroughput.Bytes; n != 0 {
		t.Errorf("%d bytes of the log were replayed and flushed", n)
	}
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if got, err := v.Get([]byte("k")); err != nil || len(got) != len(value) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestCloseLeavesAnIdleStoreAlone: what nobody wrote to grows by no file, however often it is opened.
func TestCloseLeavesAnIdleStoreAlone(t *testing.T) {
	c := Config{Dir: "db", FS: vfs.NewMem(), ReserveBytes: -1}
	var first []string
	for n := range 3 {
		db, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		names, err := c.FS.List(c.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = names
		} else if len(names) > len(first)+1 { // a log that has not been reused yet
			t.Errorf("after start %d: %q, after the first: %q", n+1, names, first)
		}
	}
}
