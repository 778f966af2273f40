package expr

import (
	"reflect"
	"strings"
	"testing"
)

// TestParse pins the tree, or the fault, that each text parses to.
func TestParse(t *testing.T) {
	for _, file := range []string{"parse_condition.txt", "parse_update.txt", "parse_projection.txt", "syntax.txt"} {
		t.Run(file, func(t *testing.T) {
			runDataFile(t, file, func(t *testing.T, f *fixture, input string) string {
				input = strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\r`, "\r").Replace(input)
				p, err := parse(kindNamed(t, f.vars["kind"]), strings.TrimSuffix(input, "|"))
				if err != nil {
					return err.Error()
				}
				checkReparses(t, p)
				return p.tree()
			})
		})
	}
}

// tree prints the structure of an expression.
func (p *parsed) tree() string {
	var parts []string
	switch {
	case p.cond != nil:
		return sexpr(p.cond, p.paths, p.values)
	case p.kind == projectionKind:
		return p.String()
	}
	for _, a := range p.actions {
		part := a.verb.String() + " " + sexpr(&node{op: opPath, index: a.target}, p.paths, nil)
		if a.value != nil {
			part += " " + sexpr(a.value, p.paths, p.values)
		}
		parts = append(parts, "("+part+")")
	}
	return strings.Join(parts, " ")
}

// checkReparses checks that the printed form of an expression parses to an equal tree and prints the same.
func checkReparses(t testing.TB, p *parsed) {
	t.Helper()
	printed := p.String()
	if len(printed) > maxText { // printing adds spaces
		return
	}
	again, err := parse(p.kind, printed)
	if err != nil {
		t.Fatalf("%s: prints as %s: %v", p.text, printed, err)
	}
	if again.String() != printed {
		t.Fatalf("%s: prints as %s and then as %s", p.text, printed, again)
	}
	again.text = p.text
	if !reflect.DeepEqual(again, p) {
		t.Fatalf("%s: prints as %s, which parses to another tree", p.text, printed)
	}
}

// TestLimits checks what is limited by number or length.
func TestLimits(t *testing.T) {
	chain := func(n int) string { return "a = :v" + strings.Repeat(" or a = :v", n) }
	tests := []struct {
		name string
		kind kind
		text string
		want string // the tail of the error; empty: none
	}{
		{"4096 bytes", projectionKind, strings.Repeat("a", 4096), ""},
		{"4097 bytes", projectionKind, strings.Repeat("a", 4097), "Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{"4097 bytes of nonsense", updateKind, strings.Repeat("(", 4097), "Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{"299 operators", conditionKind, chain(149), ""},
		{"300 operators", conditionKind, "not " + chain(149), ""},
		{"301 operators", filterKind, chain(150), "The expression contains too many operators; operator count: 301"},
		{"300 NOTs and more", conditionKind, strings.Repeat("NOT ", 300) + "a = :v", "The expression contains too many operators; operator count: 301"},
		{"BETWEEN is one operator", conditionKind, strings.Repeat("NOT ", 300) + "a BETWEEN :v AND :v", "The expression contains too many operators; operator count: 301"},
		{"IN is one operator", conditionKind, strings.Repeat("NOT ", 300) + "a IN (:v)", "The expression contains too many operators; operator count: 301"},
		{"functions are none", conditionKind, strings.Repeat("NOT ", 300) + "contains(a, :v)", ""},
		{"300 sums", updateKind, "SET " + strings.Repeat("a=a+b,", 299) + "a=a+b", ""},
		{"301 sums", updateKind, "SET " + strings.Repeat("a=a+b,", 300) + "a=a+b", "The expression contains too many operators; operator count: 301"},
		{"many SETs without operators", updateKind, "SET " + strings.Repeat("a=b,", 400) + "a=b", ""},
		{"deep parentheses", conditionKind, strings.Repeat("(", 1000) + "a = :v" + strings.Repeat(")", 1000), "The expression has redundant parentheses;"},
		{"deepest parentheses", conditionKind, strings.Repeat("(", 2000) + "a = :v" + strings.Repeat(")", 2000), `Syntax error; token: "(", near: "((("`},
		{"deepest operand", updateKind, "SET a = " + strings.Repeat("(", 2000) + "b" + strings.Repeat(")", 2000), `Syntax error; token: "(", near: "((("`},
		{"deepest function", conditionKind, strings.Repeat("f(", 1100) + "a" + strings.Repeat(")", 1100), `Syntax error; token: "f", near: "(f("`},
		{"largest index", projectionKind, "a[2147483647]", ""},
		{"larger index", projectionKind, "a[2147483648]", "List index is not within the allowable range; index: [2147483648]"},
		{"largest nonsense", projectionKind, "a[" + strings.Repeat("9", 100) + "]", "List index is not within the allowable range; index: [" + strings.Repeat("9", 100) + "]"},
		{"deepest path", projectionKind, "a" + strings.Repeat("[0].b", 15) + ".c", ""},
		{"deeper path", projectionKind, "a" + strings.Repeat("[0].b", 16), "The document path has too many nesting elements; nesting levels: 33"},
		{"deeper path of an update", updateKind, "SET a = b REMOVE a" + strings.Repeat(".a", 32), "The document path has too many nesting elements; nesting levels: 33"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parse(tt.kind, tt.text)
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "":
				checkReparses(t, p)
			case err == nil:
				t.Fatal("no error")
			case err.Error() != "Invalid "+tt.kind.String()+": "+tt.want:
				t.Fatalf("got %s", err)
			}
		})
	}
}

// TestReservedWords refuses every reserved word as a bare name, and none that is put in by a placeholder.
func TestReservedWords(t *testing.T) {
	words := strings.Fields(reservedWords)
	if len(words) != 573 {
		t.Fatalf("%d reserved words", len(words))
	}
	for _, w := range words {
		for _, text := range []string{w, strings.ToLower(w), w[:1] + strings.ToLower(w[1:]), "a." + w, w + "[0]"} {
			_, err := parse(projectionKind, text)
			if err == nil {
				t.Errorf("%s is allowed", text)
				continue
			}
			spelled := strings.TrimSuffix(strings.TrimPrefix(text, "a."), "[0]")
			want := "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: " + spelled
			if _, keyword := keywords[w]; err.Error() != want && !keyword {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"SET a.b[1] = if_not_exists(#c, :v) + :w, d = list_append(e, :l) REMOVE f, g[0] ADD h :s DELETE i :t",
		"NOT (a = :v OR size(b) BETWEEN :l AND :u) AND c IN (:x, :y) AND attribute_type(d, :t)",
		"((a)) = (b", "a, b.c[0], #d", "set a = (b - :v)", "a <> :v or begins_with(a,:v)", "", " ", "\x00", "a[99999999999]",
	} {
		for k := range kindNames {
			f.Add(byte(k), text)
		}
	}
	f.Fuzz(func(t *testing.T, k byte, text string) {
		p, err := parse(kind(int(k)%len(kindNames)), text)
		if err == nil {
			checkReparses(t, p)
		}
	})
}
