package pebblekv

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// The format of a store: a change to any of these, or to a key or value that this package builds, is a new format number.
const (
	formatNumber = 1
	pebbleFormat = pebble.FormatValueSeparation // sstables of version 7, sync chunks in the log
	mergerName   = "gramme.add.v1"
)

// Bits of Bloom filters for each key. Most look-ups of writes are for new keys and ask the filters of all levels, where L0 alone has dozens of
// sublevels beside a bulk load: where 10 bits let one look-up in a hundred through, 16 let one in two thousand. The last level, which has nearly
// all keys, is asked once.
const (
	upperFilter = 16
	lastFilter  = 10
)

// comparer orders keys by their bytes. Its name is part of the format too.
var comparer = pebble.DefaultComparer

// pebbleOptions returns Pebble's options for an open configuration.
func pebbleOptions(c Config, manners *courtesy, log *eventLog) *pebble.Options {
	o := &pebble.Options{
		Comparer:                    comparer,
		Merger:                      counterMerger,
		FormatMajorVersion:          pebbleFormat,
		CacheSize:                   c.CacheBytes + c.MemtableBytes, // memtables, up to three of them mostly, are taken out of it
		MemTableSize:                uint64(c.MemtableBytes),
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,                // with 6 loads were cheaper by a tenth, and queries dearer: they look into each sublevel
		L0StopWritesThreshold:       64,               // stalls come late: a burst is better absorbed than refused
		LBaseMaxBytes:               128 << 20,        // about what comes from L0 at once: with 64 MiB there is a level more, with 256 each compaction rewrites more
		FlushDelayDeleteRange:       10 * time.Second, // the room of a dropped table comes back without further writes
		Logger:                      log,
		EventListener:               log.listener(),
		// WALMinSyncInterval stays 0: commits that wait for one fsync share the next, and waiting longer only slows a lone writer.
	}
	for i := range o.Levels {
		o.TargetFileSizes[i] = 16 << 20 // keys are hashed: what overlaps a table is rewritten anyway, and each costs an fsync
		o.Levels[i] = pebble.LevelOptions{
			BlockSize:      4 << 10,   // small: most reads want one item
			IndexBlockSize: 256 << 10, // large: one level of index is one lookup less for each read
			FilterPolicy:   givingFilter{bloom.FilterPolicy(upperFilter), manners},
			// Without cgo Snappy decompresses several times faster than Zstandard, and each read that misses the cache pays for it.
			Compression: func() *sstable.CompressionProfile { return sstable.SnappyCompression },
		}
	}
	o.TargetFileSizes[0] = c.MemtableBytes // one file for each sublevel: a look-up has an iterator open in each, and to open another takes as long
	o.Levels[len(o.Levels)-1].FilterPolicy = givingFilter{bloom.FilterPolicy(lastFilter), manners}
	return o
}

// eventLog passes on what Pebble has to say.
type eventLog struct {
	log  *slog.Logger
	fail func(error)
}

// Infof implements pebble.Logger.
func (l *eventLog) Infof(format string, args ...any) { l.log.Debug(fmt.Sprintf(format, args...)) }

// Errorf implements pebble.Logger.
func (l *eventLog) Errorf(format string, args ...any) { l.log.Error(fmt.Sprintf(format, args...)) }

// Fatalf implements pebble.Logger. Pebble relies on its not returning.
func (l *eventLog) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	l.fail(err)
	panic(err)
}

// listener returns the events worth a line. A damaged block ends neither the process, which would find it again at the next
// start, nor the compaction's retries; whoever reads it is told.
func (l *eventLog) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) { l.log.Error("background work failed", "err", err) },
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			l.log.Error("stored data is damaged: restore from a backup", "file", i.Path, "err", i.Details)
		},
		DiskSlow: func(i pebble.DiskSlowInfo) {
			l.log.Warn("the disk is slow", "file", i.Path, "operation", i.OpType.String(), "after", i.Duration)
		},
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) { l.log.Warn("writes wait for the disk", "reason", i.Reason) },
		WriteStallEnd:   func() { l.log.Info("writes go on") },
	}
}
