package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

var errDisk = errors.New("the disk is on fire")

// failFS fails writes or fsyncs once it is told to, of all files or of those that end in a suffix.
type failFS struct {
	vfs.FS
	syncs, writes atomic.Bool
	suffix        string
}

func (f *failFS) Unwrap() vfs.FS { return f.FS }

func (f *failFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	if !strings.HasSuffix(name, f.suffix) {
		return file, err
	}
	return failFile{file, f}, err
}

type failFile struct {
	vfs.File
	fs *failFS
}

func (f failFile) Write(p []byte) (int, error) {
	if f.fs.writes.Load() {
		return 0, errDisk
	}
	return f.File.Write(p)
}

func (f failFile) Sync() error {
	if f.fs.syncs.Load() {
		return errDisk
	}
	return f.File.Sync()
}

func (f failFile) SyncData() error { return f.Sync() }

// openFailing opens a store whose disk can fail, and counts how often it is told to end.
func openFailing(t *testing.T) (db *DB, disk *failFS, ended func() []error) {
	disk = &failFS{FS: vfs.NewMem()}
	var mu sync.Mutex
	var fatal []error
	db = testOpen(t, Config{Dir: "d", FS: disk, Fatal: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		fatal = append(fatal, err)
	}})
	return db, disk, func() []error {
		mu.Lock()
		defer mu.Unlock()
		return fatal
	}
}

func putRow(db *DB, key, val string) error {
	return db.Update(context.Background(), kv.Txn{Keys: [][]byte{[]byte(key)}}, func(_ [][]byte, b *kv.Batch) error {
		b.Put([]byte(key), []byte(val))
		return nil
	})
}

func TestFailedFsyncEndsTheProcess(t *testing.T) {
	for name, fail := range map[string]func(*failFS){
		"fsync": func(d *failFS) { d.syncs.Store(true) },
		"write": func(d *failFS) { d.writes.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			db, disk, ended := openFailing(t)
			if err := putRow(db, "a", "1"); err != nil {
				t.Fatal(err)
			}
			fail(disk)
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					err := putRow(db, fmt.Sprint("b", i%3), "2")
					if !errors.Is(err, kv.ErrUnknown) {
						t.Errorf("Update returned %v, want ErrUnknown", err)
					}
				})
			}
			wg.Wait()
			if got := ended(); len(got) != 1 || !errors.Is(got[0], errDisk) {
				t.Errorf("the process was ended %d times, for %v", len(got), got)
			}
			wantUnknown(t, db)
		})
	}
}

// wantUnknown checks that what was written when the disk failed is told to nobody, and what was there before still is.
func wantUnknown(t *testing.T, db *DB) {
	t.Helper()
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Get([]byte("b0")); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); !errors.Is(err, kv.ErrUnknown) {
		t.Errorf("Close of a view that saw a lost write returned %v, want ErrUnknown", err)
	}
	if v, err = db.View(t.Context(), kv.ViewOpts{}); err != nil {
		t.Fatal(err)
	}
	if val, err := v.Get([]byte("a")); err != nil || string(val) != "1" {
		t.Errorf("Get returned %q, %v", val, err)
	}
	if err := v.Close(); err != nil {
		t.Errorf("Close of a view that saw nothing of it: %v", err)
	}
}

func TestFailedFlushEndsTheProcess(t *testing.T) {
	disk := &failFS{FS: vfs.NewMem(), suffix: ".sst"}
	disk.syncs.Store(true)
	ended := make(chan error, 1)
	db := testOpen(t, Config{Dir: "d", FS: disk, Fatal: func(err error) { ended <- err }})
	if err := putRow(db, "a", "1"); err != nil {
		t.Fatal(err)
	}
	flushed, err := db.pebble.AsyncFlush()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, errDisk) {
		t.Errorf("the process was ended for %v", err)
	}
	disk.syncs.Store(false) // Pebble goes on trying, which proves nothing
	<-flushed
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestFailureWhileOpeningIsReturned(t *testing.T) {
	disk := &failFS{FS: vfs.NewMem()}
	disk.syncs.Store(true)
	db, err := Open(Config{Dir: "d", FS: disk, Logger: quiet, Fatal: func(err error) { t.Errorf("ended: %v", err) }})
	if !errors.Is(err, errDisk) {
		t.Errorf("Open returned %v, %v", db, err)
	}
}

