package eventpattern

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	text, err := os.ReadFile("testdata/match.txt")
	if err != nil {
		t.Fatal(err)
	}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		var p *Pattern
		var pattern string
		for line := range strings.SplitSeq(paragraph, "\n") {
			mark, rest, _ := strings.Cut(line, " ")
			switch {
			case mark == "#":
			case mark == "+" || mark == "-":
				var document any
				if err := json.Unmarshal([]byte(rest), &document); err != nil {
					t.Fatal(line, err)
				}
				if got := p.Match(document); got != (mark == "+") {
					t.Errorf("%s matches %s: %v", pattern, rest, got)
				}
			default:
				pattern = line
				if p, err = Parse(line); err != nil {
					t.Fatal(line, err)
				}
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, text := range []string{
		``, `{`, `7`, `[]`, `{}`, `{"a": {}}`, `{"a": []}`, `{"a": "x"}`, `{"a": [["x"]]}`, `{"a": [{}]}`, `{"a": [{"prefix": "x", "suffix": "y"}]}`,
		`{"a": [{"prefix": 1}]}`, `{"a": [{"prefix": {"suffix": "x"}}]}`, `{"a": [{"suffix": {"equals-ignore-case": 1}}]}`, `{"a": [{"exists": 1}]}`,
		`{"a": [{"equals-ignore-case": 1}]}`, `{"a": [{"numeric": 1}]}`, `{"a": [{"numeric": []}]}`, `{"a": [{"numeric": ["~", 1]}]}`,
		`{"a": [{"numeric": ["<", "1"]}]}`, `{"a": [{"numeric": ["<", 1, ">"]}]}`, `{"a": [{"anything-but": null}]}`, `{"a": [{"anything-but": []}]}`,
		`{"a": [{"anything-but": [null]}]}`, `{"a": [{"anything-but": {"exists": true}}]}`, `{"a": [{"anything-but": {"prefix": 1}}]}`,
		`{"a": [{"like": "x"}]}`, `{"$or": []}`, `{"$or": [{"a": [1]}]}`, `{"$or": [{"a": [1]}, {}]}`, `{"$or": "x"}`,
	} {
		if p, err := Parse(text); err == nil || p != nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// FuzzParse: no pattern and no document does harm, and a pattern of one text matches exactly that text.
func FuzzParse(f *testing.F) {
	f.Add(`{"a": [{"prefix": "x"}, 1], "$or": [{"b": [null]}, {"c": {"d": [{"numeric": ["<", 1]}]}}]}`, `{"a": ["xy", 2], "c": [{"d": 0}]}`)
	f.Add(`{"a": [{"anything-but": {"suffix": {"equals-ignore-case": "é"}}}]}`, `{"a": "É"}`)
	f.Fuzz(func(t *testing.T, pattern, document string) {
		var v any
		if json.Unmarshal([]byte(document), &v) != nil {
			v = document
		}
		if p, err := Parse(pattern); err == nil {
			p.Match(v)
		}
		own, err := json.Marshal(map[string]any{"k": []any{document}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(string(own))
		if err != nil {
			t.Fatal(err)
		}
		same := strings.ToValidUTF8(document, "\ufffd") == document
		if same && !p.Match(map[string]any{"k": document}) || p.Match(map[string]any{"k": document + "x"}) {
			t.Fatalf("%q", document)
		}
	})
}
