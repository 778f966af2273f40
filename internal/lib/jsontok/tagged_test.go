package jsontok

import (
	"strings"
	"testing"
)

var taggedTexts = []struct {
	text string
	want string // "" if it is not taken
}{
	{`{"S":"text"}`, "S text"},
	{`{"S": "text"}`, "S text"},
	{` {"S":"text"}`, "S text"},
	{`  {"S":"text"}`, ""},
	{`{"N":""}`, "N "},
	{`{":":"1"}`, ": 1"},
	{`{"}":"}"}`, "} }"},
	{`{"S":"` + strings.Repeat("long ", 100) + `"}`, "S " + strings.Repeat("long ", 100)},
	{`{"S":"text"},"b":1`, "S text"},
	{`{"S":"a","N":"1"}`, ""},
	{`{"S":"text" }`, ""},
	{`{ "S":"text"}`, ""},
	{`{"S" :"text"}`, ""},
	{`{"S":  "text"}`, ""},
	{`{"S":"a\"b"}`, ""},
	{`{"S":"é"}`, ""},
	{`{"S":"` + "\n" + `"}`, ""},
	{`{"S":1}`, ""},
	{`{"S":{}}`, ""},
	{`{"SS":"text"}`, ""},
	{`{"\":"text"}`, ""},
	{`{""":"text"}`, ""},
	{"{\"\x01\":\"text\"}", ""},
	{"{\"\xff\":\"text\"}", ""},
	{`{}`, ""},
	{`"S":"x"`, ""},
	{`{"S":"`, ""},
	{`{"S":"text`, ""},
	{`{"S":"text",`, ""},
	{``, ""},
}

func TestTaggedMember(t *testing.T) {
	for _, before := range []struct {
		text   string
		tokens int
	}{{`{`, 1}, {`{"b":{"S":"x"},`, 6}, {`{"b":1, `, 3}} {
		for _, tt := range taggedTexts {
			var r Reader
			r.Reset([]byte(before.text + `"a":` + tt.text + `}`))
			if _, _, ok := r.TaggedMember(); ok {
				t.Fatalf("%s: taken where a value is due", tt.text)
			}
			for range before.tokens {
				r.Next()
			}
			got := ""
			if name, tag, ok := r.TaggedMember(); ok {
				got = string(tag) + " " + string(r.Bytes())
				if string(name) != "a" {
					t.Errorf("%s: name %q", tt.text, name)
				}
			}
			if got != tt.want {
				t.Errorf("%s: %q after %s, want %q", tt.text, got, before.text, tt.want)
			}
		}
	}
}

// TestOtherMembers: what is no such member, or not spelled so, is left to Next.
func TestOtherMembers(t *testing.T) {
	for _, text := range []string{
		`{"é":{"S":"x"}}`, `{"a\"":{"S":"x"}}`, `{ "a":{"S":"x"}}`, `{"a" :{"S":"x"}}`, `{"a":  {"S":"x"}}`,
		`[{"S":"x"}]`, `{"a"`, `{"a":`, `{"a": `, `{"`, `{`, `{,"a":{"S":"x"}}`, `{}`,
	} {
		var r Reader
		r.Reset([]byte(text))
		r.Next()
		if _, _, ok := r.TaggedMember(); ok {
			t.Errorf("%s: taken", text)
		}
	}
}

func TestTaggedInTheDeepestPlace(t *testing.T) {
	for _, depth := range []int{MaxDepth - 1, MaxDepth} {
		checkTagged(t, strings.Repeat(`{"a":`, depth)+`{"S":"x"}`+strings.Repeat("}", depth))
	}
}

// checkTagged holds that a text reads the same with TaggedMember as without.
func checkTagged(t *testing.T, text string) {
	t.Helper()
	var plain, r Reader
	plain.Reset([]byte(text))
	r.Reset([]byte(text))
	next := func(want Kind, content string) {
		if k := plain.Next(); k != want || k == String && string(plain.Bytes()) != content {
			t.Fatalf("%q: %q %q, with TaggedMember %q %q", text, k, plain.Bytes(), want, content)
		}
	}
	for {
		if name, tag, ok := r.TaggedMember(); ok {
			next(String, string(name))
			next(Object, "")
			next(String, string(tag))
			next(String, string(r.Bytes()))
			next(EndObj, "")
			continue
		}
		switch k := r.Next(); k {
		case Bad, EOF:
			next(k, "")
			return
		case String:
			next(k, string(r.Bytes()))
		default:
			next(k, "")
		}
	}
}

func FuzzTaggedMember(f *testing.F) {
	for _, tt := range taggedTexts {
		f.Add(`{"a":` + tt.text + `}`)
		f.Add(`{"b":1,"a": ` + tt.text + `, "c":` + tt.text + `}`)
		f.Add(tt.text)
	}
	f.Fuzz(checkTagged)
}
