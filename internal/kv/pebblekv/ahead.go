package pebblekv

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// An aheadFile is a log whose end is filled with zeros before there is anything to write there. To make a record durable is then to
// overwrite what the file has already; else each fsync also waits for the file system's journal to note that the file has grown, a
// quarter of its time on ext4. Logs that Pebble uses again have their size already, but where memtables have 64 MiB the third is the first of
// these. To Pebble zeros are the end of a log, as they are where space was allocated in advance.
type aheadFile struct {
	vfs.File
	at     int64 // where the next write goes
	filled int64 // the size of the file
}

const (
	// logCategory is what Pebble calls the logs it writes.
	logCategory vfs.DiskWriteCategory = "pebble-wal"
	// ahead is how many zeros are written at once. There is room for some hundred small records, of which the first waits for all of the zeros.
	ahead = 256 << 10
	// aheadMost is the largest write that brings zeros with it. Where more is written at once, the fsync takes its time for that.
	aheadMost = 8 << 10
)

var zeros [ahead]byte

// fillAhead takes a file that was opened to be written from its beginning. If it is a log, its end is filled in advance.
func fillAhead(file vfs.File, err error, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err != nil || c != logCategory {
		return file, err
	}
	i, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &aheadFile{File: file, filled: i.Size()}, nil
}

// Write implements vfs.File. That there is no room for zeros is not an error.
func (f *aheadFile) Write(p []byte) (int, error) {
	if end := f.at + int64(len(p)); end > f.filled && len(p) <= aheadMost {
		if n, err := f.WriteAt(zeros[:], end); err == nil {
			f.filled = end + int64(n)
		}
	}
	n, err := f.File.Write(p)
	f.at += int64(n)
	f.filled = max(f.filled, f.at)
	return n, err
}
