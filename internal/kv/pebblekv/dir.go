package pebblekv

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Why a data directory cannot be opened; each is wrapped in a *DirError.
var (
	ErrInUse   = errors.New("in use")
	ErrNewer   = errors.New("written by a newer release")
	ErrForeign = errors.New("not a store")
	ErrDamaged = errors.New("damaged")
)

// A DirError says why a data directory was refused, and what to do. Unless it is damaged nothing in it has been changed.
type DirError struct {
	Dir    string
	Reason error // one of those above
	Detail string
}

func (e *DirError) Error() string {
	return fmt.Sprintf("data directory %s %s", e.Dir, e.Detail)
}

// Unwrap returns the reason.
func (e *DirError) Unwrap() error { return e.Reason }

const (
	// formatFile states the number of the format; it is the first file of a store.
	formatFile = "FORMAT"
	formatTemp = formatFile + ".new"
	formatHead = "gramme store, format "
)

// pebbleMarker is the name of the empty file by which Pebble knows its own format. Without it Pebble begins a store in the oldest format
// that it knows and takes it through all the others, two fsyncs each: 22 of the 33 that a new store cost.
var pebbleMarker = fmt.Sprintf("marker.format-version.000001.%s", pebbleFormat)

// dir is a data directory.
type dir struct {
	fs   vfs.FS
	path string
}

// claim makes the directory a locked, empty or compatible store. Until it is known to be that nothing is changed in it.
func (d dir) claim() (*pebble.Lock, error) {
	if _, err := d.check(); err != nil {
		return nil, err
	}
	if err := d.make(d.path); err != nil {
		return nil, err
	}
	lock, err := pebble.LockDirectory(d.path, d.fs)
	if unusable := new(fs.PathError); errors.As(err, &unusable) {
		return nil, err // the lock file cannot even be made
	}
	if err != nil {
		return nil, d.refuse(ErrInUse, "is in use by another gramme: stop that one, or choose another directory (%v)", err)
	}
	fresh, err := d.check() // another process may have been faster
	if err == nil && fresh {
		err = d.writeFormat()
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// check tells whether the directory is missing or as good as empty; it fails if it holds anything but a store of this format.
func (d dir) check() (fresh bool, err error) {
	names, err := d.fs.List(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return false, d.refuse(ErrForeign, "is a file: choose an empty directory or a new name")
	}
	if err != nil {
		return false, err
	}
	foreign := ""
	for _, name := range names {
		switch name {
		case formatFile:
			return false, d.checkFormat()
		case "LOCK", formatTemp, pebbleMarker, "lost+found": // begun and not finished; the root of a volume
		default:
			foreign = name
		}
	}
	if foreign != "" {
		return false, d.refuse(ErrForeign, "holds something else (%s, and no %s file): choose an empty directory or a new name", foreign, formatFile)
	}
	return true, nil
}

// checkFormat fails unless the store has the one format that this package reads and writes.
func (d dir) checkFormat() error {
	text, err := d.read(formatFile)
	if err != nil {
		return err
	}
	number, ok := strings.CutPrefix(text, formatHead)
	n, err := strconv.ParseUint(strings.TrimSuffix(number, "\n"), 10, 32)
	switch {
	case !ok || err != nil || text != formatText(n):
		return d.refuse(ErrDamaged, "has a damaged %s file (%q): restore the directory from a backup", formatFile, text)
	case n > formatNumber:
		return d.refuse(ErrNewer, "was written by a newer release (format %d, this one knows up to %d): upgrade gramme", n, formatNumber)
	case n < formatNumber:
		return d.refuse(ErrDamaged, "states a format that never was (%d): restore the directory from a backup", n)
	}
	return nil
}

func formatText(n uint64) string { return fmt.Sprintf("%s%d\n", formatHead, n) }

// read returns a small file's text.
func (d dir) read(name string) (string, error) {
	f, err := d.fs.Open(d.fs.PathJoin(d.path, name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 1<<10))
	return string(b), err
}

// writeFormat makes the directory a store, atomically and durably.
func (d dir) writeFormat() error {
	if err := d.write(pebbleMarker, ""); err != nil {
		return err
	}
	if err := d.write(formatTemp, formatText(formatNumber)); err != nil {
		return err
	}
	if err := d.fs.Rename(d.fs.PathJoin(d.path, formatTemp), d.fs.PathJoin(d.path, formatFile)); err != nil {
		return err
	}
	return syncDir(d.fs, d.path)
}

// write makes a file with a text that is durable; an empty one is as durable as its directory.
func (d dir) write(name, text string) error {
	f, err := d.fs.Create(d.fs.PathJoin(d.path, name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if text != "" {
		if _, err = io.WriteString(f, text); err == nil {
			err = f.Sync()
		}
	}
	return errors.Join(err, f.Close())
}

// make makes a directory and those above it, durably.
func (d dir) make(path string) error {
	if _, err := d.fs.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := d.fs.PathDir(path)
	if parent != path {
		if err := d.make(parent); err != nil {
			return err
		}
	}
	if err := d.fs.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return syncDir(d.fs, parent)
}

func (d dir) refuse(reason error, format string, args ...any) error {
	return &DirError{Dir: d.path, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