// TestStalledFsync checks who waits for a stalled disk and who does not.
func TestStalledFsync(t *testing.T) {
	tokens := make(chan struct{})
	db, err := openStalled(t, vfs.NewMem(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	applied := make(chan struct{})
	go func() {
		close(applied)
		written <- putRow(db, "hot", "1")
	}()
	<-applied
	for val := []byte(nil); val == nil; { // until it is visible
		v, err := db.View(t.Context(), kv.ViewOpts{})
		if err != nil {
			t.Fatal(err)
		}
		if val, err = v.Get([]byte("hot")); err != nil {
			t.Fatal(err)
		}
		v.(*view).seen = 0 // this test is not the outside world
		v.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	v, err := db.View(ctx, kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	if val, err := v.Get([]byte("cold")); val != nil || err != nil {
		t.Fatal(val, err)
	}
	if err := v.Close(); err != nil { // does not wait
		t.Fatal(err)
	}
	v, err = db.View(ctx, kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Get([]byte("hot")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := v.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("Close of a view that saw a write in flight returned %v, want the context's error", err)
	}
	if len(db.watermark.waiters) != 0 {
		t.Errorf("%d waiters are left", len(db.watermark.waiters))
	}
	select {
	case err := <-written:
		t.Errorf("Update returned %v before its fsync", err)
	default:
	}
	close(tokens)
	if err := <-written; err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamagedBlock flips bits in a table file: reads of what it holds fail, and nothing is reported missing.
func TestDamagedBlock(t *testing.T) {
	disk := vfs.NewMem()
	db := testOpen(t, Config{Dir: "d", FS: disk})
	big := make([]byte, 8<<10)
	var rows []string
	for i := range 20 {
		rows = append(rows, string(rowKey(nil, uint64(i))))
		if err := putRow(db, rows[i], string(big)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(db.pebble.Flush(), db.Close()); err != nil {
		t.Fatal(err)
	}
	damageTables(t, disk, "d")

	db = testOpen(t, Config{Dir: "d", FS: disk})
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	damaged := 0
	for _, k := range rows {
		val, err := v.Get([]byte(k))
		switch {
		case errors.Is(err, kv.ErrCorrupt):
			damaged++
		case err != nil || len(val) != len(big):
			t.Errorf("Get returned %d bytes, %v", len(val), err)
		}
	}
	if damaged == 0 {
		t.Error("no read met the damage")
	}
	space := keys.AppendSpace(nil, 1, 0)
	it, err := v.Scan(kv.Range{Lo: space, Hi: keys.Next(space)})
	if err == nil {
		for it.Next() {
		}
		err = it.Close()
	}
	if !errors.Is(err, kv.ErrCorrupt) {
		t.Errorf("the scan returned %v, want ErrCorrupt", err)
	}
	err = db.Update(t.Context(), kv.Txn{Keys: [][]byte{[]byte(rows[10])}}, func([][]byte, *kv.Batch) error { return nil })
	if err != nil && !errors.Is(err, kv.ErrCorrupt) {
		t.Errorf("Update returned %v", err)
	}
	if err := errors.Join(v.Close(), db.Close()); err != nil {
		t.Error(err)
	}
}

// damageTables changes bytes in the middle of every table file.
func damageTables(t *testing.T, disk *vfs.MemFS, dir string) {
	t.Helper()
	names, err := disk.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if !strings.HasSuffix(n, ".sst") {
			continue
		}
		data, err := disk.UnsafeGetFileDataBuffer(disk.PathJoin(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		for i := len(data) / 4; i < len(data)/2; i++ {
			data[i] ^= 0xff
		}
	}
}

// TestFullDisk checks that below the reserve nothing grows, that the rest goes on, and that writes come back.
func TestFullDisk(t *testing.T) {
	var avail atomic.Uint64
	avail.Store(10 << 30)
	db := testOpen(t, Config{Dir: "d", FS: vfs.NewMem(), Usage: func() (vfs.DiskUsage, error) {
		return vfs.DiskUsage{AvailBytes: avail.Load(), TotalBytes: 20 << 30}, nil
	}})
	db.space.every = 0 // looks each time
	def := []byte("definition")
	do := func(x kv.Txn, f func(b *kv.Batch)) error {
		return db.Update(t.Context(), x, func(_ [][]byte, b *kv.Batch) error { f(b); return nil })
	}
	grow := map[string]func(b *kv.Batch){
		"put":            func(b *kv.Batch) { b.Put([]byte("a"), nil) },
		"log":            func(b *kv.Batch) { b.Append(1, nil) },
		"put and delete": func(b *kv.Batch) { b.Put([]byte("a"), nil); b.Delete([]byte("b")) },
	}
	for range 2 {
		for what, f := range grow {
			if err := do(kv.Txn{}, f); err != nil {
				t.Errorf("with room, %s returned %v", what, err)
			}
		}
		avail.Store(1<<30 - 1)
		for what, f := range grow {
			if err := do(kv.Txn{}, f); !errors.Is(err, kv.ErrNoSpace) {
				t.Errorf("without room, %s returned %v, want ErrNoSpace", what, err)
			}
		}
		err := errors.Join(
			do(kv.Txn{}, func(b *kv.Batch) { b.Delete([]byte("a")); b.Add([]byte("n"), -1) }),
			do(kv.Txn{Keys: [][]byte{def}, Define: [][]byte{def}}, func(b *kv.Batch) { b.Put(def, nil) }),
			do(kv.Txn{}, func(*kv.Batch) {}),
			db.DeleteRange(t.Context(), []byte("x"), []byte("y")),
			db.TrimLog(t.Context(), 1, 1),
		)
		if err != nil {
			t.Errorf("without room, what makes room returned %v", err)
		}
		avail.Store(1 << 30)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestReserve(t *testing.T) {
	for _, c := range []struct {
		reserve int64
		total   uint64
		want    uint64
	}{
		{0, 1 << 30, 256 << 20},
		{0, 100 << 30, 5 << 30},
		{0, 1 << 40, 8 << 30},
		{123, 1 << 40, 123},
	} {
		s := newSpaceWatch(Config{ReserveBytes: c.reserve})
		if got := s.needed(c.total); got != c.want {
			t.Errorf("reserve %d of a disk of %d: %d, want %d", c.reserve, c.total, got, c.want)
		}
	}
}

func TestDiskIsAskedOnceInAWhile(t *testing.T) {
	asked := 0
	s := newSpaceWatch(Config{Logger: quiet, Usage: func() (vfs.DiskUsage, error) {
		asked++
		return vfs.DiskUsage{}, vfs.ErrUnsupported
	}})
	for range 1000 {
		if !s.room(8 << 10) {
			t.Fatal("a disk that cannot tell is full")
		}
	}
	if asked < 2 || asked > 100 { // 8 MB: at first, and each 4 MiB; more on a machine that hardly runs
		t.Errorf("asked %d times", asked)
	}
	s = newSpaceWatch(Config{ReserveBytes: -1, Logger: quiet})
	if !s.room(1 << 40) {
		t.Error("full in spite of no reserve")
	}
}

// TestDefaultFatal checks that a store is never opened without an end.
func TestDefaultFatal(t *testing.T) {
	c := Config{Dir: "d", Logger: slog.New(slog.DiscardHandler)}.withDefaults()
	if c.Fatal == nil || c.FS == nil || c.Usage == nil || c.CacheBytes == 0 || c.MemtableBytes == 0 {
		t.Errorf("defaults are missing: %+v", c)
	}
}
