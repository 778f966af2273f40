package pebblekv

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// storeFS is a file system made fit for a store.
//
// It reports the first failed write or fsync of any file. Pebble would retry some of them in the background, but after a failed
// fsync nobody knows what is on the disk: a second one that succeeds proves nothing.
//
// And it makes sure that a marker, which names the current manifest, never lasts longer than the manifest: Pebble syncs the
// directory only after both are in it, which is enough on file systems that keep the order.
//
// Logs it fills in advance (aheadFile).
type storeFS struct {
	vfs.FS
	fail func(error)
}

// Unwrap implements vfs.FS.
func (f storeFS) Unwrap() vfs.FS { return f.FS }

// Create implements vfs.FS.
func (f storeFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		if err := syncDir(f, f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	file, err := f.FS.Create(name, c)
	return f.wrap(name)(fillAhead(file, err, c))
}

// OpenReadWrite implements vfs.FS.
func (f storeFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.wrap(name)(f.FS.OpenReadWrite(name, c, o...))
}

// ReuseForWrite implements vfs.FS.
func (f storeFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(old, name, c)
	return f.wrap(name)(fillAhead(file, err, c))
}

// OpenDir implements vfs.FS.
func (f storeFS) OpenDir(name string) (vfs.File, error) {
	return f.wrap(name)(f.FS.OpenDir(name))
}

func (f storeFS) wrap(name string) func(vfs.File, error) (vfs.File, error) {
	return func(file vfs.File, err error) (vfs.File, error) {
		if err != nil {
			return nil, err
		}
		return storeFile{file, name, f.fail}, nil
	}
}

// storeFile is a file of a storeFS.
type storeFile struct {
	vfs.File
	name string
	fail func(error)
}

func (f storeFile) check(what string, err error) error {
	if err != nil {
		f.fail(fmt.Errorf("%s %s: %w", what, f.name, err))
	}
	return err
}

// Write implements vfs.File.
func (f storeFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.check("write", err)
}

// WriteAt implements vfs.File.
func (f storeFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	return n, f.check("write", err)
}

// Sync implements vfs.File.
func (f storeFile) Sync() error { return f.check("sync", f.File.Sync()) }

// SyncData implements vfs.File.
func (f storeFile) SyncData() error { return f.check("sync", f.File.SyncData()) }

// SyncTo implements vfs.File.
func (f storeFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.check("sync", err)
}

// syncDir makes the entries of a directory durable.
func syncDir(fs vfs.FS, path string) error {
	f, err := fs.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
