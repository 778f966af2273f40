package pebblekv

import (
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

func TestMarks(t *testing.T) {
	db := &DB{recent: newRecent(0), values: newValues(1 << 10), scans: newScans(1 << 10)}
	m := &db.marks
	a, b := rowKey(nil, 1), append(keys.AppendSpace(nil, 2, 0), "x"...)
	spaceOf := func(key []byte) kv.Range {
		return kv.Range{Lo: keys.Space(key), Hi: keys.Next(keys.Space(key))}
	}
	db.announce(&kv.Batch{
		Puts: []kv.Pair{{Key: a}}, Dels: [][]byte{b}, Adds: []kv.Add{{Key: []byte("c")}}, Log: []kv.LogEntry{{Shard: 3}},
	}, 5)
	m.raise(a, hash(a), 4) // an older commit comes later
	for _, k := range [][]byte{a, b, []byte("c"), keys.LogHead(3)} {
		if got := m.key(hash(k)); got != 5 {
			t.Errorf("mark of %x is %d, want 5", k, got)
		}
	}
	for _, r := range []kv.Range{spaceOf(a), spaceOf(b), {Lo: a, Hi: append(a, 0)}, {Lo: b, Hi: spaceOf(b).Hi}} {
		if got, ok := m.space(r); !ok || got != 5 {
			t.Errorf("mark of %x .. %x is %d, %v, want 5", r.Lo, r.Hi, got, ok)
		}
	}
	for _, r := range []kv.Range{
		{}, {Lo: a}, {Lo: a, Hi: b}, {Lo: keys.AppendTable(nil, 1), Hi: keys.AppendTable(nil, 2)}, {Lo: []byte("c"), Hi: []byte("d")},
	} {
		if _, ok := m.space(r); ok {
			t.Errorf("%x .. %x lies in one table", r.Lo, r.Hi)
		}
	}
	raise(&m.ranges, 9)
	if got, _ := m.space(spaceOf(a)); got != 9 || m.key(hash([]byte("other"))) != 9 {
		t.Errorf("after a range was deleted the marks are %d and %d, want 9", got, m.key(hash([]byte("other"))))
	}
}
