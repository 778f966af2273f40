// Package unzip extracts zip archives that nobody vouches for: nothing is written outside the directory, and no more than a
// limit, whatever the archive says of itself.
package unzip

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// What callers may branch on. An archive with an entry that may not be extracted fails with an *EntryError.
var (
	ErrFormat   = errors.New("not a zip archive")
	ErrTooLarge = errors.New("the content of the archive is too large")
	ErrEmpty    = errors.New("the archive has no files")
)

// maxEntries bounds the files of one archive: empty ones cost memory and inodes too.
const maxEntries = 100_000

// maxLink bounds the target of a symbolic link.
const maxLink = 4096

// An EntryError says why an entry is refused.
type EntryError struct{ Name, Why string }

func (e *EntryError) Error() string { return fmt.Sprintf("%q %s", e.Name, e.Why) }

// Check reads all of an archive, and fails as Extract does. It returns how large the files are together.
func Check(archive []byte, limit int64) (size int64, err error) {
	left := limit
	err = walk(archive, func(f *zip.File, name string) error {
		if f.Mode()&fs.ModeSymlink != 0 {
			_, err := readLink(f, name)
			return err
		}
		return copyTo(io.Discard, f, &left)
	})
	return limit - left, err
}

// Extract writes the files of an archive below dir, which exists. They are readable by all and executable if the archive says
// so. Of two entries with one name the later counts.
func Extract(archive []byte, dir string, limit int64) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	left := limit
	return walk(archive, func(f *zip.File, name string) error { return extract(root, f, name, &left) })
}

// A file is a file or a symbolic link of an archive, with its name as the system writes it.
type file struct {
	*zip.File
	name string
}

// walk calls visit with each file and symbolic link, and its name as the system writes it.
func walk(archive []byte, visit func(f *zip.File, name string) error) error {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return ErrFormat
	}
	files, err := filesOf(z)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := visit(f.File, f.name); err != nil {
			return err
		}
	}
	return nil
}

// filesOf returns what is to be written. Directories are made with the first file in them.
func filesOf(z *zip.Reader) ([]file, error) {
	if len(z.File) > maxEntries {
		return nil, ErrTooLarge
	}
	var files []file
	for _, f := range z.File {
		name, err := localName(f.Name)
		if err != nil {
			return nil, err
		}
		switch kind := f.Mode().Type(); {
		case kind == fs.ModeDir || strings.HasSuffix(f.Name, "/"):
			continue
		case kind != 0 && kind != fs.ModeSymlink:
			return nil, &EntryError{f.Name, "is neither a file nor a symbolic link"}
		}
		files = append(files, file{f, name})
	}
	if len(files) == 0 {
		return nil, ErrEmpty
	}
	return files, checkTree(files)
}

// checkTree refuses files below what is no directory.
func checkTree(files []file) error {
	const below = "\x00" // is in no name, and before all else, so what lies below a file comes next
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.ReplaceAll(filepath.ToSlash(f.name), "/", below)
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if strings.HasPrefix(names[i], names[i-1]+below) {
			return &EntryError{strings.ReplaceAll(names[i], below, "/"), "lies below what is no directory"}
		}
	}
	return nil
}

// localName returns the name of an entry as the system writes it.
func localName(name string) (string, error) {
	if strings.ContainsAny(name, "\\\x00") {
		return "", &EntryError{name, "has a backslash or a zero in its name"}
	}
	if local := filepath.FromSlash(path.Clean(name)); filepath.IsLocal(local) {
		return local, nil
	}
	return "", &EntryError{name, "lies outside the directory"}
}

func extract(root *os.Root, f *zip.File, name string, left *int64) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if f.Mode()&fs.ModeSymlink != 0 {
		target, err := readLink(f, name)
		if err != nil {
			return err
		}
		return root.Symlink(target, name)
	}
	mode := fs.FileMode(0o644)
	if f.Mode()&0o111 != 0 {
		mode = 0o755
	}
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	return errors.Join(copyTo(out, f, left), out.Close())
}

// copyTo writes the content of f and takes its size from left. What the archive says of the size is not believed.
func copyTo(dst io.Writer, f *zip.File, left *int64) error {
	src, err := f.Open()
	if err != nil {
		return ErrFormat
	}
	defer src.Close()
	n, err := io.Copy(dst, io.LimitReader(src, *left+1))
	if *left -= n; *left < 0 {
		return ErrTooLarge
	}
	if isArchive(err) {
		return ErrFormat
	}
	return err
}

// isArchive reports whether an error is the archive's fault rather than the disk's.
func isArchive(err error) bool {
	var disk *fs.PathError
	return err != nil && !errors.As(err, &disk)
}

// readLink returns the target of a symbolic link, which must not lead out of the directory.
func readLink(f *zip.File, name string) (string, error) {
	src, err := f.Open()
	if err != nil {
		return "", ErrFormat
	}
	defer src.Close()
	text, err := io.ReadAll(io.LimitReader(src, maxLink+1))
	if err != nil {
		return "", ErrFormat
	}
	target := filepath.FromSlash(string(text))
	if len(text) > maxLink || filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), target)) {
		return "", &EntryError{f.Name, "links to what lies outside the directory"}
	}
	return target, nil
}
