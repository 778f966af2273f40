package memkv

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

// TestLag writes more than what waits for the order, and looks whether the order follows, a little with each write.
func TestLag(t *testing.T) {
	const perUpdate, rows = 25, 3 * lateMost
	db := Open()
	sorted, most := 0, 0
	for row := 0; row < rows; row += perUpdate {
		writeBatch(t, db, func(b *kv.Batch) {
			for i := row; i < row+perUpdate; i++ {
				b.Put(lagKey(i), []byte("v"))
			}
			if row%10 == 0 {
				b.Delete(lagKey(row / 2))
			}
		})
		most = max(most, sorted-len(db.order.sorted))
		sorted = len(db.order.sorted)
		if waits := sorted + len(db.pairs.late); waits >= lateMost+owedLeast {
			t.Fatalf("%d changes wait after %d rows", waits, row)
		}
	}
	if most == 0 || most > 2*owedLeast {
		t.Fatalf("one write made %d changes of the order", most)
	}
	checkScan(t, db)
}

func lagKey(i int) []byte {
	return binary.BigEndian.AppendUint64([]byte("\x03rows of a table "), uint64(i)*0x9E3779B97F4A7C15)
}

func writeBatch(t *testing.T, db *DB, change func(b *kv.Batch)) {
	t.Helper()
	err := db.Update(context.Background(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
		change(b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkScan checks that a scan finds what the map has.
func checkScan(t *testing.T, db *DB) {
	t.Helper()
	var want, got []string
	for _, c := range db.pairs.cells {
		for ; c != nil; c = c.next {
			want = append(want, c.key())
		}
	}
	slices.Sort(want)
	var c cursor
	c.seek(db.snapshot(), "", false)
	for c.step(false) {
		got = append(got, c.entry().key())
	}
	if !slices.Equal(got, want) {
		t.Fatalf("a scan finds %d keys, want %d in order", len(got), len(want))
	}
}

// TestBlock checks that a block holds what it was made of, and that nothing can be appended to its value in place.
func TestBlock(t *testing.T) {
	for _, pair := range [][2]string{{"", ""}, {"k", ""}, {"", "v"}, {"key", "value"}} {
		b := newBlock([]byte(pair[0]), []byte(pair[1]))
		v := b.value()
		if b.key() != pair[0] || string(v) != pair[1] || v == nil || cap(v) != len(v) {
			t.Errorf("%q: %q, %q of capacity %d", pair, b.key(), v, cap(v))
		}
	}
}

// TestSettledIsForgotten: changes that have been made keep nothing alive, though others of their batch still wait.
func TestSettledIsForgotten(t *testing.T) {
	o := order{tree: newTree()}
	var late []change
	for i := range 100 {
		c := newCell(newBlock([]byte{byte(i)}, nil), 0, nil)
		late = append(late, change{entry: entryOf(c), gone: true})
	}
	o.sort(late)
	o.settle(60)
	for i, c := range o.room {
		if made := i < 60; made != (c.cell == nil) {
			t.Fatalf("change %d: %v", i, c.cell)
		}
	}
}
