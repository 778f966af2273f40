package pebblekv

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
)

func TestSizes(t *testing.T) {
	for _, c := range []struct{ limit, cache, memtable int64 }{
		{0, 128 << 20, 64 << 20},
		{32 << 20, 8 << 20, 4 << 20},
		{256 << 20, 64 << 20, 16 << 20},
		{8 << 30, 2 << 30, 64 << 20},
	} {
		if cache, memtable := sizes(c.limit); cache != c.cache || memtable != c.memtable {
			t.Errorf("limit %d: cache %d and memtable %d, want %d and %d", c.limit, cache, memtable, c.cache, c.memtable)
		}
	}
}

func TestCgroupLimit(t *testing.T) {
	const (
		self = "proc/self/cgroup"
		v2   = "sys/fs/cgroup/"
		v1   = "sys/fs/cgroup/memory/"
	)
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"none":          {nil, 0},
		"garbage":       {map[string]string{self: "what\n::\n"}, 0},
		"v2 container":  {map[string]string{self: "0::/\n", v2 + "memory.max": "536870912\n"}, 512 << 20},
		"v2 unlimited":  {map[string]string{self: "0::/\n", v2 + "memory.max": "max\n"}, 0},
		"v2 nested":     {map[string]string{self: "0::/a/b\n", v2 + "a/memory.max": "100\n", v2 + "a/b/memory.max": "max\n"}, 100},
		"v2 parent":     {map[string]string{self: "0::/a/b\n", v2 + "a/memory.max": "100\n", v2 + "a/b/memory.max": "200\n"}, 100},
		"v2 host path":  {map[string]string{self: "0::/docker/ab12\n", v2 + "memory.max": "300\n"}, 300},
		"v1 container":  {map[string]string{self: "5:cpu:/\n4:memory:/docker/x\n", v1 + "memory.limit_in_bytes": "400\n"}, 400},
		"v1 unlimited":  {map[string]string{self: "4:hugetlb,memory:/\n", v1 + "memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		"v1 other only": {map[string]string{self: "4:cpu:/\n", v1 + "memory.limit_in_bytes": "400\n"}, 0},
		"both":          {map[string]string{self: "4:memory:/\n0::/\n", v1 + "memory.limit_in_bytes": "400\n", v2 + "memory.max": "300"}, 300},
		"outside":       {map[string]string{self: "0::/../../x\n", v2 + "memory.max": "300"}, 300},
	} {
		fs := fstest.MapFS{}
		for path, text := range c.files {
			fs[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := cgroupLimit(fs); got != c.want {
			t.Errorf("%s: limit %d, want %d", name, got, c.want)
		}
	}
}

// TestMergerIsAssociative adds operands up in all groupings that a compaction may choose.
func TestMergerIsAssociative(t *testing.T) {
	operand := func(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
	finish := func(m pebble.ValueMerger) []byte {
		val, _, err := m.Finish(true)
		if err != nil {
			t.Fatal(err)
		}
		return val
	}
	deltas := []int64{5, -7, 1 << 62, 1 << 62, -1, 0}
	var want int64
	for _, d := range deltas {
		want += d
	}
	for split := 1; split < len(deltas); split++ {
		newer, _ := counterMerger.Merge(nil, operand(deltas[0]))
		for _, d := range deltas[1:split] {
			newer.MergeOlder(operand(d))
		}
		older, _ := counterMerger.Merge(nil, operand(deltas[len(deltas)-1]))
		for i := len(deltas) - 2; i >= split; i-- {
			older.MergeNewer(operand(deltas[i]))
		}
		sum, _ := counterMerger.Merge(nil, finish(older))
		sum.MergeNewer(finish(newer))
		if got := kv.Counter(finish(sum)); got != want {
			t.Errorf("split at %d: %d, want %d", split, got, want)
		}
	}
	if _, err := counterMerger.Merge(nil, []byte("short")); !errors.Is(err, pebble.ErrCorruption) {
		t.Errorf("an operand of 5 bytes: %v, want corruption", err)
	}
}

// TestAddToWhatIsNoCounter checks that a counter that is none is damage, not zero.
func TestAddToWhatIsNoCounter(t *testing.T) {
	db := testOpen(t, inMemory())
	if err := putRow(db, "n", "text"); err != nil {
		t.Fatal(err)
	}
	err := db.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error { b.Add([]byte("n"), 1); return nil })
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Get([]byte("n")); !errors.Is(err, kv.ErrCorrupt) {
		t.Errorf("Get returned %v, want ErrCorrupt", err)
	}
	if err := errors.Join(v.Close(), db.Close()); err != nil {
		t.Error(err)
	}
}

// TestPinned holds what belongs to the format of every store: whoever changes one of these has a new format number to give out.
func TestPinned(t *testing.T) {
	if formatNumber != 1 || pebbleFormat != 24 || mergerName != "gramme.add.v1" || comparer.Name != "leveldb.BytewiseComparator" {
		t.Errorf("the format is %d: Pebble %d, merger %s, comparer %s", formatNumber, pebbleFormat, mergerName, comparer.Name)
	}
	db := testOpen(t, inMemory())
	if got := db.pebble.FormatMajorVersion(); got != pebbleFormat {
		t.Errorf("Pebble writes format %d", got)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
