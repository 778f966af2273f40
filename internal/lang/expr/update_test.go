package expr

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// applyData runs the cases of a data file, each an update of the item.
func applyData(t *testing.T, file string, show func(u *Update, old, updated attr.Item) string) {
	cache := NewCache(1000)
	runDataFile(t, file, func(t *testing.T, f *fixture, input string) string {
		b, err := cache.Bind(f.request(input).with(updateKind, input))
		if err != nil {
			return err.Error()
		}
		before := bytes.Clone(f.item)
		updated, err := b.Update.Apply(f.item)
		if !bytes.Equal(before, f.item) {
			t.Fatalf("%s: changed the old item", input)
		}
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%s: a %T", input, err)
			}
			return err.Error()
		}
		if updated == nil || !attr.Valid(updated) {
			t.Fatalf("%s: made an invalid item", input)
		}
		return show(b.Update, f.item, updated)
	})
}

// TestApply pins what updates make of items.
func TestApply(t *testing.T) {
	applyData(t, "update.txt", func(_ *Update, old, updated attr.Item) string { return showChanges(old, updated) })
}

// showChanges prints the attributes that differ, those removed with a minus.
func showChanges(old, updated attr.Item) string {
	var changes []string
	for name := range old.All() {
		if updated.Get(string(name)) == nil {
			changes = append(changes, "-"+string(name))
		}
	}
	for name, v := range updated.All() {
		if !attr.Equal(old.Get(string(name)), v) {
			changes = append(changes, string(name)+" "+v.String())
		}
	}
	if changes == nil {
		return "unchanged"
	}
	return strings.Join(changes, ", ")
}

// TestTouched pins what UPDATED_OLD and UPDATED_NEW show.
func TestTouched(t *testing.T) {
	applyData(t, "touched.txt", func(u *Update, old, _ attr.Item) string {
		return fmt.Sprintf("%s; %s", showItem(u.Touched(old)), showItem(u.Written(old)))
	})
}

func bindUpdate(t testing.TB, text, values string) *Update {
	t.Helper()
	r := Request{Update: &text}
	if values != "" {
		r.Values = sentItem(t, values)
	}
	b, err := NewCache(0).Bind(r)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b.Update
}

