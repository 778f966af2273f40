package expr

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

var rewrite = flag.Bool("rewrite", false, "write what the tests got into their data files")

// A fixture is what the lines of a data file have set up for the cases that follow:
//
//	item {"a": {"N": "1"}}       the item, or "item none"
//	name #x a.b                  an entry of ExpressionAttributeNames
//	value :n {"N": "1"}          an entry of ExpressionAttributeValues
//	set k v                      whatever else a test wants to know
//
// A case is a line `input => result`. Empty lines and those that start with # (and a space) are comments.
type fixture struct {
	item   attr.Item
	names  map[string]string
	values map[string]attr.Value
	vars   map[string]string
}

// runDataFile runs every case of a file under testdata. With -rewrite it writes the results that it gets.
func runDataFile(t *testing.T, name string, run func(t *testing.T, f *fixture, input string) string) {
	path := filepath.Join("testdata", name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{names: map[string]string{}, values: map[string]attr.Value{}, vars: map[string]string{}}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		input, want, isCase := strings.Cut(line, " => ")
		switch {
		case line == "" || line == "#" || strings.HasPrefix(line, "# "):
		case isCase:
			trimmed := strings.TrimRight(input, " ")
			got := run(t, f, trimmed)
			if got != want && !*rewrite {
				t.Errorf("%s:%d: %s\n got: %s\nwant: %s", path, i+1, trimmed, got, want)
			}
			lines[i] = input + " => " + got
		default:
			f.set(t, line)
		}
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fixture) set(t *testing.T, line string) {
	verb, rest, _ := strings.Cut(line, " ")
	key, arg, _ := strings.Cut(rest, " ") // "set op" clears it
	switch verb {
	case "item":
		f.item = nil
		if rest != "none" {
			f.item = parseItem(t, rest)
		}
	case "name":
		f.names[key] = arg
	case "value":
		f.values[key] = parseValue(t, arg)
	case "set":
		f.vars[key] = arg
	default:
		t.Fatalf("not understood: %s", line)
	}
}

var placeholderPattern = regexp.MustCompile(`[#:]\w+`)

// request returns a request without expressions whose maps have just those entries that the texts use.
func (f *fixture) request(texts ...string) Request {
	var r Request
	var fields []attr.Field
	for _, p := range placeholderPattern.FindAllString(strings.Join(texts, " "), -1) {
		if name, ok := f.names[p]; ok {
			if r.Names == nil {
				r.Names = map[string]string{}
			}
			r.Names[p] = name
		}
		if v, ok := f.values[p]; ok {
			fields = append(fields, attr.Field{Name: p, Value: v})
		}
	}
	if fields != nil {
		r.Values = attr.Sent(attr.Make(fields...))
	}
	return r
}

func parseItem(t testing.TB, text string) attr.Item {
	t.Helper()
	it, err := attr.ParseItem(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return it
}

func parseValue(t testing.TB, text string) attr.Value {
	t.Helper()
	v, err := attr.ParseValue(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// showItem prints an item, its attributes in order of their names.
func showItem(it attr.Item) string {
	if it == nil {
		return "none"
	}
	return it.String()
}

// decode reads JSON into a value of the test's own.
func decode[T any](t testing.TB, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// sexpr prints a tree with all its structure: (OR (= a :v) (NOT b)).
func sexpr(n *node, paths []Path, values []string) string {
	switch n.op {
	case opPath:
		w := printer{paths: paths}
		w.path(n.index)
		return w.String()
	case opValue:
		return values[n.index]
	}
	parts := []string{traits[n.op].name}
	for i := range n.args {
		parts = append(parts, sexpr(&n.args[i], paths, values))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// kindNamed finds a kind by the start of its name: "update", "filter".
func kindNamed(t testing.TB, name string) kind {
	i := slices.IndexFunc(kindNames[:], func(full string) bool {
		return strings.EqualFold(full, name+"Expression")
	})
	if i < 0 {
		t.Fatalf("no kind %q", name)
	}
	return kind(i)
}

// sentItem decodes a map of attribute values as a request's would be, faults included.
func sentItem(t testing.TB, text string) attr.SentItem {
	t.Helper()
	var r jsontok.Reader
	r.Reset([]byte(text))
	var d attr.Decoder
	s, err := d.Item(&r, r.Next())
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}
