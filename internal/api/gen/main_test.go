package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the golden file")

func TestRun(t *testing.T) {
	botocore, out := fakeBotocore(t), t.TempDir()
	if err := run(botocore, out); err != nil {
		t.Fatal(err)
	}
	for pkg, golden := range map[string]string{"ddb": "testdata/shapes.golden", "lambda": "testdata/rest.golden"} {
		compare(t, filepath.Join(out, pkg, "shapes_gen.go"), golden)
	}
}

func compare(t *testing.T, file, golden string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(golden, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got:\n%s", got)
	}
}

// fakeBotocore makes a directory that looks like a botocore package with small models.
func fakeBotocore(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "__init__.py"), []byte("__version__ = '1.2.3'\n"))
	for _, s := range services {
		model := "testdata/model.json"
		if s.operations != nil {
			model = "testdata/rest.json"
		}
		write(t, filepath.Join(dir, "data", s.model, s.version, "service-2.json.gz"), packed(t, model))
	}
	return dir
}

func packed(t *testing.T, file string) []byte {
	t.Helper()
	model, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(model)
	z.Close()
	return b.Bytes()
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestRunFails(t *testing.T) {
	if err := run(t.TempDir(), t.TempDir()); err == nil {
		t.Error("no version, no error")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "__init__.py"), []byte("__version__ = '1.2.3'\n"))
	if err := run(dir, t.TempDir()); err == nil {
		t.Error("no model, no error")
	}
	path := filepath.Join(dir, "data", "dynamodb", "2012-08-10", "service-2.json.gz")
	write(t, path, []byte("not packed"))
	if err := run(dir, t.TempDir()); err == nil {
		t.Error("a model that is not packed, no error")
	}
}