// TestTypeOf pins which types are known before an item is.
func TestTypeOf(t *testing.T) {
	const values = `{":n":{"N":"1"},":s":{"SS":["a"]},":l":{"L":[]}}`
	for text, want := range map[string]attr.Type{
		"SET a = :n":                   attr.N,
		"SET b = :l, a = :s, c = :n":   attr.SS,
		"SET a = b + :n":               attr.N,
		"SET a = :n - b":               attr.N,
		"SET a = list_append(b, :l)":   attr.L,
		"SET a = b":                    attr.Missing,
		"SET a = if_not_exists(a, :n)": attr.Missing,
		"SET a.b = :n":                 attr.Missing,
		"SET b = :n":                   attr.Missing,
		"REMOVE a":                     attr.Missing,
		"REMOVE b ADD a :n":            attr.N,
		"DELETE a :s":                  attr.SS,
	} {
		r := fixture{values: map[string]attr.Value{}}
		for name, v := range parseItem(t, values).All() {
			r.values[string(name)] = v
		}
		b, err := NewCache(0).Bind(r.request(text).with(updateKind, text))
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Update.TypeOf("a"); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestUpdateFacts(t *testing.T) {
	const values = `{":v":{"NS":["1"]}}`
	tests := []struct {
		text        string
		onlyRemoves bool
		cost        int
		targets     string
	}{
		{"SET a = :v", false, 22, "[a]"},
		{"SET a = :v, b.c = :v", false, 41, "[a] [b, c]"},
		{"SET a[0] = :v", false, 23, "[a, [0]]"},
		{"SET a[0].b[1] = :v", false, 23, "[a, [0], b, [1]]"},
		{"REMOVE a SET b = :v", false, 24, "[a] [b]"},
		{"ADD a :v", false, 22, "[a]"},
		{"ADD a :v REMOVE b[0]", false, 25, "[a] [b, [0]]"},
		{"DELETE a :v", true, 5, "[a]"},
		{"DELETE a :v, b :v", true, 7, "[a] [b]"},
	}
	for _, tt := range tests {
		u := bindUpdate(t, tt.text, values)
		var targets []string
		for _, p := range u.Targets() {
			targets = append(targets, p.String())
		}
		if u.OnlyRemoves() != tt.onlyRemoves || u.Cost() != tt.cost || strings.Join(targets, " ") != tt.targets {
			t.Errorf("%s: only removes %v, costs %d, targets %s", tt.text, u.OnlyRemoves(), u.Cost(), targets)
		}
	}
	for text, cost := range map[string]int{"REMOVE a": 5, "REMOVE a, b[1]": 8, "SET a = b + c": 72, "SET a = b - c, d = e": 91, "SET a = if_not_exists(b, c)": 22} {
		if u := bindUpdate(t, text, ""); u.Cost() != cost {
			t.Errorf("%s: costs %d", text, u.Cost())
		}
	}
	if !bindUpdate(t, "REMOVE a", "").OnlyRemoves() {
		t.Error("REMOVE does not only remove")
	}
}

// TestUpdatePaths checks that the paths are those read and those written, and how the update prints.
func TestUpdatePaths(t *testing.T) {
	u := bindUpdate(t, "set a.b = if_not_exists(c, :v) + d remove e[0]", `{":v":{"N":"1"}}`)
	var paths []string
	for p := range u.Paths() {
		paths = append(paths, p.String())
	}
	if got := strings.Join(paths, " "); got != "[a, b] [c] [d] [e, [0]]" {
		t.Errorf("paths are %s", got)
	}
	if got := u.String(); got != `SET a.b = if_not_exists(c, {"N":"1"}) + d REMOVE e[0]` {
		t.Errorf("prints as %s", got)
	}
}

// TestNesting checks that an update cannot put a value deeper than an item may have it.
func TestNesting(t *testing.T) {
	nested := func(levels int) string {
		return strings.Repeat(`{"M":{"a":`, levels-1) + `{"S":"x"}` + strings.Repeat(`}}`, levels-1)
	}
	for levels, want := range map[int]string{30: "", 31: "", 32: errNestedTooFar.Text} {
		it := parseItem(t, `{"deep":`+nested(levels)+`,"m":{"M":{}},"l":{"L":[]}}`)
		for _, text := range []string{"SET m.x = deep", "SET l[0] = deep", "SET b = deep, m.x = deep"} {
			_, err := bindUpdate(t, text, "").Apply(it)
			checkError(t, err, want)
		}
		_, err := bindUpdate(t, "SET b = deep", "").Apply(it)
		checkError(t, err, "")
	}
	path := "a" + strings.Repeat(".a", 31)
	_, err := bindUpdate(t, "REMOVE "+path, "").Apply(attr.Item{})
	checkError(t, err, errInvalidPath.Text)
}

// TestWritesAreBounded checks that an update that copies a large attribute many times fails early.
func TestWritesAreBounded(t *testing.T) {
	it := attr.Make(attr.Field{Name: "a", Value: attr.String(strings.Repeat("x", 390<<10))})
	var sets []string
	for i := range 500 {
		sets = append(sets, fmt.Sprintf("b%d=a", i))
	}
	_, err := bindUpdate(t, "SET "+strings.Join(sets, ","), "").Apply(it)
	checkError(t, err, "Item size to update has exceeded the maximum allowed size")
	_, err = bindUpdate(t, "SET "+strings.Join(sets[:3], ","), "").Apply(it)
	checkError(t, err, "")
}

// TestApplyIsRepeatable applies one update to several items and again to the first.
func TestApplyIsRepeatable(t *testing.T) {
	u := bindUpdate(t, "SET m.x = n, l[9] = n REMOVE l[0] ADD n :n", `{":n":{"N":"1"}}`)
	apply := func(item string) string {
		it, err := u.Apply(parseItem(t, item))
		if err != nil {
			t.Fatal(err)
		}
		return it.String()
	}
	one, two := `{"l":{"L":[{"N":"0"}]},"m":{"M":{}},"n":{"N":"1"}}`, `{"l":{"L":[]},"m":{"M":{"x":{"N":"9"}}},"n":{"N":"2"}}`
	first := apply(one)
	apply(two)
	if again := apply(one); again != first {
		t.Fatalf("first %s, then %s", first, again)
	}
}

// FuzzApply checks that whatever an update makes of an item is a valid item, and that projecting and evaluating do not fail.
func FuzzApply(f *testing.F) {
	item := `{"a":{"N":"1"},"b":{"S":"x"},"l":{"L":[{"S":"0"},{"M":{"a":{"N":"1"}}},{"L":[{"N":"9"}]}]},"m":{"M":{"a":{"N":"1"},"l":{"L":[]},"ss":{"SS":["p"]}}},"ss":{"SS":["a","b"]}}`
	values := `{":n":{"N":"1"},":s":{"S":"x"},":ss":{"SS":["a","c"]},":l":{"L":[{"S":"y"}]},":m":{"M":{"k":{"N":"1"}}}}`
	for _, text := range []string{
		"SET a = :n, l[7] = b REMOVE l[0], m.a ADD ss :ss", "SET m.l = list_append(m.l, l), l[1].a = if_not_exists(c, :n) + a",
		"DELETE ss :ss, m.ss :ss", "SET l[2][1] = :m, l[2][9] = :s REMOVE l[2][0]", "ADD a :n, m.b :n, c :ss", "SET m.x = m, n = l - a",
	} {
		f.Add(text, item, values)
	}
	f.Fuzz(func(t *testing.T, text, item, values string) {
		it, err := attr.ParseItem(item)
		if err != nil {
			return
		}
		all, err := attr.ParseItem(values)
		if err != nil {
			return
		}
		fx := fixture{values: map[string]attr.Value{}}
		for name, v := range all.All() {
			fx.values[string(name)] = v
		}
		b, err := NewCache(0).Bind(fx.request(text).with(updateKind, text))
		if err != nil {
			return
		}
		for _, old := range []attr.Item{it, nil, {}} {
			updated, err := b.Update.Apply(old)
			if err == nil && (updated == nil || !attr.Valid(updated)) {
				t.Fatalf("%s of %s: invalid", text, old)
			}
			if !attr.Valid(b.Update.Touched(old)) || !attr.Valid(b.Update.Written(old)) {
				t.Fatalf("%s of %s: touched part is invalid", text, old)
			}
		}
	})
}
