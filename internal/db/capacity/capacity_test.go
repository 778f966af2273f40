package capacity_test

import (
	"testing"

	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/index"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		size                            int
		eventual, strong, transactional float64
	}{
		{0, 0.5, 1, 2}, // what is not there costs as one block
		{1, 0.5, 1, 2},
		{4096, 0.5, 1, 2},
		{4097, 1, 2, 4},
		{8192, 1, 2, 4},
		{400 << 10, 50, 100, 200},
		{1 << 20, 128, 256, 512},
	} {
		for mode, want := range map[capacity.Mode]float64{
			capacity.Eventual: c.eventual, capacity.Strong: c.strong, capacity.Transactional: c.transactional,
		} {
			if got := capacity.Read(c.size, mode); got != want {
				t.Errorf("Read(%d, %v) = %v, want %v", c.size, mode, got, want)
			}
		}
	}
}

func TestReadMode(t *testing.T) {
	if capacity.ReadMode(false) != capacity.Eventual || capacity.ReadMode(true) != capacity.Strong {
		t.Error("consistent reads are strong, others eventual")
	}
}

func TestWrite(t *testing.T) {
	for _, c := range []struct {
		old, new int
		want     float64
	}{
		{0, 0, 1}, // deleting what is not there
		{0, 1, 1},
		{0, 1024, 1},
		{0, 1025, 2},
		{2000, 10, 2}, // the larger of the two counts
		{10, 2000, 2},
		{3000, 0, 3},
		{0, 400 << 10, 400},
	} {
		if got := capacity.Write(c.old, c.new); got != c.want {
			t.Errorf("Write(%d, %d) = %v, want %v", c.old, c.new, got, c.want)
		}
	}
}

func TestIndexWrite(t *testing.T) {
	a, b := []byte("a"), []byte("b")
	for _, c := range []struct {
		name   string
		change index.Change
		want   float64
	}{
		{"stays", index.Change{OldKey: a, NewKey: a, OldSize: 9000, NewSize: 9000, Same: true}, 0},
		{"appears", index.Change{NewKey: b, NewSize: 2049}, 3},
		{"goes", index.Change{OldKey: a, OldSize: 1025}, 2},
		{"grows", index.Change{OldKey: a, NewKey: a, OldSize: 10, NewSize: 1025}, 2},
		{"shrinks", index.Change{OldKey: a, NewKey: a, OldSize: 5000, NewSize: 10}, 5},
		{"changes within a block", index.Change{OldKey: a, NewKey: a, OldSize: 10, NewSize: 20}, 1},
		{"moves", index.Change{OldKey: a, NewKey: b, OldSize: 10, NewSize: 1025}, 3},
		{"moves as it is", index.Change{OldKey: a, NewKey: b, OldSize: 10, NewSize: 10}, 2},
	} {
		if got := capacity.IndexWrite(c.change); got != c.want {
			t.Errorf("an entry that %s: %v units, want %v", c.name, got, c.want)
		}
	}
}
