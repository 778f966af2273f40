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

func TestTagged(t *testing.T) {
	for _, tt := range taggedTexts {
		var r Reader
		r.Reset([]byte(`{"a":` + tt.text + `}`))
		r.Next()
		if _, ok := r.Tagged(); ok {
			t.Errorf("%s: taken where a name is due", tt.text)
		}
		r.Next()
		got := ""
		if tag, ok := r.Tagged(); ok {
			got = string(tag) + " " + string(r.Bytes())
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestTaggedInTheDeepestPlace(t *testing.T) {
	for _, depth := range []int{MaxDepth - 1, MaxDepth} {
		checkTagged(t, strings.Repeat(`{"a":`, depth)+`{"S":"x"}`+strings.Repeat("}", depth))
	}
}

// checkTagged holds that a text reads the same with Tagged as without.
func checkTagged(t *testing.T, text string) {
	t.Helper()
	var plain, r Reader
	plain.Reset([]byte(text))
	r.Reset([]byte(text))
	next := func(want Kind, content string) {
		if k := plain.Next(); k != want || k == String && string(plain.Bytes()) != content {
			t.Fatalf("%q: %q %q, with Tagged %q %q", text, k, plain.Bytes(), want, content)
		}
	}
	for {
		if tag, ok := r.Tagged(); ok {
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

func FuzzTagged(f *testing.F) {
	for _, tt := range taggedTexts {
		f.Add(`{"a":` + tt.text + `}`)
		f.Add(tt.text)
	}
	f.Fuzz(checkTagged)
}
