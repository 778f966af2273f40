package row_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/kv"
)

// The bytes are the format of every store there is: a change here is a new format.
func TestGolden(t *testing.T) {
	it := dbtest.Item(t, "pk=a n=1")
	got := row.Append(nil, row.Stamp{Time: 0x0102030405060708, Origin: 9}, 300, it)
	want := "01" + "0102030405060708" + "0009" + "ac02" + hex.EncodeToString(it)
	if hex.EncodeToString(got) != want {
		t.Errorf("stored form %x, want %s", got, want)
	}
	if over := len(got) - len(it); over > row.Overhead {
		t.Errorf("%d bytes beside the attributes, at most %d", over, row.Overhead)
	}
}

func TestRoundTrip(t *testing.T) {
	it := dbtest.Item(t, "pk=a n=1")
	for _, size := range []int{1, 127, 128, 400 << 10} {
		s := row.Stamp{Time: 1 << 60, Origin: 65535}
		b := row.Append([]byte("before"), s, size, it)
		if !bytes.HasPrefix(b, []byte("before")) {
			t.Fatalf("Append does not append: %q", b)
		}
		got, err := row.Decode(b[len("before"):])
		if err != nil || got.Stamp != s || got.Size != size || !bytes.Equal(got.Item, it) {
			t.Errorf("%d bytes: got %+v, %v", size, got, err)
		}
	}
}

func TestDecodeNothing(t *testing.T) {
	got, err := row.Decode(nil)
	if err != nil || got.Item != nil || got.Size != 0 || got.Stamp != (row.Stamp{}) {
		t.Errorf("no row is %+v, %v", got, err)
	}
}

func TestDecodeDamaged(t *testing.T) {
	whole := row.Append(nil, row.Stamp{}, 5, dbtest.Item(t, "pk=a"))
	for name, b := range map[string][]byte{
		"empty":           {},
		"cut in the head": whole[:11],
		"other format":    append([]byte{2}, whole[1:]...),
		"endless size":    append(bytes.Clone(whole[:11]), bytes.Repeat([]byte{0xff}, 12)...),
	} {
		if _, err := row.Decode(b); !errors.Is(err, kv.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(row.Append(nil, row.Stamp{Time: 1, Origin: 2}, 3, []byte("x")))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := row.Decode(b)
		if err != nil {
			if !errors.Is(err, kv.ErrCorrupt) {
				t.Errorf("%x: %v", b, err)
			}
			return
		}
		if len(b) > 0 && !bytes.HasSuffix(b, got.Item) {
			t.Errorf("%x: attributes %x", b, got.Item)
		}
	})
}
