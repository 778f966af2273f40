package dynamodb

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/grammedb/gramme/internal/api"
)

// What a client sends, however odd, is answered or refused: nothing panics, and nothing is an internal error. The requests of
// the scripts are where these tests begin.

// A scripted is a request of a script.
type scripted struct {
	operation string
	body      string
}

const maxSeed = 4 << 10 // the length of the longest request that is worth being varied

// long matches what stands for a text of thousands of bytes.
var long = regexp.MustCompile(`\d{4,}\)`)

// scriptedRequests returns the requests of all scripts, in their order; of several of one form the first.
func scriptedRequests(t testing.TB) []scripted {
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	var all []scripted
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, par := range strings.Split(string(text), "\n\n") {
			if s, ok := parseScripted(par); ok && !seen[s.form()] {
				seen[s.form()] = true
				all = append(all, s)
			}
		}
	}
	return all
}

func parseScripted(paragraph string) (s scripted, ok bool) {
	input, _, ok := strings.Cut(paragraph, "\n----")
	for strings.HasPrefix(input, "#") {
		_, input, _ = strings.Cut(input, "\n")
	}
	head, body, _ := strings.Cut(input, "\n")
	if !ok || long.MatchString(body) {
		return s, false
	}
	s.operation, _, _ = strings.Cut(head, ":")
	s.body = expand(body)
	return s, len(s.body) <= maxSeed
}

// form is what requests have in common that are varied but once. Each table is of another form.
func (s *scripted) form() string {
	var doc any
	if s.operation == "CreateTable" || json.Unmarshal([]byte(s.body), &doc) != nil {
		return s.operation + s.body
	}
	return s.operation + shape(doc)
}

// createTables makes the tables of all scripts; of those with one name the first.
func (p *process) createTables(seeds []scripted) {
	for _, s := range seeds {
		if s.operation == "CreateTable" {
			p.mustBear(s.operation, s.body)
		}
	}
}

// mustBear demands that a request, whatever it is, is answered or refused.
func (p *process) mustBear(operation, body string) {
	p.t.Helper()
	defer func() {
		if r := recover(); r != nil {
			p.t.Errorf("%s panics: %v\n%s", operation, r, body)
			panic(r) // with its stack
		}
	}()
	out, err := p.call(operation, []byte(body))
	if e, ok := errors.AsType[*api.Error](err); err != nil && (!ok || e.Status != 400) {
		p.t.Errorf("%s fails: %v\n%s", operation, err, body)
	}
	if err == nil && len(out) > 0 && !json.Valid(out) {
		p.t.Errorf("%s answers what is no JSON: %s\n%s", operation, out, body)
	}
}

var allOdd = flag.Bool("odd", false, "try every odd input, not one in twelve")

// TestOddInputs puts an odd value in the place of every value of the requests, and leaves out every member. There are 180,000
// such requests: without -odd it sends one in twelve.
func TestOddInputs(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of requests")
	}
	seeds := scriptedRequests(t)
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t)
		p.createTables(seeds)
		n := 0
		for _, s := range seeds {
			if s.operation == "DeleteTable" {
				continue
			}
			var doc any
			if json.Unmarshal([]byte(s.body), &doc) == nil {
				oddities(doc, func(odd string) {
					if n++; *allOdd || n%12 == 0 {
						p.mustBear(s.operation, odd)
					}
				})
			}
		}
	})
}

// shape prints a document without its scalars, so that requests of one form are varied once.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for name, e := range v {
			if len(name) < 3 { // of an attribute or a placeholder
				name = name[:min(len(name), 1)]
			}
			members = append(members, name+shape(e))
		}
		slices.Sort(members)
		return "{" + strings.Join(slices.Compact(members), " ") + "}"
	case []any:
		var elems []string
		for _, e := range v {
			elems = append(elems, shape(e))
		}
		return "[" + strings.Join(slices.Compact(elems), " ") + "]"
	}
	return fmt.Sprintf("%T", v)
}

var oddValues = []any{
	nil, map[string]any{}, []any{}, "", "x", 0, -1, 1.5e300, true,
	[]any{nil}, []any{map[string]any{}}, []any{[]any{}}, []any{""}, map[string]any{"": map[string]any{}}, map[string]any{"x": nil},
	map[string]any{"S": ""}, map[string]any{"N": "1"}, map[string]any{"L": []any{nil, map[string]any{}}}, strings.Repeat("(", 4096),
}

// oddities calls f with the documents that differ from doc in one place.
func oddities(doc any, f func(text string)) {
	show := func(doc any) {
		if text, err := json.Marshal(doc); err == nil {
			f(string(text))
		}
	}
	for _, odd := range oddValues {
		show(odd)
	}
	vary(doc, func() { show(doc) })
}

// vary puts each odd value in each place below v, one at a time, and calls show.
func vary(v any, show func()) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedKeys(v) {
			e := v[name]
			for _, odd := range oddValues {
				v[name] = odd
				show()
			}
			delete(v, name)
			show()
			v[""] = e
			show()
			delete(v, "")
			v[name] = e
			vary(e, show)
		}
	case []any:
		for i, e := range v {
			for _, odd := range oddValues {
				v[i] = odd
				show()
			}
			v[i] = e
			vary(e, show)
		}
	}
}

// FuzzOperations throws bodies at every operation.
func FuzzOperations(f *testing.F) {
	seeds := scriptedRequests(f)
	p := newProcess(f)
	p.createTables(seeds)
	ops := p.service.Ops
	for _, s := range seeds {
		for i, op := range ops {
			if op.Name == s.operation {
				f.Add(byte(i), []byte(s.body))
			}
		}
	}
	f.Fuzz(func(t *testing.T, op byte, body []byte) {
		name := ops[int(op)%len(ops)].Name
		if name == "DeleteTable" {
			return
		}
		q := *p
		q.t = t
		q.mustBear(name, string(body))
	})
}
