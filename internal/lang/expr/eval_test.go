package expr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// TestEval pins what conditions are of items. As conditions and as filters they mean the same, and NOT turns each round.
func TestEval(t *testing.T) {
	cache := NewCache(1000)
	runDataFile(t, "eval.txt", func(t *testing.T, f *fixture, input string) string {
		r := f.request(input).with(conditionKind, input).with(filterKind, "NOT ("+input+")")
		b, err := cache.Bind(r)
		if err != nil {
			return err.Error()
		}
		got := b.Condition.Eval(f.item)
		if b.Filter.Eval(f.item) == got {
			t.Errorf("%s: %v, and so is its negation", input, got)
		}
		return fmt.Sprint(got)
	})
}

// TestEvalDoesNotAllocate covers every operator and function.
func TestEvalDoesNotAllocate(t *testing.T) {
	it := parseItem(t, `{"s":{"S":"abc"},"n":{"N":"12.5"},"ss":{"SS":["a","b"]},"l":{"L":[{"N":"1"},{"M":{"x":{"N":"7"}}}]},"m":{"M":{"x":{"N":"1"}}}}`)
	values := `{":s":{"S":"abc"},":a":{"S":"a"},":n":{"N":"3"},":N":{"S":"N"},":m":{"N":"100"}}`
	tests := []string{
		"s = :s", "s <> :a", "n > :n", "n < l[1].x", "n BETWEEN :n AND :m", "s IN (:a, :n, :s)", "NOT n = :n", "m.x = :n OR m.x < :n AND s = :s",
		"attribute_exists(m.x)", "attribute_not_exists(m.y)", "attribute_type(m.x, :N)", "begins_with(s, :a)",
		"contains(s, :a)", "contains(ss, :a)", "contains(l, :n)", "size(s) = :n", "size(ss) < size(l)", "size(l) BETWEEN :n AND :m", "size(m) IN (:n, :m)",
	}
	for _, text := range tests {
		c := bindCondition(t, text, values)
		if n := testing.AllocsPerRun(100, func() { c.Eval(it) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// bindCondition binds a condition to those of the values that it uses.
func bindCondition(t testing.TB, text, values string) *Condition {
	t.Helper()
	f := fixture{values: map[string]attr.Value{}}
	for name, v := range parseItem(t, values).All() {
		f.values[string(name)] = v
	}
	b, err := NewCache(0).Bind(f.request(text).with(conditionKind, text))
	if err != nil {
		t.Fatal(err)
	}
	return b.Condition
}

// TestConditionString checks how a bound condition prints.
func TestConditionString(t *testing.T) {
	c := bindCondition(t, "not (a = :v or size(b) between :v and c) and d in (:w)", `{":v":{"N":"1"},":w":{"S":"x"}}`)
	if got := c.String(); got != `NOT (a = {"N":"1"} OR size(b) BETWEEN {"N":"1"} AND c) AND d IN ({"S":"x"})` {
		t.Errorf("prints as %s", got)
	}
}

// TestUTF16Len compares with the long way round.
func TestUTF16Len(t *testing.T) {
	for _, s := range []string{"", "a", "é", "€", "😀", "a\u0300", "\uffff\U00010000", strings.Repeat("日本😀", 50)} {
		want := 0
		for _, r := range s {
			want++
			if r > 0xffff {
				want++
			}
		}
		if got := utf16Len([]byte(s)); got != want {
			t.Errorf("%q: %d units, want %d", s, got, want)
		}
	}
}
