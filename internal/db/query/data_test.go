package query_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

var rewrite = flag.Bool("rewrite", false, "write what is answered into the data files")

// TestData runs the files in testdata. They consist of blocks, parted by empty lines: a command with its arguments, lines of
// input, a line ---- and the lines that are answered.
//
//	table                      begins anew with the table that the input defines, see dbtest.Define
//	put [n]                    one item a line, n times with % being 0, 1, ...
//	query [options]            a key condition, on the next line perhaps a filter, on the third perhaps a projection. Literals
//	                           stand in the expressions: 'text', 12 or ~base64
//	scan [options]             as query, without the key condition
//
// The options are index=NAME, reverse, limit=N, count, fetch, entries, segment=S/TOTAL, start=PK,SK,... (key attributes, in short
// form, parted by commas) and pages, which reads all pages and not only the first.
func TestData(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no data files: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) { runFile(t, name) })
	}
}

func runFile(t *testing.T, name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, cache: expr.NewCache(100)}
	blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	for i, block := range blocks {
		if strings.HasPrefix(block, "#") {
			continue
		}
		input, want, _ := strings.Cut(block, "\n----")
		got := w.run(input)
		if got != "" {
			got = "\n" + got
		}
		if got != want && !*rewrite {
			t.Errorf("%s\n---- want%s\n---- got%s", input, want, got)
		}
		if blocks[i] = input; strings.HasPrefix(input, "query") || strings.HasPrefix(input, "scan") {
			blocks[i] += "\n----" + got
		}
	}
	if *rewrite {
		if err := os.WriteFile(name, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A world is what the blocks of one file work on.
type world struct {
	*testing.T
	cache   *expr.Cache
	engine  kv.Engine
	catalog *table.Catalog
	store   *store.Store
	table   *table.Definition
}

func (w *world) run(input string) string {
	lines := strings.Split(input, "\n")
	words := strings.Fields(lines[0])
	switch words[0] {
	case "table":
		w.engine = dbtest.Engine(w.T)
		w.catalog = dbtest.Catalog(w.T, w.engine)
		w.table = dbtest.Create(w.T, w.catalog, strings.Join(lines[1:], "\n"))
		w.store = store.New(w.engine, w.catalog, time.Now)
		return ""
	case "put":
		times := 1
		if len(words) > 1 {
			times, _ = strconv.Atoi(words[1])
		}
		for i := range times {
			for _, line := range lines[1:] {
				w.put(strings.ReplaceAll(line, "%", strconv.Itoa(i)))
			}
		}
		return ""
	case "query", "scan":
		return w.read(words[0] == "query", words[1:], lines[1:])
	}
	w.Fatalf("no command %q", words[0])
	return ""
}

func (w *world) put(line string) {
	it := dbtest.Item(w.T, fill(line))
	k, err := w.table.KeyOf(it)
	if err == nil {
		_, err = w.store.Apply(w.Context(), store.Write{Kind: store.Put, Table: w.table, Key: k, Item: it})
	}
	if err != nil {
		w.Fatalf("put %s: %v", line, err)
	}
}

var filler = regexp.MustCompile(`<(\d+)>`)

// fill replaces <n> by n bytes.
func fill(line string) string {
	return filler.ReplaceAllStringFunc(line, func(s string) string {
		n, _ := strconv.Atoi(s[1 : len(s)-1])
		return strings.Repeat("x", n)
	})
}

// read plans as the options say and prints the pages.
func (w *world) read(isQuery bool, options, exprs []string) string {
	p := &query.Plan{Table: w.table}
	var start, segment string
	all := false
	for _, o := range options {
		name, val, _ := strings.Cut(o, "=")
		switch name {
		case "index":
			p.Index = w.table.Index(val)
		case "reverse":
			p.Range.Reverse = true
		case "limit":
			p.Limit, _ = strconv.Atoi(val)
		case "count":
			p.CountOnly = true
		case "fetch":
			p.Fetch = true
		case "entries":
			p.Entries = true
		case "segment":
			segment = val
		case "start":
			_, start, _ = strings.Cut(o, "=")
		case "pages":
			all = true
		default:
			w.Fatalf("no option %q", o)
		}
	}
	b, err := w.bind(isQuery, exprs)
	if err != nil {
		return err.Error()
	}
	p.Filter, p.Projection = b.Filter, b.Projection
	plan := func() error { return scan(p, segment) }
	if isQuery {
		plan = func() error { return p.PlanQuery(b.KeyCondition) }
	}
	return w.pages(p, plan, strings.ReplaceAll(start, ",", " "), all)
}

func scan(p *query.Plan, segment string) error {
	var s, total int
	if segment != "" {
		fmt.Sscanf(segment, "%d/%d", &s, &total)
	}
	p.PlanScan(s, total)
	return nil
}

// pages reads the first page, or all, and prints them. plan sets the range.
func (w *world) pages(p *query.Plan, plan func() error, start string, all bool) string {
	var last attr.Item
	if start != "" {
		last = dbtest.Item(w.T, start)
	}
	r := query.NewReader(w.engine, w.catalog)
	var out []string
	for {
		if err := plan(); err != nil {
			return mistake(err)
		}
		if last != nil && !p.IsStart(last) {
			return "no start key"
		}
		if last != nil && !p.StartAfter(last) {
			return "start outside of the range"
		}
		pg, err := r.Page(w.Context(), p)
		if err != nil {
			return err.Error()
		}
		out = append(out, show(pg)...)
		if last = pg.Last; last == nil || !all {
			return strings.Join(out, "\n")
		}
	}
}

var long = regexp.MustCompile(`x{100,}`)

// show prints a page: items, then what was counted.
func show(pg *query.Page) (lines []string) {
	for _, it := range pg.Items {
		text := long.ReplaceAllStringFunc(dbtest.Text(it), func(s string) string { return fmt.Sprintf("<%d>", len(s)) })
		switch {
		case it == nil:
			text = "none"
		case it.Len() == 0:
			text = "{}"
		}
		lines = append(lines, "  "+text)
	}
	sum := fmt.Sprintf("%d of %d, %d bytes", pg.Count, pg.Scanned, pg.Bytes)
	switch {
	case len(pg.Fetched) > 9:
		sum += fmt.Sprintf(", fetched %d", len(pg.Fetched))
	case pg.Fetched != nil:
		sum += fmt.Sprintf(", fetched %v", pg.Fetched)
	}
	if pg.Last != nil {
		sum += ", last " + dbtest.Text(pg.Last)
	}
	return append(lines, sum)
}

var mistakes = map[query.Mistake]string{
	query.MissedKey: "missed key", query.NotSupported: "not supported", query.WrongType: "wrong type",
	query.BadOperator: "bad operator", query.NotIndexable: "not indexable", query.EmptyValue: "empty value", query.TooLong: "too long",
}

func mistake(err error) string {
	e, ok := errors.AsType[*query.KeyConditionError](err)
	if !ok {
		return err.Error()
	}
	text := strings.TrimSuffix(mistakes[e.Mistake]+": "+e.Attribute, ": ")
	if e.Sort {
		text += " (sort)"
	}
	if e.Got != attr.Missing {
		text += fmt.Sprintf(" %v for %v", e.Got, e.Want)
	}
	return text
}

// bind binds the expressions of a block.
func (w *world) bind(isQuery bool, exprs []string) (expr.Bound, error) {
	var (
		r      expr.Request
		values []attr.Field
	)
	members := []**string{&r.KeyCondition, &r.Filter, &r.Projection}
	if !isQuery {
		members = members[1:]
	}
	for i, text := range exprs {
		if text != "-" {
			text = literals(w.T, text, &values)
			*members[i] = &text
		}
	}
	if values != nil {
		r.Values = attr.Sent(attr.Make(values...))
	}
	return w.cache.Bind(r)
}

var literal = regexp.MustCompile(`'[^']*'|~[A-Za-z0-9+/=]+|(^|[ (])-?\d+\b`)

// literals replaces the literals of an expression by names of values, which it appends to values.
func literals(t *testing.T, text string, values *[]attr.Field) string {
	return literal.ReplaceAllStringFunc(text, func(s string) string {
		lead := ""
		if s[0] == ' ' || s[0] == '(' {
			lead, s = s[:1], s[1:]
		}
		name := fmt.Sprintf(":v%d", len(*values))
		var v attr.Value
		if s[0] == '\'' {
			v = attr.String(fill(strings.Trim(s, "'")))
		} else {
			v = dbtest.Item(t, "v="+s).Get("v")
		}
		*values = append(*values, attr.Field{Name: name, Value: v})
		return lead + name
	})
}
