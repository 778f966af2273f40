package pebblekv

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
)

// TestAhead: a log's end is filled with zeros when little is written there, and what was written stays what it was.
func TestAhead(t *testing.T) {
	fs := storeFS{vfs.NewMem(), func(err error) { t.Error(err) }}
	log, err := fs.Create("1.log", logCategory)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for i, tt := range []struct{ write, size int }{
		{100, 100 + ahead},
		{ahead - 1, 100 + ahead},
		{aheadMost + 1, 100 + ahead + aheadMost}, // a byte was left
		{aheadMost, 100 + 2*ahead + 2*aheadMost},
		{1, 100 + 2*ahead + 2*aheadMost},
	} {
		some := bytes.Repeat([]byte{byte(i + 1)}, tt.write)
		want = append(want, some...) // first: with the race detector on, this file system spoils what it was given
		if n, err := log.Write(some); n != tt.write || err != nil {
			t.Fatal(n, err)
		}
		if got := read(t, fs, "1.log"); len(got) != tt.size || !bytes.Equal(got[:len(want)], want) || len(bytes.Trim(got[len(want):], "\x00")) > 0 {
			t.Fatalf("write %d: %d bytes, want %d: what was written, %d, and zeros", i, len(got), tt.size, len(want))
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}

	before := read(t, fs, "1.log")
	log, err = fs.ReuseForWrite("1.log", "2.log", logCategory)
	if err != nil {
		t.Fatal(err)
	}
	for range len(before)/aheadMost + 1 {
		if got := read(t, fs, "2.log"); len(got) != len(before) {
			t.Fatalf("a log that is used again has %d bytes instead of %d", len(got), len(before))
		}
		if _, err := log.Write(make([]byte, aheadMost)); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, fs, "2.log"); len(got) < len(before)+ahead {
		t.Errorf("it has %d bytes when its %d are used up", len(got), len(before))
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCrashInZeros: after a crash a log is read up to the zeros, again and again: whatever number of logs there is.
func TestCrashInZeros(t *testing.T) {
	disk := vfs.NewCrashableMem()
	for life := range 5 {
		db := testOpen(t, Config{Dir: "store", FS: disk})
		for i := range life * 20 {
			if v := value(t, db, i); string(v) != fmt.Sprint("of ", i) {
				t.Fatalf("life %d: row %d has %q", life, i, v)
			}
		}
		for i := life * 20; i < (life+1)*20; i++ {
			key := []byte(fmt.Sprintf("row %4d", i))
			err := db.Update(t.Context(), kv.Txn{Keys: [][]byte{key}}, func(_ [][]byte, b *kv.Batch) error {
				b.Put(key, []byte(fmt.Sprint("of ", i)))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		disk = crash(t, disk, db)
		if n := zeroTails(t, disk, "store"); n == 0 {
			t.Fatal("no log ends with zeros")
		}
	}
}

func value(t *testing.T, db *DB, i int) (v []byte) {
	t.Helper()
	key := []byte(fmt.Sprintf("row %4d", i))
	err := db.Update(t.Context(), kv.Txn{Keys: [][]byte{key}}, func(vals [][]byte, _ *kv.Batch) error {
		v = bytes.Clone(vals[0])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// zeroTails returns how many logs under a directory end with zeros.
func zeroTails(t *testing.T, fs vfs.FS, dir string) (n int) {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		full := fs.PathJoin(dir, name)
		if i, err := fs.Stat(full); err == nil && i.IsDir() {
			n += zeroTails(t, fs, full)
		} else if path.Ext(name) == ".log" && bytes.HasSuffix(read(t, fs, full), zeros[:ahead/2]) {
			n++
		}
	}
	return n
}
