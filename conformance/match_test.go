package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A matcher compares decoded JSON. "*" in what is wanted stands for any value, and sets have no order. An open one lets objects
// have further members.
type matcher struct{ open bool }

// differ returns where got is not as wanted, and "" if nowhere.
func (m matcher) differ(path string, got, want any) string {
	switch want := want.(type) {
	case map[string]any:
		return m.differObject(path, got, want)
	case []any:
		return m.differArray(path, got, want)
	case string:
		if want == "*" {
			return ""
		}
	case json.Number:
		if n, ok := got.(json.Number); ok && equalNumbers(n, want) {
			return ""
		}
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("at %s: got %v, want %v", path, got, want)
	}
	return ""
}

func (m matcher) differObject(path string, got any, want map[string]any) string {
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Sprintf("at %s: got %v, want an object", path, got)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		member, ok := object[name]
		if !ok {
			return fmt.Sprintf("at %s: no %s", path, name)
		}
		if isSet(name) && len(want) == 1 {
			member, want[name] = sorted(member), sorted(want[name])
		}
		if at := m.differ(path+"."+name, member, want[name]); at != "" {
			return at
		}
	}
	for name := range object {
		if _, ok := want[name]; !ok && !m.open {
			return fmt.Sprintf("at %s: %s is too much", path, name)
		}
	}
	return ""
}

func (m matcher) differArray(path string, got any, want []any) string {
	array, ok := got.([]any)
	if !ok || len(array) != len(want) {
		return fmt.Sprintf("at %s: got %v, want %d elements", path, got, len(want))
	}
	for i := range want {
		if at := m.differ(fmt.Sprintf("%s[%d]", path, i), array[i], want[i]); at != "" {
			return at
		}
	}
	return ""
}

func isSet(name string) bool { return name == "SS" || name == "NS" || name == "BS" }

// sorted returns the strings of a decoded set in order, and anything else as it is.
func sorted(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}

func equalNumbers(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

func TestMatcher(t *testing.T) {
	for _, c := range []struct {
		got, want    string
		closed, open bool
	}{
		{`{"a": 1}`, `{"a": 1.0}`, true, true},
		{`{"a": 1, "b": 2}`, `{"a": 1}`, false, true},
		{`{"a": 1}`, `{"a": 1, "b": 2}`, false, false},
		{`{"SS": ["b", "a"]}`, `{"SS": ["a", "b"]}`, true, true},
		{`{"L": ["b", "a"]}`, `{"L": ["a", "b"]}`, false, false},
		{`{"L": ["a"]}`, `{"L": ["a", "b"]}`, false, false},
		{`{"a": {"b": [1, 2]}}`, `{"a": "*"}`, true, true},
		{`{"a": null}`, `{"a": {}}`, false, false},
		{`[{"a": 1, "b": 2}]`, `[{"b": 2}]`, false, true},
	} {
		got, want := decode(t, []byte(c.got)), decode(t, []byte(c.want))
		if at := (matcher{}).differ("", got, want); (at == "") != c.closed {
			t.Errorf("%s with %s: %q", c.got, c.want, at)
		}
		if at := (matcher{open: true}).differ("", got, want); (at == "") != c.open {
			t.Errorf("%s with %s, open: %q", c.got, c.want, at)
		}
	}
}
