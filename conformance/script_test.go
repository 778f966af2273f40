package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A script is a file of requests and answers:
//
//	table hash pk:S                      a table, which the rest of the file calls $hash
//	table wide pk:S sk:N gsi byA a:S / b:N lsi byC c:N
//
//	# A comment.
//	PutItem {"TableName": "$hash",
//	    "Item": {"pk": {"S": "${x*2049}"}}}
//	! ValidationException: One or more ...
//
// A request goes on until the line that tells the answer, and an answer as long as the lines are indented:
//
//	! Type: text     an error with this text
//	!~ Type: regexp  an error with a text like this
//	= {...}          a success with exactly this answer; "*" stands for any value
//	< {...}          a success with at least these members
//
// ${x*n} stands for x repeated n times. Requests run in the order of the file.
type script struct {
	tables map[string][]string // by name, the words of the definition
	steps  []step
}

type step struct {
	line      int
	operation string
	input     string
	kind      string // of the answer: !, !~, = or <
	want      string
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			runScript(t, file)
		})
	}
}

func runScript(t *testing.T, file string) {
	s := parseScript(t, file)
	var names []string
	for name, words := range s.tables {
		names = append(names, "$"+name, newTable(t, parseTraits(words)...))
	}
	expand := func(text string) string { return repeat(strings.NewReplacer(names...).Replace(text)) }
	for _, st := range s.steps {
		st.input, st.want = expand(st.input), expand(st.want)
		if err := st.run(t); err != nil {
			t.Errorf("%s:%d: %s %s\n%v", file, st.line, st.operation, clip(st.input), err)
		}
	}
}

// run makes the request and compares the answer with the one wanted.
func (s step) run(t *testing.T) error {
	t.Helper()
	got := call(t, s.operation, s.input)
	fault := got.fault()
	switch s.kind {
	case "!":
		if fault != s.want {
			return fmt.Errorf("got  %s\nwant %s", clip(orBody(fault, got)), clip(s.want))
		}
	case "!~":
		if !regexp.MustCompile("^" + s.want + "$").MatchString(fault) {
			return fmt.Errorf("got  %s\nwant %s", clip(orBody(fault, got)), clip(s.want))
		}
	case "=", "<":
		if fault != "" {
			return fmt.Errorf("got  %s\nwant %s", clip(fault), clip(s.want))
		}
		m := matcher{open: s.kind == "<"}
		if at := m.differ("", decode(t, got.body), decode(t, []byte(s.want))); at != "" {
			return fmt.Errorf("%s\ngot  %s\nwant %s", at, clip(string(got.body)), clip(s.want))
		}
	}
	return nil
}

func orBody(fault string, a rawAnswer) string {
	if fault == "" {
		return string(a.body)
	}
	return fault
}

// clip shortens a text for a message.
func clip(s string) string {
	const most = 1500
	if len(s) > most {
		return s[:most/2] + " ... " + s[len(s)-most/2:]
	}
	return s
}

func parseScript(t *testing.T, file string) script {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := script{tables: map[string][]string{}}
	var open *step
	for i, line := range strings.Split(string(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case open != nil && slices.Contains([]string{"!", "!~", "=", "<"}, word):
			open.kind, open.want = word, rest
			s.steps = append(s.steps, *open)
			open = nil
		case open == nil && len(s.steps) > 0 && strings.HasPrefix(line, "  "):
			s.steps[len(s.steps)-1].want += "\n" + line
		case open != nil:
			open.input += "\n" + line
		case line == "" || word == "#":
		case word == "table":
			words := strings.Fields(rest)
			s.tables[words[0]] = words[1:]
		default:
			open = &step{line: i + 1, operation: word, input: rest}
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: no answer", file, open.line)
	}
	return s
}

// parseTraits reads a table's definition: its keys, then indexes, then "provisioned READ WRITE".
func parseTraits(words []string) []trait {
	var traits []trait
	for len(words) > 0 {
		n := 1
		for n < len(words) && !slices.Contains([]string{"gsi", "lsi", "projecting", "provisioned"}, words[n]) {
			n++
		}
		traits = append(traits, parseTrait(words[:n]))
		words = words[n:]
	}
	return traits
}

func parseTrait(words []string) trait {
	switch words[0] {
	case "gsi":
		return gsi(words[1], words[2:]...)
	case "lsi":
		return lsi(words[1], words[2])
	case "projecting":
		return projecting(words[1:]...)
	case "provisioned":
		return provisioned(number(words[1]), number(words[2]))
	default:
		return keys(words...)
	}
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

var repetition = regexp.MustCompile(`\$\{(.+?)\*(\d+)\}`)

// repeat puts x, n times, in place of ${x*n}.
func repeat(s string) string {
	return repetition.ReplaceAllStringFunc(s, func(found string) string {
		m := repetition.FindStringSubmatch(found)
		return strings.Repeat(m[1], int(number(m[2])))
	})
}
