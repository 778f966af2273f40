package pebblekv

import (
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/lib/giveway"
)

// Flushes and compactions keep a processor busy for a second or more. Pebble has no place for them to give way, but it calls two things of
// ours again and again from the goroutine that does the work: the filter of a table that is written, for each key, and the file of a
// table that is read from beginning to end, for each block.

// A courtesy is how flushes and compactions give way: with their threads, too, unless tables pile up in L0 meanwhile, which each look-up and Query
// looks into, and which end in a stall of all writes.
type courtesy struct {
	way *giveway.Way
	l0  atomic.Int64 // tables of L0: about as many as sublevels, since a flush makes one that spans all keys
}

// piledUp is how many tables of L0 end it. Writes stall at L0StopWritesThreshold.
const piledUp = 12

// begin begins a turn.
func (c *courtesy) begin() giveway.Turn {
	if c.l0.Load() >= piledUp {
		return c.way.Hurry()
	}
	return c.way.Begin()
}

// flushed is told that a flush has ended.
func (c *courtesy) flushed(i pebble.FlushInfo) { c.l0.Add(int64(len(i.Output))) }

// compacted is told that a compaction has ended, or failed.
func (c *courtesy) compacted(i pebble.CompactionInfo) {
	if i.Err != nil {
		return
	}
	for _, in := range i.Input {
		if in.Level == 0 {
			c.l0.Add(-int64(len(in.Tables)))
		}
	}
	if i.Output.Level == 0 {
		c.l0.Add(int64(len(i.Output.Tables)))
	}
}

// givingFilter is a policy of Bloom filters whose writers give way.
type givingFilter struct {
	bloom.FilterPolicy
	courtesy *courtesy
}

// NewWriter implements pebble.FilterPolicy.
func (f givingFilter) NewWriter(t pebble.FilterType) pebble.FilterWriter {
	return &givingFilterWriter{FilterWriter: f.FilterPolicy.NewWriter(t), turn: f.courtesy.begin()}
}

type givingFilterWriter struct {
	pebble.FilterWriter
	turn giveway.Turn
	keys uint
}

// givingKeys is how many keys are written between two looks at the clock: some 20 us.
const givingKeys = 8

// AddKey implements pebble.FilterWriter.
func (w *givingFilterWriter) AddKey(key []byte) {
	if w.keys++; w.keys%givingKeys == 0 {
		w.turn.Give()
	}
	w.FilterWriter.AddKey(key)
}

// givingFS is a file system whose files give way when they are read from beginning to end.
type givingFS struct {
	storeFS
	courtesy *courtesy
}

// Open implements vfs.FS.
func (f givingFS) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.storeFS.Open(name, o...)
	if err != nil || !slices.Contains(o, vfs.SequentialReadsOption) {
		return file, err
	}
	return &givingFile{file, f.courtesy.begin()}, nil
}

// A givingFile is used by one goroutine.
type givingFile struct {
	vfs.File
	turn giveway.Turn
}

// ReadAt implements vfs.File.
func (f *givingFile) ReadAt(p []byte, off int64) (int, error) {
	f.turn.Give()
	return f.File.ReadAt(p, off)
}
