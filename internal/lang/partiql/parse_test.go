package partiql

import (
	"reflect"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// TestParse pins the plainest form of every statement, or the fault in it.
func TestParse(t *testing.T) {
	for _, file := range []string{"select.txt", "write.txt", "expression.txt", "syntax.txt"} {
		t.Run(file, func(t *testing.T) {
			runDataFile(t, file, func(_ *fixture, input string) string {
				s, err := Parse(input)
				if err != nil {
					return errorText(err)
				}
				checkReparses(t, s)
				return s.String()
			})
		})
	}
}

// checkReparses checks that the printed form of a statement parses to an equal one and prints the same.
func checkReparses(t testing.TB, s *Statement) {
	t.Helper()
	printed := s.String()
	if len(printed) > maxText { // printing adds quotation marks
		return
	}
	again, err := Parse(printed)
	if err != nil {
		t.Fatalf("prints as %s: %v", printed, err)
	}
	if again.String() != printed {
		t.Fatalf("prints as %s and then as %s", printed, again)
	}
	if !reflect.DeepEqual(again, s) {
		t.Fatalf("prints as %s, which parses to another statement", printed)
	}
}

// TestPlan pins what statements are lowered to.
func TestPlan(t *testing.T) {
	for _, file := range []string{"read.txt", "point.txt", "values.txt"} {
		t.Run(file, func(t *testing.T) {
			runDataFile(t, file, func(f *fixture, input string) string { return f.plan(input) })
		})
	}
}

// TestLimits checks what is limited by number or length.
func TestLimits(t *testing.T) {
	padded := func(n int) string {
		return "SELECT * FROM t WHERE a = '" + strings.Repeat("é", n-len("SELECT * FROM t WHERE a = ''")) + "'"
	}
	nested := func(n int) string {
		return "INSERT INTO t VALUE {'pk': " + strings.Repeat("[", n) + strings.Repeat("]", n) + "}"
	}
	in := func(attribute string, n int) string {
		return "SELECT * FROM t WHERE " + attribute + " IN (" + strings.TrimSuffix(strings.Repeat("?,", n), ",") + ")"
	}
	const form = "error: " + malformed
	tests := []struct {
		name, text, want string // want: how the plan begins
	}{
		{"8192 characters", padded(8192), "scan; filter a = "},
		{"8193 characters", padded(8193), form + "Not a text of at most 8192 characters"},
		{"no UTF-8", "SELECT * FROM t WHERE a = '\xff'", form + "Not a text of at most 8192 characters"},
		{"32 levels", nested(32), "insert "},
		{"33 levels", nested(33), "error: Nesting Levels have exceeded supported limits"},
		{"33 levels in a condition", "SELECT * FROM t WHERE a = " + strings.Repeat("[", 33) + strings.Repeat("]", 33), "error: Nesting Levels have exceeded supported limits"},
		{"deepest parentheses", "SELECT * FROM t WHERE " + strings.Repeat("(", 3000) + "a = 1" + strings.Repeat(")", 3000), form + "Nested too deeply"},
		{"deep parentheses", "SELECT * FROM t WHERE " + strings.Repeat("(", 200) + "a = 1" + strings.Repeat(")", 200), "scan"},
		{"deepest NOTs", "SELECT * FROM t WHERE " + strings.Repeat("NOT ", 1000) + "a = 1", form + "Nested too deeply"},
		{"deepest lists", nested(1000), "error: Nesting Levels have exceeded supported limits"},
		{"largest index", "SELECT a[2147483647] FROM t", "scan; project [a, [2147483647]]"},
		{"larger index", "SELECT a[2147483648] FROM t", form + "Invalid path component"},
		{"largest nonsense", "SELECT a[" + strings.Repeat("9", 100) + "] FROM t", form + "Invalid path component"},
		{"50 partitions", in("pk", 50), "query pk = "},
		{"51 partitions", in("pk", 51), "error: The IN operator is provided with too many operands; number of operands: 51"},
		{"100 values", in("a", 100), "scan; filter a IN ("},
		{"101 values", in("a", 101), "error: The IN operator is provided with too many operands; number of operands: 101"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := fixture{schema: schema("pk")}
			for i := range strings.Count(tt.text, "?") {
				f.params = append(f.params, attr.Int(int64(i)))
			}
			if got := f.plan(tt.text); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %.200s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestParameters checks that their number must be that of the question marks.
func TestParameters(t *testing.T) {
	s, err := Parse("SELECT * FROM t WHERE a = ? AND b IN (?, '?')")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		_, err := s.Bind(values(t, strings.Repeat(`{"S":"x"}`, n)))
		if (err == nil) != (n == 2) {
			t.Errorf("%d parameters: %v", n, err)
		}
	}
}

// TestReservedWords refuses every reserved word as a bare name, in any case, and none that is quoted.
func TestReservedWords(t *testing.T) {
	words := strings.Fields(reservedWords)
	if len(words) < 200 {
		t.Fatalf("%d reserved words", len(words))
	}
	for _, w := range words {
		for _, word := range []string{w, strings.ToLower(w), w[:1] + strings.ToLower(w[1:])} {
			if _, err := Parse("SELECT a." + word + " FROM t"); err == nil {
				t.Errorf("%s is allowed", word)
			}
			if _, err := Parse(`SELECT a."` + word + `" FROM t`); err != nil {
				t.Errorf("quoted: %v", err)
			}
		}
	}
}

// TestBindLeavesStatement binds one statement twice: what it is bound to is in neither the statement nor the other.
func TestBindLeavesStatement(t *testing.T) {
	s, err := Parse("UPDATE t SET a = [?], b = set_add(b, <<?>>) WHERE pk = ? AND c IN ?")
	if err != nil {
		t.Fatal(err)
	}
	before := s.String()
	for _, params := range []string{`{"N":"1"} {"S":"x"} {"S":"a"} {"L":[{"N":"1"}]}`, `{"S":"y"} {"N":"2"} {"S":"b"} {"SS":["s","t"]}`} {
		b, err := s.Bind(values(t, params))
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.Point(schema("pk"))
		if err != nil {
			t.Fatal(err)
		}
		v := values(t, params)
		if !attr.Equal(p.Key.Get("pk"), v[2]) || !strings.Contains(b.Update.String(), `{"L":[`+v[0].String()+`]}`) {
			t.Errorf("%s: %s %s", params, p.Key, b.Update)
		}
		if s.String() != before {
			t.Errorf("the statement has become %s", s)
		}
	}
}

// TestLex pins the kinds and the extents of tokens.
func TestLex(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{" \t\r\n", ""},
		{"a A_1 $x _y", "w:a w:A_1 w:$x w:_y"},
		{"select Size old", "r:select r:Size w:old"},
		{`"a" "a""b" "" "sel ect"`, `q:"a" q:"a""b" q:"" q:"sel ect"`},
		{`'a' 'a''b' '' '"'`, `s:'a' s:'a''b' s:'' s:'"'`},
		{"1 12.5 .5 5. 1e3 1E+3 1.5e-10 1e", "n:1 n:12.5 n:.5 n:5. n:1e3 n:1E+3 n:1.5e-10 !:1e"},
		{"a.5 a .5 (.5 a[1].5 \"a\".5", "w:a .:. n:5 w:a .:. n:5 (:( n:.5 w:a [:[ n:1 ]:] .:. n:5 q:\"a\" .:. n:5"},
		{"1x 1.5y", "!:1x !:1.5y"},
		{"= <> != < <= > >= << >>", "=:= #:<> #:!= <:< l:<= >:> g:>= {{:<< }}:>>"},
		{"<<1>>", "{{:<< n:1 }}:>>"},
		{"<=>", "l:<= >:>"},
		{"?+-*,.:;()[]{}", "?:? +:+ -:- *:* ,:, .:. ::: ;:; (:( ):) [:[ ]:] {:{ }:}"},
		{"a--b\nc", "w:a w:c"},
		{"a - -b", "w:a -:- -:- w:b"},
		{"--", ""},
		{"/* a */b/**/c", "w:b w:c"},
		{"/* a", "!:/ *:* w:a"},
		{"'a", "!:'a"},
		{`"a`, `!:"a`},
		{"'a''", "!:'a''"},
		{"# ` ! é \x00", "!:# !:` !:! !:é !:\x00"},
	} {
		var got []string
		for _, tok := range lex(tt.text) {
			if tok.kind != tokEOF {
				got = append(got, tokenSigns[tok.kind]+":"+tt.text[tok.start:tok.end])
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q: %s\nwant %s", tt.text, strings.Join(got, " "), tt.want)
		}
	}
}

var tokenSigns = map[tokenKind]string{
	tokInvalid: "!", tokWord: "w", tokReserved: "r", tokQuoted: "q", tokString: "s", tokNumber: "n", tokParam: "?",
	tokEQ: "=", tokNE: "#", tokLT: "<", tokLE: "l", tokGT: ">", tokGE: "g", tokPlus: "+", tokMinus: "-", tokStar: "*",
	tokComma: ",", tokDot: ".", tokColon: ":", tokSemicolon: ";", tokLeftParen: "(", tokRightParen: ")",
	tokLeftBracket: "[", tokRightBracket: "]", tokLeftBrace: "{", tokRightBrace: "}", tokLeftSet: "{{", tokRightSet: "}}",
}

// BenchmarkStatement takes statements from their texts to what a table makes of them.
func BenchmarkStatement(b *testing.B) {
	for name, text := range map[string]string{
		"Select": "SELECT id, total FROM Orders WHERE customer = ? AND id BETWEEN ? AND 100 AND NOT city = 'Bern'",
		"Insert": "INSERT INTO Orders VALUE {'customer': ?, 'id': ?, 'lines': [{'sku': 'a', 'n': 2}], 'tags': <<'x', 'y'>>}",
		"Update": "UPDATE Orders SET total = total + 1, city = 'Genf' REMOVE note WHERE customer = ? AND id = ?",
	} {
		b.Run(name, func(b *testing.B) {
			params, keys := []attr.Value{attr.String("ann"), attr.Int(7)}, schema("customer:id")
			b.ReportAllocs()
			for b.Loop() {
				s, err := Parse(text)
				if err != nil {
					b.Fatal(err)
				}
				bound, err := s.Bind(params)
				if err == nil && bound.Kind == Select {
					_, err = bound.Read(keys)
				} else if err == nil {
					_, err = bound.Point(keys)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"SELECT a, b.c[0] FROM \"t\".\"i\" WHERE pk = ? AND sk BETWEEN 1 AND -2.5e3 ORDER BY sk DESC",
		"EXISTS(SELECT * FROM t WHERE pk = 'x' AND NOT a IS MISSING)",
		"INSERT INTO t VALUE {'pk': ?, 'l': [1, 'a''b', TRUE, NULL], 's': <<1, 2>>}",
		"UPDATE t SET a = list_append(a, [?]) SET b = set_add(b, <<'x'>>) REMOVE c.d[1] WHERE pk = 1 RETURNING MODIFIED OLD *",
		"DELETE FROM t WHERE pk IN (1, ?) OR size(a) > 3 -- gone\n;",
		"SELECT * FROM t WHERE a = .5 AND b IS NOT NULL", "", " ", "\x00", "'", "((", "SELECT * FROM t WHERE a IN ?",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			errorText(err)
			return
		}
		checkReparses(t, s)
		params := make([]attr.Value, s.params)
		for i := range params {
			params[i] = values(t, `{"S":"x"} {"N":"1"} {"L":[{"S":"y"}]} {"M":{"pk":{"S":"x"}}} {"SS":["a"]}`)[i%5]
		}
		b, err := s.Bind(params)
		if err != nil {
			errorText(err)
			return
		}
		for _, text := range []string{"pk", "pk:sk", "a,b:c,d"} {
			fixture := fixture{schema: schema(text), params: params}
			fixture.plan(text)
			if _, err := b.Point(schema(text)); err != nil {
				errorText(err)
			}
			if _, err := b.Read(schema(text)); b.Kind == Select && err != nil {
				errorText(err)
			}
		}
	})
}
