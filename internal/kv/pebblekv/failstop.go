package pebblekv

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// failStopFS reports the first failed write or fsync of any file. Pebble would retry some of them in the background, but after a
// failed fsync nobody knows what is on the disk: a second one that succeeds proves nothing.
type failStopFS struct {
	vfs.FS
	fail func(error)
}

// Unwrap implements vfs.FS.
func (f failStopFS) Unwrap() vfs.FS { return f.FS }

// Create implements vfs.FS.
func (f failStopFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap(name)(f.FS.Create(name, c))
}

// OpenReadWrite implements vfs.FS.
func (f failStopFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.wrap(name)(f.FS.OpenReadWrite(name, c, o...))
}

// ReuseForWrite implements vfs.FS.
func (f failStopFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap(name)(f.FS.ReuseForWrite(old, name, c))
}

// OpenDir implements vfs.FS.
func (f failStopFS) OpenDir(name string) (vfs.File, error) {
	return f.wrap(name)(f.FS.OpenDir(name))
}

func (f failStopFS) wrap(name string) func(vfs.File, error) (vfs.File, error) {
	return func(file vfs.File, err error) (vfs.File, error) {
		if err != nil {
			return nil, err
		}
		return failStopFile{file, name, f.fail}, nil
	}
}

// failStopFile is a file of a failStopFS.
type failStopFile struct {
	vfs.File
	name string
	fail func(error)
}

func (f failStopFile) check(what string, err error) error {
	if err != nil {
		f.fail(fmt.Errorf("%s %s: %w", what, f.name, err))
	}
	return err
}

// Write implements vfs.File.
func (f failStopFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.check("write", err)
}

// WriteAt implements vfs.File.
func (f failStopFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	return n, f.check("write", err)
}

// Sync implements vfs.File.
func (f failStopFile) Sync() error { return f.check("sync", f.File.Sync()) }

// SyncData implements vfs.File.
func (f failStopFile) SyncData() error { return f.check("sync", f.File.SyncData()) }

// SyncTo implements vfs.File.
func (f failStopFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.check("sync", err)
}
