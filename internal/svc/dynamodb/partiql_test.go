package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// TestStatements runs the files in testdata/partiql, each with a store of its own. A file is made of paragraphs:
//
//	table Music artist:S song:S     a table, see dbtest.Define
//	global ByYear year:N ALL        and its indexes
//
//	put Music artist=a song=b       items, see dbtest.Short
//	put Music {"artist":{"S":"a"}}
//
//	Limit=2 ConsistentRead=true                          members of the request, if any
//	SELECT * FROM Music WHERE artist = ? @ {"S":"a"}     a statement, its parameters behind an @
//	----
//	{"Items":[]}                                         the answer, or the error
//
//	batch
//	SELECT ...                      BatchExecuteStatement of the statements, one a line; transaction is ExecuteTransaction
//	----
//	{"Responses":[]}
//
// ConsistentRead and ReturnValuesOnConditionCheckFailure go to each statement of a batch or transaction. NextToken=last is that of
// the last answer that had one. -rewrite writes the answers that are given.
func TestStatements(t *testing.T) {
	files, err := filepath.Glob("testdata/partiql/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := newDesk(t)
			paragraphs := strings.Split(strings.TrimRight(string(text), "\n"), "\n\n")
			for i, par := range paragraphs {
				paragraphs[i] = d.paragraph(par)
			}
			got := strings.Join(paragraphs, "\n\n") + "\n"
			if *rewriteScripts {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			compare(t, file, string(text), got)
		})
	}
}

// A desk is where statements are handed in: a service over a store.
type desk struct {
	t       testing.TB
	catalog *table.Catalog
	service *api.Service
	token   string // the last NextToken
}

func newDesk(t testing.TB) *desk {
	e := dbtest.Engine(t)
	catalog := dbtest.Catalog(t, e)
	now := func() time.Time { return time.Unix(1e9, 0) }
	s := New(Config{Catalog: catalog, Store: store.New(e, catalog, now), Reader: query.NewReader(e, catalog), Expressions: expr.NewCache(10), Now: now})
	return &desk{t: t, catalog: catalog, service: s.API()}
}

// paragraph runs one paragraph and returns it with the answer that there was.
func (d *desk) paragraph(text string) string {
	input, _, asked := strings.Cut(text, "\n----")
	var lines []string
	for _, line := range strings.Split(input, "\n") {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	switch {
	case len(lines) == 0:
	case strings.HasPrefix(lines[0], "table "):
		dbtest.Create(d.t, d.catalog, strings.TrimPrefix(strings.Join(lines, "\n"), "table "))
	case strings.HasPrefix(lines[0], "put "):
		for _, line := range lines {
			words := strings.SplitN(line, " ", 3)
			d.must("PutItem", fmt.Sprintf(`{"TableName":%q,"Item":%s}`, words[1], dbtest.Item(d.t, words[2])))
		}
	case asked:
		return input + "\n----\n" + d.ask(lines)
	default:
		d.t.Fatalf("not understood: %s", text)
	}
	return text
}

var (
	option     = regexp.MustCompile(`^[A-Z][A-Za-z]+=\S`)
	tokenValue = regexp.MustCompile(`"NextToken":"([^"]*)"`)
)

// ask makes the request that the lines describe and prints its answer.
func (d *desk) ask(lines []string) string {
	op, in := "ExecuteStatement", map[string]any{}
	each := map[string]any{}
	switch lines[0] {
	case "batch":
		op, lines = "BatchExecuteStatement", lines[1:]
	case "transaction":
		op, lines = "ExecuteTransaction", lines[1:]
	}
	if option.MatchString(lines[0]) {
		for _, o := range strings.Fields(lines[0]) {
			name, text, _ := strings.Cut(o, "=")
			into := in
			if op != "ExecuteStatement" && (name == "ConsistentRead" || name == "ReturnValuesOnConditionCheckFailure") {
				into = each
			}
			into[name] = d.member(text)
		}
		lines = lines[1:]
	}
	var list []map[string]any
	for _, line := range lines {
		list = append(list, d.statement(line, each))
	}
	switch op {
	case "ExecuteStatement":
		for name, v := range d.statement(strings.Join(lines, "\n"), in) {
			in[name] = v
		}
	case "BatchExecuteStatement":
		in["Statements"] = list
	default:
		in["TransactStatements"] = list
	}
	body, err := json.Marshal(in)
	if err != nil {
		d.t.Fatal(err)
	}
	out, err := d.run(op, string(body))
	if err != nil {
		return errorAnswer(d.t, err)
	}
	if m := tokenValue.FindSubmatch(out); m != nil {
		d.token = string(m[1])
	}
	return broken(d.t.(*testing.T), tokenValue.ReplaceAll(out, []byte(`"NextToken":"<token>"`)), "")
}

// member reads the value of a request's member.
func (d *desk) member(text string) any {
	var v any
	switch {
	case text == "last":
		return d.token
	case json.Unmarshal([]byte(text), &v) != nil:
		return text
	}
	return v
}

// statement returns the members of a statement and its parameters, and others.
func (d *desk) statement(line string, others map[string]any) map[string]any {
	text, params, has := strings.Cut(line, " @ ")
	m := map[string]any{"Statement": text}
	for name, v := range others {
		m[name] = v
	}
	if has {
		m["Parameters"] = json.RawMessage("[" + params + "]")
	}
	return m
}

// run does what the front does with a request.
func (d *desk) run(name, body string) ([]byte, error) {
	for _, op := range d.service.Ops {
		if op.Name != name {
			continue
		}
		in, err := wire.Codec{}.Decode(op, []byte(body))
		if err != nil {
			return nil, err
		}
		if err := api.Validate(op, in); err != nil {
			return nil, err
		}
		out, err := op.Run(context.Background(), d.call(), in)
		if err != nil {
			return nil, err
		}
		return wire.Codec{}.AppendOutput(nil, op, out), nil
	}
	return nil, api.UnknownOperation()
}

// call returns what is known of every request.
func (d *desk) call() *api.Call {
	return &api.Call{Service: d.service, Region: "eu-test-1", Account: "000000000000"}
}

func (d *desk) must(name, body string) []byte {
	d.t.Helper()
	out, err := d.run(name, body)
	if err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	return out
}

// errorAnswer prints an error with what it holds beside its text.
func errorAnswer(t testing.TB, err error) string {
	e, ok := errors.AsType[*api.Error](err)
	if !ok {
		if e = translate(err); e == nil {
			t.Fatalf("internal error: %v", err)
		}
	}
	text := e.Error()
	if e.More != nil {
		_, members, _ := strings.Cut(string(wire.Codec{}.AppendError(nil, &api.Error{More: e.More})), ",")
		if members != "" {
			text += "\n" + broken(t.(*testing.T), json.RawMessage("{"+members), "")
		}
	}
	return text
}
