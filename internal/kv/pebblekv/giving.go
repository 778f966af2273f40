package pebblekv

import (
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/lib/giveway"
)

// Flushes and compactions keep a processor busy for a second or more. Pebble has no place for them to give way, but it calls two things of
// ours again and again from the goroutine that does the work: the filter of a table that is written, for each key, and the file of a
// table that is read from beginning to end, for each block.

// givingFilter is a policy of Bloom filters whose writers give way.
type givingFilter struct {
	bloom.FilterPolicy
	way *giveway.Way
}

// NewWriter implements pebble.FilterPolicy.
func (f givingFilter) NewWriter(t pebble.FilterType) pebble.FilterWriter {
	return &givingFilterWriter{FilterWriter: f.FilterPolicy.NewWriter(t), turn: f.way.Begin()}
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
	way *giveway.Way
}

// Open implements vfs.FS.
func (f givingFS) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.storeFS.Open(name, o...)
	if err != nil || !slices.Contains(o, vfs.SequentialReadsOption) {
		return file, err
	}
	return &givingFile{file, f.way.Begin()}, nil
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
