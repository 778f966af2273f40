package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/flow/kinesis"
	"github.com/grammedb/gramme/internal/flow/kinesis/kinesistest"
	"github.com/grammedb/gramme/internal/flow/streams"
	"github.com/grammedb/gramme/internal/flow/ttl"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/job"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/expr"
	"github.com/grammedb/gramme/internal/svc/dynamodbstreams"
)

var rewriteScripts = flag.Bool("rewrite", false, "write the answers into the scripts")

// TestScripts runs the scripts in testdata/scripts, each with a store of its own and a clock that stands still but for
// what the script waits. A script is made of paragraphs:
//
//	wait 10s               lets time pass, and all happen that waits for it
//	skip 24h               only puts the service's clock forward: cheaper over long times
//	restart delay=4s       ends the process and starts another one with that lifecycle delay, at first 0
//	hold x                 from now on a transaction holds every key in which the text x occurs; without a text, none
//	tend                   does what is to be done from time to time with the logs of changes
//	sweep                  deletes what has expired
//	keep it ShardIterator  puts that member of the answer of the operation that follows in the place of $it in later inputs
//
//	CreateTable: TableDescription.TableStatus TableDescription.KeySchema
//	{"TableName": "Music", "KeySchema": keys(artist song), ...}
//	----
//	TableDescription.TableStatus = "CREATING"
//	TableDescription.KeySchema = [...]
//
// which is an operation, the members of its answer to show (by default all; # is how many elements a list has), its input, and
// the answer, or the error with what it holds beside its text. In the input keys(a b), keys(a:HASH b:RANGE), defs(a:S b:N) and
// units(5 6) stand for a KeySchema, AttributeDefinitions and a ProvisionedThroughput, globals(20) for so many
// GlobalSecondaryIndexes on the attribute a, tags(50) for so many Tags, long(x 128) for a string, repeat(3 {"N":"%"}) for
// {"N":"0"},{"N":"1"},{"N":"2"}, nested(2 {"S":"x"}) for {"M":{"m":{"M":{"m":{"S":"x"}}}}}, item(a=x b=1) for an item (see
// dbtest.Short), and puts(a=x; a=y) for the WriteRequests that put items. Lines that begin with # are comments. -rewrite
// writes the answers that are given.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = runScript(t, string(text)) })
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

// compare reports the paragraphs that differ.
func compare(t *testing.T, file, want, got string) {
	t.Helper()
	wants, gots := strings.Split(want, "\n\n"), strings.Split(got, "\n\n")
	if len(wants) != len(gots) {
		t.Fatalf("%s: %d paragraphs became %d", file, len(wants), len(gots))
	}
	line := 1
	for i := range wants {
		if wants[i] != gots[i] {
			t.Errorf("%s:%d: want\n%s\n\ngot\n%s", file, line, wants[i], gots[i])
		}
		line += strings.Count(wants[i], "\n") + 2
	}
}

func runScript(t *testing.T, text string) string {
	p := newProcess(t)
	paragraphs := strings.Split(strings.TrimRight(text, "\n"), "\n\n")
	for i, par := range paragraphs {
		paragraphs[i] = p.paragraph(par)
	}
	return strings.Join(paragraphs, "\n\n") + "\n"
}

// A process is a service over a store.
type process struct {
	t       testing.TB
	engine  *holding
	jobs    *job.Runner
	service *api.Service
	streams *api.Service
	kinesis *kinesistest.Server
	log     *changelog.Log
	sweeper *ttl.Sweeper
	skipped time.Duration
	kept    map[string]string // by name: what stands for it
	keeping []string          // a name and the path to what is to be kept under it
	values  []byte            // of the input
}

func newProcess(t testing.TB) *process {
	p := &process{t: t, engine: &holding{Engine: dbtest.Engine(t)}, kept: map[string]string{}}
	p.kinesis = kinesistest.New("arn:aws:kinesis:us-east-1:000000000000:stream/changes", "arn:aws:kinesis:us-east-1:000000000000:stream/other")
	p.start(0)
	return p
}

// A holding is an engine with a transaction that never ends.
type holding struct {
	kv.Engine
	text string // in the keys that it holds; "": none
}

func (h *holding) Update(ctx context.Context, t kv.Txn, f func([][]byte, *kv.Batch) error) error {
	for i, key := range t.Keys {
		if h.text != "" && bytes.Contains(key, []byte(h.text)) {
			return &kv.ConflictError{Key: i}
		}
	}
	return h.Engine.Update(ctx, t, f)
}

func (p *process) now() time.Time { return time.Now().Add(p.skipped) }

