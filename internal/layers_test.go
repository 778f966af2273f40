// Package internal holds the rule that keeps the house in order: who may import whom.
package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/grammedb/gramme"

// rooms lists the packages from the street down to the ground. A package imports only what stands below it. Those in one
// line are one room: they import each other only in the order listed, from left to right.
var rooms = [][]string{
	{"cmd/gramme"},
	{"grammetest"},
	{"."},
	{"internal/front/wire", "internal/front/evloop", "internal/front/gateway"},
	{"internal/svc/sts"}, // one service imports no other, so each has a line of its own
	{"internal/svc/lambda/esm", "internal/svc/lambda"},
	{"internal/svc/dynamodb"},
	{"internal/svc/dynamodbstreams"},
	{"internal/api/ddb", "internal/api/ddbstreams", "internal/api/lambda", "internal/api"},
	{"internal/flow/streams", "internal/flow/ttl", "internal/flow/kinesis/kinesistest", "internal/flow/kinesis"},
	{"internal/db/table", "internal/db/row", "internal/db/index", "internal/db/capacity", "internal/db/change", "internal/db/changelog", "internal/db/store", "internal/db/query", "internal/db/lifecycle", "internal/db/dbtest"},
	{"internal/iam"},
	{"internal/job"},
	{"internal/kv/keys", "internal/kv", "internal/kv/latch", "internal/kv/pebblekv", "internal/kv/memkv", "internal/kv/kvtest"},
	{"internal/lang/attr", "internal/lang/expr", "internal/lang/partiql"},
	// The load test is a client: it knows nothing of the server.
	{"internal/bench/dist", "internal/bench/hist", "internal/bench/client", "internal/bench/workload", "internal/bench/usage", "internal/bench/pace", "internal/bench/result", "internal/bench/report", "internal/bench"},
	{"internal/lib/arn", "internal/lib/decimal", "internal/lib/eventpattern", "internal/lib/giveway", "internal/lib/jsontok", "internal/lib/lambdarun", "internal/lib/sigv4", "internal/lib/unzip"},
}

// forbidden are imports across rooms that the order alone would allow.
var forbidden = []struct{ from, to, why string }{
	{"internal/front/", "internal/svc/", "the front knows services only as an api.Service"},
	{"internal/front/", "internal/db/", "the front is not about tables"},
	{"internal/front/", "internal/kv", "the front is not about storage"},
	{"internal/svc/sts", "internal/svc/dynamodb", "services do not know each other"},
	{"internal/svc/lambda", "internal/svc/dynamodb", "services do not know each other"},
	{"internal/svc/lambda", "internal/db/", "a neighbour is a client of the database"},
	{"internal/svc/lambda", "internal/flow/", "a neighbour is a client of the database"},
	{"internal/svc/lambda", "internal/kv", "a neighbour is a client of the database"},
}

// tools are programs beside the house.
var tools = []string{"internal/api/gen", "internal"}

// TestLayers holds every import of the module against rooms.
func TestLayers(t *testing.T) {
	place := map[string][2]int{}
	for i, room := range rooms {
		for j, pkg := range room {
			place[pkg] = [2]int{i, j}
		}
	}
	for from, tos := range imports(t, "..") {
		if slices.Contains(tools, from) || strings.HasPrefix(from, "tests/") {
			continue
		}
		at, ok := place[from]
		if !ok {
			t.Errorf("%s stands in no room: give it one in layers_test.go", from)
			continue
		}
		for _, to := range tos {
			below, ok := place[to]
			if !ok || below[0] < at[0] || below[0] == at[0] && below[1] >= at[1] {
				t.Errorf("%s imports %s, which is not below it", from, to)
			}
			for _, f := range forbidden {
				if strings.HasPrefix(from, f.from) && strings.HasPrefix(to, f.to) {
					t.Errorf("%s imports %s: %s", from, to, f.why)
				}
			}
		}
	}
}

// imports returns the module's packages and what each imports of the module, tests left out.
func imports(t *testing.T, root string) map[string][]string {
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if e.IsDir() {
			if slices.Contains([]string{"testdata", "node_modules", ".git"}, e.Name()) || slices.Contains([]string{"bench", "conformance"}, rel) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(rel))
		found[pkg] = append(found[pkg], local(file.Imports)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func local(specs []*ast.ImportSpec) (pkgs []string) {
	for _, s := range specs {
		path, _ := strconv.Unquote(s.Path.Value)
		if path == module {
			pkgs = append(pkgs, ".")
		} else if rel, ok := strings.CutPrefix(path, module+"/"); ok {
			pkgs = append(pkgs, rel)
		}
	}
	return pkgs
}

// TestNames refuses package names that say nothing.
func TestNames(t *testing.T) {
	for pkg := range imports(t, "..") {
		if base := filepath.Base(pkg); slices.Contains([]string{"util", "utils", "common", "helpers", "misc", "types"}, base) {
			t.Errorf("%s: name a package after what it provides", pkg)
		}
	}
}

// TestNoInit refuses init functions: what is put together is put together in one place, where it can be read.
func TestNoInit(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "\nfunc init() {") {
			t.Errorf("%s has an init function", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
