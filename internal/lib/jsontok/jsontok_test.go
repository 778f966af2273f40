package jsontok

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// tokens prints the tokens of text, one word each.
func tokens(r *Reader, text string) string {
	var out []string
	r.Reset([]byte(text))
	for {
		switch k := r.Next(); k {
		case Bad:
			return strings.Join(append(out, "bad: "+r.Err().Error()), " ")
		case EOF:
			return strings.Join(out, " ")
		case String:
			out = append(out, string(AppendBytes(nil, r.Bytes())))
		case Number:
			out = append(out, string(r.Bytes()))
		default:
			out = append(out, string(k))
		}
	}
}

// TestTokens reads testdata/tokens: a line of JSON text, a line of its tokens, an empty line.
func TestTokens(t *testing.T) {
	data, err := os.ReadFile("testdata/tokens")
	if err != nil {
		t.Fatal(err)
	}
	var r Reader
	for _, c := range strings.Split(strings.TrimSpace(string(data)), "\n\n") {
		text, want, _ := strings.Cut(c, "\n")
		if got := tokens(&r, text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestStrings(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"\u0041\u00e9\u20AC\u0000"`, "Aé€\x00"},
		{`"\ud83d\ude00"`, "😀"},
		{`"\ud83d"`, "\ufffd"},
		{`"\ud83dx"`, "\ufffdx"},
		{`"\ude00\ud83d"`, "\ufffd\ufffd"},
		{`"\ud83d\u0041"`, "\ufffdA"},
		{`"\ud83d\ud83d\ude00"`, "\ufffd😀"},
		{`"é€😀"`, "é€😀"},
		{`"é\n€"`, "é\n€"},
		{"\"\x7f\"", "\x7f"},
	} {
		var r Reader
		r.Reset([]byte(c.text))
		if k := r.Next(); k != String || string(r.Bytes()) != c.want {
			t.Errorf("%s: %c %q, want %q", c.text, k, r.Bytes(), c.want)
		}
	}
	for _, text := range []string{
		`"`, `"\`, `"\"`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\u 123"`, "\"\x1f\"", "\"\n\"", "\"\x00\"", "\"a\\n\t\"",
		"\"\xff\"", "\"\xc3\"", "\"\xc3\\u00a9\"", "\"\xed\xa0\xbd\xed\xb8\x80\"", "\"\xc0\xaf\"", "\"\\n\xff\"", "\"\xf4\x90\x80\x80\"",
	} {
		var r Reader
		r.Reset([]byte(text))
		if k := r.Next(); k != Bad {
			t.Errorf("%q is read as %c %q", text, k, r.Bytes())
		}
	}
}

// TestPlain puts each character at each place of a string, so that every lane of a word is met.
func TestPlain(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				b := bytes.Repeat([]byte{'!'}, n) // the neighbour of the quote
				b[at] = byte(c)
				want := n
				if c < 0x20 || c == '"' || c == '\\' {
					want = at
				}
				end, ascii := plain(b, 0)
				if end != want || ascii != (c < 0x80) {
					t.Fatalf("%q: %d %v", b, end, ascii)
				}
			}
		}
	}
}

func TestBytesAliasTheInput(t *testing.T) {
	text := []byte(`"abc"`)
	var r Reader
	r.Reset(text)
	r.Next()
	if &r.Bytes()[0] != &text[1] {
		t.Error("copied though nothing was escaped")
	}
}

func TestSkip(t *testing.T) {
	var r Reader
	r.Reset([]byte(`{"a":{"x":[1,{"y":[]}],"z":"\n"},"b":[[[]]],"c":null,"d":7}`))
	r.Next()
	for _, name := range []string{"a", "b", "c", "d"} {
		if k := r.Next(); k != String || string(r.Bytes()) != name {
			t.Fatalf("%c %q, want %s", k, r.Bytes(), name)
		}
		if !r.Skip(r.Next()) {
			t.Fatalf("%s: %v", name, r.Err())
		}
	}
	if k := r.Next(); k != EndObj {
		t.Errorf("%c after the last member", k)
	}
	r.Reset([]byte(`[[[1,]]]`))
	if r.Skip(r.Next()) || r.Err() == nil {
		t.Error("malformed text was passed over")
	}
	r.Reset(nil)
	if r.Skip(r.Next()) {
		t.Error("nothing was passed over")
	}
}

func TestDepth(t *testing.T) {
	nested := func(n int) []byte {
		return []byte(strings.Repeat(`[{"a":`, n/2) + "1" + strings.Repeat("}]", n/2))
	}
	if !Valid(nested(MaxDepth)) {
		t.Error("the greatest depth is refused")
	}
	if Valid(nested(MaxDepth + 2)) {
		t.Error("no depth is refused")
	}
	if Valid(bytes.Repeat([]byte("["), 1<<20)) {
		t.Error("unclosed arrays are valid")
	}
}

func TestBadStaysBad(t *testing.T) {
	var r Reader
	r.Reset([]byte(`[1 2]`))
	for range 3 {
		r.Next()
	}
	for range 2 {
		if r.Next() != Bad || r.Err() == nil {
			t.Error("the fault was forgotten")
		}
	}
	r.Reset([]byte(`1`))
	if r.Err() != nil || r.Next() != Number || r.Next() != EOF || r.Next() != EOF {
		t.Error("the fault outlived Reset")
	}
}

func TestZeroReader(t *testing.T) {
	var r Reader
	if r.Next() != Bad {
		t.Error("a Reader without text has a token")
	}
}

func TestAppendString(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `""`},
		{"abc", `"abc"`},
		{"a\"b\\c/d", `"a\"b\\c/d"`},
		{"\x00\x01\b\t\n\f\r\x0f\x10\x1f\x20\x7f", `"\u0000\u0001\b\t\n\f\r\u000f\u0010\u001f ` + "\x7f\""},
		{"é€😀", `"é€😀"`},
		{"é\n😀 and some more text", `"é\n😀 and some more text"`},
		{"a\xffb", `"a` + "\ufffd" + `b"`},
		{"\xe2\x82", "\"\ufffd\ufffd\""},
	} {
		if got := AppendString([]byte("x"), c.in); string(got) != "x"+c.want {
			t.Errorf("%q: %s, want %s", c.in, got, c.want)
		}
		if got := AppendBytes(nil, []byte(c.in)); string(got) != c.want {
			t.Errorf("%q as bytes: %s, want %s", c.in, got, c.want)
		}
	}
}

// Wherever a character stands, it is told from those that are copied as they are.
func TestAppendBytesAtEachPlace(t *testing.T) {
	for n := range 40 {
		for at := range n {
			for c := range 256 {
				s := bytes.Repeat([]byte("x"), n)
				s[at] = byte(c)
				want := string(append(appendReplaced([]byte{'"'}, s), '"'))
				if got := AppendBytes(nil, s); string(got) != want {
					t.Fatalf("%q: %s, want %s", s, got, want)
				}
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	text := []byte(`{"a":[1,true,null,"x\ny"],"b\u0041":{"c":"d"}}`)
	var r Reader
	read := func() {
		r.Reset(text)
		for k := r.Next(); k != EOF; k = r.Next() {
		}
	}
	read()
	if n := testing.AllocsPerRun(100, read); n != 0 {
		t.Errorf("reading allocates %v times", n)
	}
	dst := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() { AppendString(dst, "plain"); AppendString(dst, "é\xff\n\x01"); AppendString(dst, "é\n") }); n != 0 {
		t.Errorf("AppendString allocates %v times", n)
	}
}

// FuzzValid compares with encoding/json, which lets invalid UTF-8 pass.
func FuzzValid(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e+3,"\u00e9"],"b":{}}`, `[]`, `[1,]`, `{"a"}`, `01`, `-`, "\"\xff\"", ` "x" `, `nul`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) > MaxDepth {
			return
		}
		if got, want := Valid(b), json.Valid(b) && utf8.Valid(b); got != want {
			t.Errorf("%q: valid %v, encoding/json says %v", b, got, want)
		}
	})
}

// FuzzStringRoundTrip holds that what AppendString writes is read back, by this package and by encoding/json.
func FuzzStringRoundTrip(f *testing.F) {
	f.Add("")
	f.Add("a\"b\\\n\x00é😀\xff")
	f.Fuzz(func(t *testing.T, s string) {
		text := AppendString(nil, s)
		want := strings.ToValidUTF8(s, "\ufffd")
		if !utf8.ValidString(s) {
			want = string([]rune(s)) // one replacement for each invalid byte
		}
		var r Reader
		r.Reset(text)
		if k := r.Next(); k != String || string(r.Bytes()) != want {
			t.Errorf("%q: %s is read as %q", s, text, r.Bytes())
		}
		var std string
		if err := json.Unmarshal(text, &std); err != nil || std != want {
			t.Errorf("%q: encoding/json reads %s as %q: %v", s, text, std, err)
		}
	})
}

// FuzzUnescape compares the content of strings with encoding/json.
func FuzzUnescape(f *testing.F) {
	f.Add([]byte(`"\ud83d\ude00\ud83d\u0041\/"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Reader
		var want string
		r.Reset(b)
		if r.Next() != String || json.Unmarshal(b, &want) != nil {
			return
		}
		if string(r.Bytes()) != want {
			t.Errorf("%q: %q, encoding/json says %q", b, r.Bytes(), want)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	text := []byte(`{"TableName":"orders","Key":{"pk":{"S":"customer-000000000123"},"sk":{"N":"1234567890"}},"ConsistentRead":true,` +
		`"ExpressionAttributeNames":{"#a":"status","#b":"address"},"ProjectionExpression":"#a, #b.city, total, items[0].price"}`)
	var r Reader
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(text)
		for k := r.Next(); k != EOF; k = r.Next() {
		}
	}
}

func BenchmarkAppendString(b *testing.B) {
	for _, c := range []struct{ name, s string }{
		{"short", "customer-123"},
		{"long", strings.Repeat("plain text of some length ", 10)},
		{"escaped", strings.Repeat("a line of text\n", 17)},
		{"unicode", strings.Repeat("Zénobe Gramme ", 18)},
	} {
		b.Run(c.name, func(b *testing.B) {
			dst := make([]byte, 0, 4096)
			b.SetBytes(int64(len(c.s)))
			b.ReportAllocs()
			for b.Loop() {
				AppendString(dst, c.s)
			}
		})
	}
}
