package wire_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/front/wire"
)

var rewrite = flag.Bool("rewrite", false, "write what came out into the files of testdata")

// operations has an Op for every operation of the models.
var operations = map[string]*api.Op{}

func TestMain(m *testing.M) {
	flag.Parse()
	add := func(name string, in, out reflect.Type) {
		operations[name] = &api.Op{Name: name, In: in, Out: out, New: func() any { return reflect.New(in).Interface() }}
	}
	for _, o := range ddb.Operations() {
		add(o.Name, o.In, o.Out)
	}
	for _, o := range ddbstreams.Operations() {
		add(o.Name, o.In, o.Out)
	}
	os.Exit(m.Run())
}

// A case in a file of testdata is "command Operation", the body, a line "----" and what comes out:
//
//	decode     the error, or the input as it would be written
//	validate   the message of the error, or ok
//
// Blank lines stand between cases; other lines that start with # are comments.
func TestData(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testFile(t, file) })
	}
}

func testFile(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for part := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		got := part
		if !isComment(part) {
			got = runCase(t, part)
		}
		if got != part && !*rewrite {
			t.Errorf("%s:\ngot:\n%s\nwant:\n%s", file, got, part)
		}
		out = append(out, got)
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func isComment(part string) bool {
	for line := range strings.SplitSeq(part, "\n") {
		if !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

func runCase(t *testing.T, part string) string {
	given, _, _ := strings.Cut(part, "\n----")
	lines := strings.Split(given, "\n")
	for len(lines) > 0 && strings.HasPrefix(lines[0], "#") {
		lines = lines[1:]
	}
	command, name, _ := strings.Cut(lines[0], " ")
	op := operations[name]
	if op == nil {
		t.Fatalf("no operation %q in:\n%s", name, part)
	}
	body := []byte(expand(strings.Join(lines[1:], "\n")))
	switch command {
	case "decode":
		return given + "\n----\n" + decode(op, body)
	case "validate":
		return given + "\n----\n" + validate(t, op, body)
	}
	t.Fatalf("no command %q in:\n%s", command, part)
	return ""
}

// expand replaces <<text*n>> by n times the text.
func expand(body string) string {
	for {
		before, rest, ok := strings.Cut(body, "<<")
		if !ok {
			return body
		}
		spec, after, _ := strings.Cut(rest, ">>")
		at := strings.LastIndexByte(spec, '*')
		n := 0
		fmt.Sscan(spec[at+1:], &n)
		body = before + strings.Repeat(spec[:at], n) + after
	}
}

func decode(op *api.Op, body []byte) string {
	in, err := wire.Codec{}.Decode(op, body)
	if err != nil {
		return string(wire.Codec{}.AppendError(nil, err.(*api.Error)))
	}
	return string(wire.Codec{}.AppendOutput(nil, &api.Op{Out: op.In}, in))
}

func validate(t *testing.T, op *api.Op, body []byte) string {
	in, err := wire.Codec{}.Decode(op, body)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if err := api.Validate(op, in); err != nil {
		return shorten(err.Message)
	}
	return "ok"
}

// shorten leaves out the middle of a long message, and most of a run of one character.
func shorten(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		n := 1
		for i+n < len(s) && s[i+n] == s[i] {
			n++
		}
		if n > 20 {
			fmt.Fprintf(&b, "%c...(%d)", s[i], n)
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	if s = b.String(); len(s) > 1500 {
		return fmt.Sprintf("%s ...(%d)... %s", s[:300], len(s)-600, s[len(s)-300:])
	}
	return s
}
