package partiql

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

var rewrite = flag.Bool("rewrite", false, "write what the tests got into their data files")

// A fixture is what the lines of a data file have set up for the cases that follow:
//
//	schema p1,p2:s1        key attributes of the table: those of the partition key, and those of the sort key if there is one
//	params {"N":"1"} ...   the parameters of statements that have any
//
// A case is a line `statement => result`. Empty lines and those that start with # and a space are comments.
type fixture struct {
	schema Schema
	params []attr.Value
}

// runDataFile runs every case of a file under testdata. With -rewrite it writes the results that it gets.
func runDataFile(t *testing.T, name string, run func(f *fixture, input string) string) {
	path := filepath.Join("testdata", name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		input, want, isCase := strings.Cut(line, " => ")
		switch {
		case line == "" || line == "#" || strings.HasPrefix(line, "# "):
		case isCase:
			got := run(f, strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(input))
			if got != want && !*rewrite {
				t.Errorf("%s:%d: %s\n got: %s\nwant: %s", path, i+1, input, got, want)
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
	switch verb {
	case "schema":
		f.schema = schema(rest)
	case "params":
		f.params = values(t, rest)
	default:
		t.Fatalf("not understood: %s", line)
	}
}

func schema(text string) (s Schema) {
	partition, sort, _ := strings.Cut(text, ":")
	s.Partition = strings.Split(partition, ",")
	if sort != "" {
		s.Sort = strings.Split(sort, ",")
	}
	return s
}

// values reads attribute values from JSON texts that spaces may separate.
func values(t testing.TB, text string) (list []attr.Value) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		v, err := attr.ParseValue(string(raw))
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		list = append(list, v)
	}
	return list
}

// bind parses a statement and binds it to the fixture's parameters, if it has any.
func (f *fixture) bind(text string) (*Bound, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	var params []attr.Value
	if s.params > 0 {
		params = f.params
	}
	return s.Bind(params)
}

// plan prints what a statement is lowered to.
func (f *fixture) plan(text string) string {
	b, err := f.bind(text)
	if err != nil {
		return errorText(err)
	}
	if b.Kind != Select {
		return f.point(b)
	}
	r, err := b.Read(f.schema)
	if err != nil {
		return errorText(err)
	}
	var parts []string
	for _, q := range r.Queries {
		parts = append(parts, "query "+showKeyCondition(q))
	}
	if r.Queries == nil {
		parts = append(parts, "scan")
	}
	if r.Filter != nil {
		parts = append(parts, "filter "+r.Filter.String())
	}
	if r.Merge {
		parts = append(parts, "merge")
	}
	if r.Reverse {
		parts = append(parts, "reverse")
	}
	return strings.Join(append(parts, shared(b)...), "; ")
}

func (f *fixture) point(b *Bound) string {
	p, err := b.Point(f.schema)
	if err != nil {
		return errorText(err)
	}
	parts := []string{strings.ToLower([...]string{"select", "exists", "insert", "update", "delete"}[b.Kind])}
	if b.Item != nil {
		parts[0] += " " + b.Item.String()
	} else {
		parts[0] += " " + p.Key.String()
	}
	if p.Condition != nil {
		parts = append(parts, "if "+p.Condition.String())
	}
	return strings.Join(append(parts, shared(b)...), "; ")
}

// shared prints what does not depend on the kind of statement.
func shared(b *Bound) (parts []string) {
	if b.Update != nil {
		parts = append(parts, b.Update.String())
	}
	if b.Projection != nil {
		var paths []string
		for _, p := range b.Projection.Paths() {
			paths = append(paths, p.String())
		}
		parts = append(parts, "project "+strings.Join(paths, " "))
	}
	if b.ReturnValues != "" {
		parts = append(parts, "return "+b.ReturnValues)
	}
	return parts
}

var keyOpNames = [...]string{"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"}

func showKeyCondition(k *expr.KeyCondition) string {
	var conds []string
	for _, c := range k.Conds {
		text := c.Name + " " + keyOpNames[c.Op]
		for _, v := range c.Values {
			text += " " + v.String()
		}
		conds = append(conds, text)
	}
	return strings.Join(conds, ", ")
}

func errorText(err error) string { return "error: " + err.(*expr.Error).Text }