// start begins the process, anew if it runs.
func (p *process) start(delay time.Duration) {
	p.t.Helper()
	if p.jobs != nil {
		p.jobs.Close()
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	p.jobs = job.New(quiet)
	p.t.Cleanup(p.jobs.Close)
	catalog := dbtest.Catalog(p.t, p.engine)
	m := lifecycle.New(lifecycle.Config{Engine: p.engine, Catalog: catalog, Jobs: p.jobs, Delay: delay, Now: p.now, Logger: quiet})
	if err := m.Start(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	p.log = changelog.New(changelog.Config{Engine: p.engine, Catalog: catalog, Now: p.now, Logger: quiet})
	destinations, err := kinesis.New(kinesis.Config{
		Catalog: catalog, Log: p.log, Jobs: p.jobs, Delay: delay, Now: p.now, Logger: quiet,
		Endpoint: kinesis.Endpoint{URL: "http://kinesis", AccessKey: kinesistest.AccessKey, Secret: kinesistest.Secret, Transport: p.kinesis},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	destinations.Start()
	items := store.New(p.engine, catalog, p.now)
	p.sweeper = ttl.New(ttl.Config{Engine: p.engine, Catalog: catalog, Store: items, Now: p.now})
	p.service = New(Config{
		Catalog: catalog, Lifecycle: m, Store: items, Reader: query.NewReader(p.engine, catalog),
		Expressions: expr.NewCache(100), Kinesis: destinations, Now: p.now,
	}).API()
	p.streams = dynamodbstreams.New(dynamodbstreams.Config{Reader: streams.New(catalog, p.log), Secret: []byte("secret"), Now: p.now}).API()
}

// paragraph runs one paragraph and returns it with the answer that there was.
func (p *process) paragraph(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
		case "wait":
			time.Sleep(p.duration(rest))
			synctest.Wait()
		case "skip":
			p.skipped += p.duration(rest)
		case "hold":
			p.engine.text = rest
		case "tend":
			if err := p.log.Tend(context.Background()); err != nil {
				p.t.Fatal(err)
			}
		case "sweep":
			if err := p.sweeper.Sweep(context.Background()); err != nil {
				p.t.Fatal(err)
			}
		case "keep":
			p.keeping = strings.Fields(rest)
		case "restart":
			p.start(p.duration(strings.TrimPrefix(rest, "delay=")))
		default:
			input, _, _ := strings.Cut(strings.Join(lines[i:], "\n"), "\n----")
			answer := p.operation(input)
			return strings.Join(lines[:i], "\n") + strings.Repeat("\n", min(i, 1)) + input + "\n----\n" + answer
		}
	}
	return text
}

func (p *process) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

// operation runs the operation that a paragraph begins with and prints its answer.
func (p *process) operation(input string) string {
	head, body, _ := strings.Cut(input, "\n")
	name, members, _ := strings.Cut(head, ":")
	out, err := p.call(name, []byte(expand(p.withKept(body))))
	if err != nil {
		return tableIDs.ReplaceAllString(err.Error(), "tableId: <id>") + p.more(err)
	}
	p.keep(out)
	if len(out) == 0 {
		return "no body"
	}
	return show(p.t, hideIDs(out), strings.Fields(members))
}

// withKept puts what was kept into an input.
func (p *process) withKept(body string) string {
	for name, value := range p.kept {
		body = strings.ReplaceAll(body, "$"+name, value)
	}
	return body
}

// keep keeps of an answer what was asked for.
func (p *process) keep(out []byte) {
	if p.keeping == nil {
		return
	}
	found := dig(p.t, out, strings.Split(p.keeping[1], "."))
	if err := json.Unmarshal([]byte(found[len(found)-1]), new(string)); err != nil {
		p.t.Fatalf("%s: %v", p.keeping, err)
	}
	p.kept[p.keeping[0]] = strings.Trim(found[len(found)-1], `"`)
	p.keeping = nil
}

// more prints what an error holds beside its text.
func (p *process) more(err error) string {
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.More == nil {
		return ""
	}
	_, members, _ := strings.Cut(string(wire.Codec{}.AppendError(nil, &api.Error{More: e.More})), `,`)
	if members == "" {
		return ""
	}
	return "\n" + broken(p.t, json.RawMessage("{"+members), "")
}

// call does what the front does with a request.
func (p *process) call(name string, body []byte) ([]byte, error) {
	for _, op := range append(p.service.Ops[:len(p.service.Ops):len(p.service.Ops)], p.streams.Ops...) {
		if op.Name != name {
			continue
		}
		for i := range p.values {
			p.values[i] = 0xff // whoever has kept something of the last input
		}
		in, err := wire.Codec{Values: &p.values}.Decode(op, body)
		if err != nil {
			return nil, err
		}
		if err := api.Validate(op, in); err != nil {
			return nil, err
		}
		c := &api.Call{Service: p.service, Op: op, Region: "us-east-1", Account: "000000000000", Principal: iam.User("me"), Host: "localhost:8000", Time: p.now()}
		out, err := op.Run(context.Background(), c, in)
		if err == nil {
			return wire.Codec{}.AppendOutput(nil, op, out), nil
		}
		if e, ok := errors.AsType[*api.Error](err); ok {
			return nil, e
		}
		for _, s := range []*api.Service{p.service, p.streams} {
			if e := s.Translate(err); e != nil {
				return nil, e
			}
		}
		return nil, fmt.Errorf("internal error: %w", err)
	}
	return nil, api.UnknownOperation()
}

var (
	macros = regexp.MustCompile(`\b(keys|defs|units|globals|tags|long|repeat|nested|item|puts)\(([^()]*)\)`)
	ids    = regexp.MustCompile(`"(TableId|eventID|ShardIterator|NextShardIterator)":"[^"]*"`)
	// tableIDs are those in the texts of errors.
	tableIDs = regexp.MustCompile(`tableId: [0-9a-f-]+`)
)

func hideIDs(out []byte) []byte { return ids.ReplaceAll(out, []byte(`"$1":"<id>"`)) }

// expand replaces the short forms in an input, those within others first.
func expand(body string) string {
	for strings.Contains(body, "(") && macros.MatchString(body) { // matching takes its time on large bodies
		body = expandInner(body)
	}
	return body
}

func expandInner(body string) string {
	return macros.ReplaceAllStringFunc(body, func(s string) string {
		m := macros.FindStringSubmatch(s)
		args := strings.Fields(m[2])
		switch m[1] {
		case "keys":
			return elements(args, func(i int, name string) string {
				name, kind, ok := strings.Cut(name, ":")
				if !ok {
					kind = []string{"HASH", "RANGE"}[min(i, 1)]
				}
				return fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, name, kind)
			})
		case "defs":
			return elements(args, func(_ int, def string) string {
				name, kind, _ := strings.Cut(def, ":")
				return fmt.Sprintf(`{"AttributeName":%q,"AttributeType":%q}`, name, kind)
			})
		case "item":
			return dbtest.Short(m[2])
		case "puts":
			return elements(strings.Split(m[2], ";"), func(_ int, it string) string { return `{"PutRequest":{"Item":` + dbtest.Short(it) + `}}` })
		case "units":
			return fmt.Sprintf(`{"ReadCapacityUnits":%s,"WriteCapacityUnits":%s}`, args[0], args[1])
		case "globals":
			return elements(make([]string, number(args[0])), func(i int, _ string) string {
				return fmt.Sprintf(`{"IndexName":"Global%d","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}`, i)
			})
		case "repeat":
			n, template, _ := strings.Cut(m[2], " ")
			list := make([]string, number(n))
			for i := range list {
				list[i] = strings.ReplaceAll(template, "%", strconv.Itoa(i))
			}
			return strings.Join(list, ",")
		case "nested":
			n, inner, _ := strings.Cut(m[2], " ")
			return strings.Repeat(`{"M":{"m":`, number(n)) + inner + strings.Repeat("}}", number(n))
		case "tags":
			return elements(make([]string, number(args[0])), func(i int, _ string) string { return fmt.Sprintf(`{"Key":"tag%d","Value":""}`, i) })
		}
		return `"` + strings.Repeat(args[0], number(args[1])) + `"`
	})
}

func elements(args []string, f func(int, string) string) string {
	list := make([]string, len(args))
	for i, arg := range args {
		list[i] = f(i, arg)
	}
	return "[" + strings.Join(list, ",") + "]"
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// show prints an answer, or of it what the paths lead to: names joined by dots, list elements all.
func show(t testing.TB, out []byte, paths []string) string {
	if len(paths) == 0 {
		return broken(t, out, "")
	}
	var lines []string
	for _, path := range paths {
		lines = append(lines, path+" = "+strings.Join(dig(t, out, strings.Split(path, ".")), ", "))
	}
	return strings.Join(lines, "\n")
}

// dig returns the texts that a path leads to.
func dig(t testing.TB, text json.RawMessage, path []string) []string {
	if len(path) == 0 {
		return []string{string(text)}
	}
	if text[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatal(err)
		}
		if path[0] == "#" {
			return []string{strconv.Itoa(len(list))}
		}
		var found []string
		for _, e := range list {
			found = append(found, dig(t, e, path)...)
		}
		return found
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	if members[path[0]] == nil {
		return []string{"absent"}
	}
	return dig(t, members[path[0]], path[1:])
}

// broken prints JSON in lines of up to some length: what is longer is broken into one line for each member or element.
func broken(t testing.TB, text json.RawMessage, indent string) string {
	const width = 130
	if len(indent)+len(text) <= width || text[0] != '{' && text[0] != '[' {
		return string(text)
	}
	var b strings.Builder
	dec := json.NewDecoder(bytes.NewReader(text))
	open, err := dec.Token()
	for sep := "\n"; err == nil && dec.More(); sep = ",\n" {
		b.WriteString(sep + indent + "  ")
		if open == json.Delim('{') {
			var name json.Token
			if name, err = dec.Token(); err == nil {
				fmt.Fprintf(&b, "%q: ", name)
			}
		}
		var elem json.RawMessage
		if err = dec.Decode(&elem); err == nil {
			b.WriteString(broken(t, elem, indent+"  "))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:1]) + b.String() + "\n" + indent + string(text[len(text)-1:])
}
