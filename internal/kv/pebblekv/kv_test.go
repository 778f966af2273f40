package pebblekv

import (
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/kvtest"
)

var quiet = slog.New(slog.DiscardHandler)

// inMemory is a store on a disk that is none.
func inMemory() Config { return Config{Dir: "store", FS: vfs.NewMem()} }

// crash returns the disk as it would be if its machine ended now, and closes db, which is on it.
func crash(t *testing.T, disk *vfs.MemFS, db *DB) *vfs.MemFS {
	t.Helper()
	crashed := disk.CrashClone(vfs.CrashCloneCfg{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return crashed
}

// testOpen opens a store that must open, and that must not fail.
func testOpen(t testing.TB, c Config) *DB {
	t.Helper()
	c.Logger = quiet
	if c.Fatal == nil {
		c.Fatal = func(err error) { t.Errorf("the store failed: %v", err) }
	}
	db, err := Open(c)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return db
}

func TestEngine(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Engine { return testOpen(t, Config{Dir: t.TempDir()}) })
}

// TestEngineSmall runs the suite with memtables so small that everything is flushed all the time, and no cache.
func TestEngineSmall(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Engine {
		return testOpen(t, Config{Dir: t.TempDir(), MemtableBytes: 16 << 10, CacheBytes: 1})
	})
}

func TestDurable(t *testing.T) {
	kvtest.RunDurable(t, func(t *testing.T, dir string) kv.Engine { return testOpen(t, Config{Dir: dir}) })
}
