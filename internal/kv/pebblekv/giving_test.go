package pebblekv

import (
	"fmt"
	"testing"
	"time"
)

// TestPile: flushes and compactions are told how many tables L0 has, from when a store is opened.
func TestPile(t *testing.T) {
	c := inMemory()
	c.MemtableBytes = 16 << 10
	for range 3 {
		db := testOpen(t, c)
		for i := range 1000 {
			if err := putRow(db, fmt.Sprintf("key %d", i), fmt.Sprintf("%0200d", i)); err != nil {
				t.Fatal(err)
			}
		}
		agree := func() bool { return db.pebble.Metrics().Levels[0].TablesCount == db.courtesy.l0.Load() }
		for deadline := time.Now().Add(10 * time.Second); !agree(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d tables are said to be in L0, there are %d", db.courtesy.l0.Load(), db.pebble.Metrics().Levels[0].TablesCount)
			}
		}
		if flushes := db.pebble.Metrics().Flush.Count; flushes < 5 {
			t.Errorf("%d flushes only", flushes)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
