package change_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
)

var stamp = row.Stamp{Time: 0x0102030405060708, Origin: 9}

// The bytes are the format of every log there is: a change here is a new format.
func TestGolden(t *testing.T) {
	was, is := dbtest.Item(t, "pk=a"), dbtest.Item(t, "pk=a n=1")
	const head = "0102030405060708" + "0009"
	for _, c := range []struct {
		record change.Record
		event  change.Event
		want   string
	}{
		{change.Record{Stamp: stamp, New: is, NewSize: 6}, change.Insert, "0102" + head + "06" + "016e0203038214" + "02706b010161"},
		{change.Record{Stamp: stamp, Old: was, OldSize: 3, New: is, NewSize: 6}, change.Modify,
			"0103" + head + "03" + "06" + "02706b010161" + "06" + "016e0203038214" + "02706b010161"},
		{change.Record{Stamp: stamp, Old: was, OldSize: 300}, change.Remove, "0101" + head + "ac02" + "06" + "02706b010161"},
		{change.Record{Stamp: stamp, User: change.TTL, Old: was, OldSize: 3}, change.Remove,
			"0105" + head + "07" + hex.EncodeToString([]byte("Service")) + "16" + hex.EncodeToString([]byte("dynamodb.amazonaws.com")) + "03" + "06" + "02706b010161"},
	} {
		got := c.record.Append(nil)
		if hex.EncodeToString(got) != c.want {
			t.Errorf("%s: stored form\n%x, want\n%s", c.event, got, c.want)
		}
		if event := c.record.Event(); event != c.event {
			t.Errorf("event is %s, want %s", event, c.event)
		}
		if len(got) > c.record.MaxLen() {
			t.Errorf("%s: %d bytes, at most %d were announced", c.event, len(got), c.record.MaxLen())
		}
		if back, err := change.Decode(got); err != nil || !reflect.DeepEqual(back, c.record) {
			t.Errorf("%s: read back %+v, %v", c.event, back, err)
		}
	}
}

func TestImage(t *testing.T) {
	was, is := dbtest.Item(t, "pk=a"), dbtest.Item(t, "pk=a n=1")
	for _, c := range []struct {
		record change.Record
		want   attr.Item
	}{
		{change.Record{New: is}, is},
		{change.Record{Old: was, New: is}, is},
		{change.Record{Old: was}, was},
	} {
		if got := c.record.Image(); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.record.Event(), got, c.want)
		}
	}
}

func TestDecodeDamaged(t *testing.T) {
	whole := (&change.Record{Stamp: stamp, User: change.TTL, Old: dbtest.Item(t, "pk=a"), OldSize: 3}).Append(nil)
	other := func(at int, b byte) []byte { c := bytes.Clone(whole); c[at] = b; return c }
	damaged := map[string][]byte{
		"other format":  other(0, 2),
		"unknown parts": other(1, 8|1),
		"no image":      other(1, 4),
		"more behind":   append(bytes.Clone(whole), 0),
		"endless size":  append(bytes.Clone(whole[:12]), bytes.Repeat([]byte{0xff}, 12)...),
	}
	for i := range whole {
		damaged["cut at "+string(rune('0'+i))] = whole[:i]
	}
	for name, b := range damaged {
		if got, err := change.Decode(b); !errors.Is(err, kv.ErrCorrupt) {
			t.Errorf("%s: %+v, %v, want ErrCorrupt", name, got, err)
		}
	}
}

// FuzzDecode: whatever can be read is written in the same way, or in a shorter one, and reads the same again.
func FuzzDecode(f *testing.F) {
	it := dbtest.Item(f, "pk=a n=1")
	f.Add((&change.Record{Stamp: stamp, New: it, NewSize: 6}).Append(nil))
	f.Add((&change.Record{Stamp: stamp, User: change.TTL, Old: it, OldSize: 6}).Append(nil))
	f.Add((&change.Record{Stamp: stamp, Old: it, OldSize: 6, New: it, NewSize: 6}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := change.Decode(b)
		if err != nil {
			return
		}
		again := r.Append(nil)
		if back, err := change.Decode(again); err != nil || !reflect.DeepEqual(back, r) || len(again) > len(b) {
			t.Errorf("%+v was written as %x and read as %+v, %v", r, again, back, err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	it := dbtest.Item(b, "pk=artist song=title year=1999 genre=something")
	r := change.Record{Stamp: stamp, Old: it, OldSize: it.Size(), New: it, NewSize: it.Size()}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = r.Append(dst[:0])
	}
}

func BenchmarkDecode(b *testing.B) {
	it := dbtest.Item(b, "pk=artist song=title year=1999 genre=something")
	stored := (&change.Record{Stamp: stamp, Old: it, OldSize: it.Size(), New: it, NewSize: it.Size()}).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := change.Decode(stored); err != nil {
			b.Fatal(err)
		}
	}
}
