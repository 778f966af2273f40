package pebblekv

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/lib/giveway"
)

// Config says where and how to open a store. Only Dir is needed.
type Config struct {
	// Dir is the data directory. It is made if missing and locked while the store is open.
	Dir string

	// FS is the file system that holds Dir; nil is the operating system's.
	FS vfs.FS

	// CacheBytes is the size of the block cache, which fills as blocks are read. 0 is a quarter of the memory limit (GOMEMLIMIT
	// or the control group's, the smaller), or 128 MiB where there is none. The caches of values and of scans may take half as much each beside it.
	CacheBytes int64

	// MemtableBytes is the size to which a memtable may grow from 256 KiB; up to four exist while the disk is behind. 0 is
	// a sixteenth of the memory limit between 4 and 64 MiB, or 64 MiB where there is none.
	MemtableBytes int64

	// ReserveBytes is the free space below which updates that put or log fail with kv.ErrNoSpace. 0 is 5 % of the disk, at least
	// 256 MiB and at most 8 GiB; negative is none.
	ReserveBytes int64

	// Usage tells how full the disk is; nil asks FS. A store whose disk cannot tell is never full.
	Usage func() (vfs.DiskUsage, error)

	// Way is for what keeps a processor busy for long: flushes, compactions and large updates give way there. It may be nil.
	Way *giveway.Way

	// Logger receives what the store has to say; nil is slog.Default().
	Logger *slog.Logger

	// Fatal is called, once, when the store can't go on: a write or an fsync failed. It ends the process; nil logs the error and
	// exits with status 1. If it returns, the store answers kv.ErrUnknown to whoever still waits.
	Fatal func(error)
}

// withDefaults returns c with all that was left out.
func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Fatal == nil {
		c.Fatal = exit(c.Logger)
	}
	if c.FS == nil {
		c.FS = vfs.Default
	}
	if c.Usage == nil {
		c.Usage = func() (vfs.DiskUsage, error) { return c.FS.GetDiskUsage(c.Dir) }
	}
	cache, memtable := sizes(MemoryLimit())
	if c.CacheBytes == 0 {
		c.CacheBytes = cache
	}
	if c.MemtableBytes == 0 {
		c.MemtableBytes = memtable
	}
	return c
}

// exit returns the default for Config.Fatal.
func exit(log *slog.Logger) func(error) {
	return func(err error) {
		log.Error("the store cannot go on", "err", err)
		os.Exit(1)
	}
}

// sizes divides a memory limit; 0 is no limit. What is left is for requests, iterators and the garbage collector, which
// lets the heap grow past what is live.
func sizes(limit int64) (cache, memtable int64) {
	if limit <= 0 {
		return 128 << 20, 64 << 20
	}
	return limit / 4, min(max(limit/16, 4<<20), 64<<20)
}

// ownCgroupLimit is read once: control groups are five files or more, and a start asks three times.
var ownCgroupLimit = sync.OnceValue(func() int64 { return cgroupLimit(os.DirFS("/")) })

// MemoryLimit returns how much memory the process may use, 0 if that is not limited.
func MemoryLimit() int64 {
	limit := ownCgroupLimit()
	if soft := debug.SetMemoryLimit(-1); soft != math.MaxInt64 && (limit == 0 || soft < limit) {
		limit = soft
	}
	return limit
}
