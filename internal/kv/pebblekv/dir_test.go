package pebblekv

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
)

// writeFiles makes a directory that holds files.
func writeFiles(t *testing.T, fs vfs.FS, dir string, files map[string]string) {
	t.Helper()
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		f, err := fs.Create(fs.PathJoin(dir, name), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefusedDirectories(t *testing.T) {
	for name, c := range map[string]struct {
		files  map[string]string
		reason error
		text   string
	}{
		"newer": {
			map[string]string{"FORMAT": "gramme store, format 2\n", "000001.log": "x"}, ErrNewer,
			"data directory d was written by a newer release (format 2, this one knows up to 1): upgrade gramme",
		},
		"damaged": {
			map[string]string{"FORMAT": "gramme stor"}, ErrDamaged,
			`data directory d has a damaged FORMAT file ("gramme stor"): restore the directory from a backup`,
		},
		"empty format": {
			map[string]string{"FORMAT": "", "LOCK": ""}, ErrDamaged,
			`data directory d has a damaged FORMAT file (""): restore the directory from a backup`,
		},
		"trailing": {
			map[string]string{"FORMAT": "gramme store, format 1\n\n"}, ErrDamaged,
			`data directory d has a damaged FORMAT file ("gramme store, format 1\n\n"): restore the directory from a backup`,
		},
		"format 0": {
			map[string]string{"FORMAT": "gramme store, format 0\n"}, ErrDamaged,
			"data directory d states a format that never was (0): restore the directory from a backup",
		},
		"foreign": {
			map[string]string{"holiday.jpg": "x"}, ErrForeign,
			"data directory d holds something else (holiday.jpg, and no FORMAT file): choose an empty directory or a new name",
		},
		"another database": {
			map[string]string{"LOCK": "", "MANIFEST-000001": "x"}, ErrForeign,
			"data directory d holds something else (MANIFEST-000001, and no FORMAT file): choose an empty directory or a new name",
		},
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			writeFiles(t, fs, "d", c.files)
			before := fs.String()
			_, err := Open(Config{Dir: "d", FS: fs, Logger: quiet})
			refused := new(DirError)
			if !errors.Is(err, c.reason) || !errors.As(err, &refused) || refused.Dir != "d" {
				t.Fatalf("Open returned %v, want one for %v", err, c.reason)
			}
			if err.Error() != c.text {
				t.Errorf("the message is\n%s\nwant\n%s", err, c.text)
			}
			if after := fs.String(); after != before {
				t.Errorf("the directory was changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

func TestAcceptedDirectories(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"missing":         nil,
		"empty":           {},
		"root of a disk":  {"lost+found": ""},
		"begun":           {"LOCK": "", "FORMAT.new": "gramme st"},
		"begun in Pebble": {"LOCK": "", "marker.format-version.000001.024": "", "FORMAT.new": ""},
		"begun with more": {"LOCK": "", "FORMAT": "gramme store, format 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			if files != nil {
				writeFiles(t, fs, "a/b/d", files)
			}
			for range 2 {
				db := testOpen(t, Config{Dir: "a/b/d", FS: fs})
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if text, err := (dir{fs, "a/b/d"}).read(formatFile); err != nil || text != "gramme store, format 1\n" {
				t.Errorf("FORMAT holds %q (%v)", text, err)
			}
		})
	}
}

// TestNewStoreIsOfOnePebbleFormat: a store begins in Pebble's format that it is for, so that opening it costs no upgrades. A release of
// Pebble that names its marker otherwise would leave two.
func TestNewStoreIsOfOnePebbleFormat(t *testing.T) {
	fs := vfs.NewMem()
	db := testOpen(t, Config{Dir: "d", FS: fs})
	if v := db.pebble.FormatMajorVersion(); v != pebbleFormat {
		t.Errorf("Pebble's format is %s, want %s", v, pebbleFormat)
	}
	names, err := fs.List("d")
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "marker.format-version.") })
	if want := []string{"marker.format-version.000001.024"}; !slices.Equal(names, want) {
		t.Errorf("its markers are %q, want %q", names, want)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	db := testOpen(t, Config{Dir: path})
	_, err := Open(Config{Dir: path, Logger: quiet})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "is in use by another gramme: stop that one") {
		t.Errorf("Open returned %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = testOpen(t, Config{Dir: path})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if db, err := Open(Config{Dir: path, Logger: quiet}); err == nil {
			t.Errorf("Open of %s succeeded", path)
			db.Close()
		}
	}
}

func TestLostManifestIsDamage(t *testing.T) {
	path := t.TempDir()
	db := testOpen(t, Config{Dir: path})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	manifests, err := filepath.Glob(filepath.Join(path, "MANIFEST-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatal(manifests, err)
	}
	for _, m := range manifests {
		if err := os.Truncate(m, 3); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(Config{Dir: path, Logger: quiet}); !errors.Is(err, ErrDamaged) {
		t.Errorf("Open returned %v, want ErrDamaged", err)
	}
}

// crashFS makes a clone of a disk, as a power cut would leave it, before each operation that is to last.
type crashFS struct {
	*vfs.MemFS
	rng    *rand.Rand
	clones []*vfs.MemFS
}

func (f *crashFS) crash() {
	for _, percent := range []int{0, 50, 100} {
		f.clones = append(f.clones, f.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: f.rng}))
	}
}

func (f *crashFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.crash()
	file, err := f.MemFS.Create(name, c)
	return crashFile{file, f}, err
}

func (f *crashFS) OpenDir(name string) (vfs.File, error) {
	file, err := f.MemFS.OpenDir(name)
	return crashFile{file, f}, err
}

func (f *crashFS) Rename(old, name string) error {
	f.crash()
	return f.MemFS.Rename(old, name)
}

type crashFile struct {
	vfs.File
	fs *crashFS
}

func (f crashFile) Sync() error {
	f.fs.crash()
	return f.File.Sync()
}

// TestPowerLossWhileOpened cuts the power at each step of making a store and of opening it again. What is left can be
// opened, and has what was told.
func TestPowerLossWhileOpened(t *testing.T) {
	disk := vfs.NewCrashableMem()
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 4 {
		fs := &crashFS{MemFS: disk, rng: rng}
		db := testOpen(t, Config{Dir: "/deep/data", FS: fs})
		clones := slices.Clone(fs.clones)
		if err := putRow(db, fmt.Sprint(round), "x"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if len(clones) < 10 {
			t.Fatalf("only %d clones", len(clones))
		}
		for step, clone := range clones {
			if t.Failed() {
				return
			}
			checkRows(t, clone, round, step)
		}
	}
}

// checkRows opens what a crash has left and looks for the rows that were put before.
func checkRows(t *testing.T, disk vfs.FS, rows, step int) {
	db := testOpen(t, Config{Dir: "/deep/data", FS: disk})
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if val, err := v.Get(fmt.Append(nil, i)); string(val) != "x" {
			t.Errorf("after crash %d of round %d row %d is %q (%v)", step, rows, i, val, err)
		}
	}
	if err := errors.Join(v.Close(), putRow(db, "more", "x"), db.Close()); err != nil {
		t.Errorf("after crash %d of round %d: %v", step, rows, err)
	}
}
