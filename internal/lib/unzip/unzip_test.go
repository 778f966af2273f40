package unzip

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An entry is one of an archive in the making.
type entry struct {
	name, content string
	mode          fs.FileMode
}

func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name}
		if e.content != "" {
			h.Method = zip.Deflate
		}
		h.SetMode(e.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExtract(t *testing.T) {
	archive := pack(t,
		entry{"a/b/c.txt", "first", 0o600},
		entry{"run", "#!/bin/sh", 0o755},
		entry{"a/b/c.txt", "second", 0o600},
		entry{"./dotted.txt", "x", 0o644},
		entry{"bin/run", "../run", fs.ModeSymlink | 0o777},
	)
	dir := t.TempDir()
	if err := Extract(archive, dir, 1<<20); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a/b/c.txt": "second", "run": "#!/bin/sh", "dotted.txt": "x", "bin/run": "#!/bin/sh"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]fs.FileMode{"run": 0o755, "a/b/c.txt": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	if size, err := Check(archive, 1<<20); err != nil || size != int64(len("first"+"#!/bin/sh"+"second"+"x")) {
		t.Errorf("Check: %d, %v", size, err)
	}
}

func TestRefused(t *testing.T) {
	lying := pack(t, entry{"zeros", strings.Repeat("\x00", 1<<20), 0})
	damaged := pack(t, entry{"a", strings.Repeat("some text", 100), 0})
	damaged[40] ^= 0xff
	for _, tt := range []struct {
		name    string
		archive []byte
		want    any // an error, or a part of an EntryError
	}{
		{"no archive", []byte("PK but not really"), ErrFormat},
		{"nothing", nil, ErrFormat},
		{"empty", pack(t), ErrEmpty},
		{"directories only", pack(t, entry{"a/", "", fs.ModeDir}), ErrEmpty},
		{"damaged", damaged, ErrFormat},
		{"over the limit", lying, ErrTooLarge},
		{"in sum over the limit", pack(t, entry{"a", strings.Repeat("a", 600), 0}, entry{"b", strings.Repeat("b", 600), 0}), ErrTooLarge},
		{"parent", pack(t, entry{"../evil", "x", 0}), "outside"},
		{"parent inside", pack(t, entry{"a/../../evil", "x", 0}), "outside"},
		{"absolute", pack(t, entry{"/etc/evil", "x", 0}), "outside"},
		{"backslash", pack(t, entry{`..\evil`, "x", 0}), "backslash"},
		{"link out", pack(t, entry{"l", "../..", fs.ModeSymlink}), "links"},
		{"absolute link", pack(t, entry{"l", "/etc/passwd", fs.ModeSymlink}), "links"},
		{"below a file", pack(t, entry{"a", "x", 0}, entry{"a!", "x", 0}, entry{"a/b", "x", 0}), "below"},
		{"above a file", pack(t, entry{"a/b/c", "x", 0}, entry{"a", "x", 0}), "below"},
		{"below a link", pack(t, entry{"d/f", "x", 0}, entry{"l", "d", fs.ModeSymlink}, entry{"l/f", "x", 0}), "below"},
		{"pipe", pack(t, entry{"p", "", fs.ModeNamedPipe}), "neither"},
	} {
		dir := t.TempDir()
		for what, err := range map[string]error{
			"Extract": Extract(tt.archive, filepath.Join(dir), 1000),
			"Check":   second(Check(tt.archive, 1000)),
		} {
			var refused *EntryError
			switch want := tt.want.(type) {
			case error:
				if !errors.Is(err, want) {
					t.Errorf("%s of %s: %v, want %v", what, tt.name, err, want)
				}
			case string:
				if !errors.As(err, &refused) || !strings.Contains(refused.Error(), want) {
					t.Errorf("%s of %s: %v, want %v", what, tt.name, err, want)
				}
			}
		}
	}
}

func second(_ int64, err error) error { return err }

// TestThroughLink: a link is not followed out of the directory, also not one that was there before.
func TestThroughLink(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "way")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := Extract(pack(t, entry{"way/out", "x", 0}), dir, 1000); err == nil {
		t.Error("no error")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Error("written outside:", left)
	}
}

func TestTooManyEntries(t *testing.T) {
	entries := make([]entry, maxEntries+1)
	for i := range entries {
		entries[i].name = "x"
	}
	if _, err := Check(pack(t, entries...), 1000); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// FuzzExtract: whatever an archive holds, nothing is written beside the directory, and not more than the limit.
func FuzzExtract(f *testing.F) {
	f.Add(pack(f, entry{"a/b", "x", 0o755}, entry{"l", "a/b", fs.ModeSymlink}))
	f.Add(pack(f, entry{"../a", "x", 0}))
	const limit = 4096
	f.Fuzz(func(t *testing.T, archive []byte) {
		above := t.TempDir()
		dir := filepath.Join(above, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		extracted := Extract(archive, dir, limit)
		if size, err := Check(archive, limit); err == nil && size > limit {
			t.Fatalf("%d bytes", size)
		} else if err != nil && extracted == nil {
			t.Fatalf("extracted, but Check: %v", err)
		}
		if beside, _ := os.ReadDir(above); len(beside) != 1 {
			t.Fatal("written beside the directory:", beside)
		}
		var size int64
		_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
			if info, _ := e.Info(); err == nil && info.Mode().IsRegular() {
				size += info.Size()
			}
			return nil
		})
		if size > limit+1 {
			t.Fatalf("%d bytes on disk", size)
		}
	})
}
