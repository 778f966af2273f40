package conformance

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// A lineCase is a line of a data file of expressions:
//
//	item {"n": {"N": "1"}}      the item that the following lines are about, without its key
//	names {"#n": "n"}           names that they may use
//	values {":one": {"N": "1"}} and values
//
//	n = :one -> true
//
// What comes after the arrow depends on the file. A line whose outcome starts with "! " is one of an error, "Type: message", or with
// "!~ " a regular expression for that.
type lineCase struct {
	where  string
	text   string
	want   string
	item   jsonObject
	names  jsonObject // those that the text uses
	values jsonObject
}

type jsonObject map[string]json.RawMessage

// readLines reads a data file of expressions.
func readLines(t *testing.T, file string) []lineCase {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []lineCase
	var item, names, values jsonObject
	for i, line := range strings.Split(string(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
		case "item":
			item = parseObject(t, rest)
		case "names":
			names = parseObject(t, rest)
		case "values":
			values = parseObject(t, rest)
		default:
			text, want, ok := strings.Cut(line, " -> ")
			if !ok {
				t.Fatalf("%s:%d: no arrow", file, i+1)
			}
			text, want = repeat(strings.TrimSpace(text)), repeat(strings.TrimSpace(want))
			cases = append(cases, lineCase{
				where: file + ":" + itoa(i+1), text: text, want: want,
				item: item, names: used(names, text), values: used(values, text),
			})
		}
	}
	if len(cases) == 0 {
		t.Fatalf("%s: no case", file)
	}
	return cases
}

func parseObject(t *testing.T, text string) jsonObject {
	t.Helper()
	var o jsonObject
	if err := json.Unmarshal([]byte(repeat(text)), &o); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

var placeholder = regexp.MustCompile(`[#:][A-Za-z0-9_]+`)

// used returns the members that the text names; nil if none.
func used(all jsonObject, text string) jsonObject {
	var some jsonObject
	for _, name := range placeholder.FindAllString(text, -1) {
		if v, ok := all[name]; ok {
			if some == nil {
				some = jsonObject{}
			}
			some[name] = v
		}
	}
	return some
}

// with returns the object and one more member.
func (o jsonObject) with(name, value string) jsonObject {
	out := jsonObject{name: json.RawMessage(value)}
	for k, v := range o {
		out[k] = v
	}
	return out
}

// request returns the JSON of an input: the members whose value is not nil.
func request(t testing.TB, members map[string]any) string {
	t.Helper()
	for name, v := range members {
		if o, ok := v.(jsonObject); ok && o == nil {
			delete(members, name)
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	// What an outcome that is an error starts with: its text follows, or a regular expression for it.
	wantFault = "! "
	wantLike  = "!~ "

	lineKey      = `{"S": "the item"}`
	checkFailed  = "ConditionalCheckFailedException: The conditional request failed"
	expressionIs = "EXPRESSION" // in an error's text, the kind of expression
)

// store puts the item of the case.
func (c lineCase) store(t testing.TB, table string) {
	t.Helper()
	mustCall(t, "PutItem", request(t, map[string]any{"TableName": table, "Item": c.item.with("pk", lineKey)}))
}

// mustCall makes a call that has to succeed and returns the decoded answer.
func mustCall(t testing.TB, operation, input string) map[string]any {
	t.Helper()
	got := call(t, operation, input)
	if f := got.fault(); f != "" {
		t.Fatalf("%s %s: %s", operation, clip(input), f)
	}
	return decode(t, got.body).(map[string]any)
}

// fault reports whether the case is one of an error, and compares it with the answer.
func (c lineCase) fault(t *testing.T, operation, kind string, got rawAnswer) bool {
	t.Helper()
	want, exact := strings.CutPrefix(c.want, wantFault)
	want, like := strings.CutPrefix(want, wantLike)
	if !exact && !like {
		if f := got.fault(); f != "" && f != checkFailed {
			t.Errorf("%s: %s %s: got %s, want %s", c.where, operation, clip(c.text), clip(f), c.want)
			return true
		}
		return false
	}
	want = strings.ReplaceAll(want, expressionIs, kind)
	f := got.fault()
	if exact && f != want || like && !regexp.MustCompile("^"+want+"$").MatchString(f) {
		t.Errorf("%s: %s %s\ngot  %s\nwant %s", c.where, operation, clip(c.text), clip(orBody(f, got)), clip(want))
	}
	return true
}
