package expr

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// The model of an item: strings, map[string]any and []any, changed the plain way.

// TestApplyAgainstModel makes random updates of random items, here and in the model.
func TestApplyAgainstModel(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(7, 11))}
	outcomes := map[string]int{}
	for range 4000 {
		item := g.object(3)
		actions := g.actions(item)
		text := updateText(actions)
		u := bindUpdate(t, text, "")
		got, err := u.Apply(toItem(item))
		want, ok := applyModel(item, actions)
		switch {
		case ok != (err == nil):
			t.Fatalf("%s of %s: %v, model %v", text, toItem(item), err, ok)
		case !ok:
			outcomes[err.Error()]++
		case got.String() != toItem(want).String():
			t.Fatalf("%s of %s\n got: %s\nwant: %s", text, toItem(item), got, toItem(want))
		default:
			outcomes["ok"]++
		}
	}
	if outcomes["ok"] < 1000 || outcomes[errInvalidPath.Text] < 100 || outcomes[errMissing.Text] < 100 {
		t.Fatalf("one-sided: %v", outcomes)
	}
}

// A modelAction is SET target = source, or REMOVE target if there is no source.
type modelAction struct{ target, source Path }

func updateText(actions []modelAction) string {
	var sets, removes []string
	for _, a := range actions {
		if a.source == nil {
			removes = append(removes, pathText(a.target))
		} else {
			sets = append(sets, pathText(a.target)+" = "+pathText(a.source))
		}
	}
	text := ""
	if sets != nil {
		text = "SET " + strings.Join(sets, ", ")
	}
	if removes != nil {
		text += " REMOVE " + strings.Join(removes, ", ")
	}
	return text
}

func pathText(p Path) string {
	w := printer{paths: []Path{p}}
	w.path(0)
	return w.String()
}

// applyModel makes the update of a copy of the item; false if the item does not allow it.
func applyModel(item map[string]any, actions []modelAction) (map[string]any, bool) {
	values := make([]any, len(actions))
	for i, a := range actions {
		if a.source == nil {
			continue
		}
		v, ok := find(item, a.source)
		if !ok {
			return nil, false
		}
		values[i] = clone(v)
	}
	root := clone(item)
	// Replacements leave positions alone; then what is beyond the end is appended in order; then the rest is removed from behind.
	order := make([]int, len(actions))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool {
		a, b := actions[order[i]], actions[order[j]]
		if (a.source == nil) != (b.source == nil) {
			return b.source == nil
		}
		c := comparePaths(a.target, b.target)
		if a.source == nil {
			return c > 0
		}
		return c < 0
	})
	lengths := map[string]int{}
	for _, i := range order {
		var ok bool
		if root, ok = change(root, actions[i].target, values[i], "", lengths); !ok {
			return nil, false
		}
	}
	return root.(map[string]any), true
}

// change sets what is at the path, nil removes it; it returns the changed container. lengths remembers how long each list was at
// first: beyond that a removal finds nothing.
func change(v any, p Path, to any, at string, lengths map[string]int) (any, bool) {
	last := len(p) == 1
	switch c := v.(type) {
	case map[string]any:
		if p[0].IsIndex {
			return nil, false
		}
		if last {
			if delete(c, p[0].Name); to != nil {
				c[p[0].Name] = to
			}
			return c, true
		}
		kid, ok := c[p[0].Name]
		if !ok {
			return nil, false
		}
		c[p[0].Name], ok = change(kid, p[1:], to, at+"."+p[0].Name, lengths)
		return c, ok
	case []any:
		if !p[0].IsIndex {
			return nil, false
		}
		if _, seen := lengths[at]; !seen {
			lengths[at] = len(c)
		}
		i := p[0].Index
		switch {
		case i >= lengths[at] && !last:
			return nil, false
		case i >= lengths[at] && to == nil:
			return c, true
		case i >= lengths[at]:
			return append(c, to), true
		case last && to == nil:
			return slices.Delete(c, i, i+1), true
		case last:
			c[i] = to
			return c, true
		}
		kid, ok := change(c[i], p[1:], to, fmt.Sprintf("%s[%d]", at, i), lengths)
		c[i] = kid
		return c, ok
	}
	return nil, false
}

func find(v any, p Path) (any, bool) {
	for _, s := range p {
		switch c := v.(type) {
		case map[string]any:
			next, ok := c[s.Name]
			if s.IsIndex || !ok {
				return nil, false
			}
			v = next
		case []any:
			if !s.IsIndex || s.Index >= len(c) {
				return nil, false
			}
			v = c[s.Index]
		default:
			return nil, false
		}
	}
	return v, true
}

func clone(v any) any {
	switch c := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(c))
		for k, e := range c {
			m[k] = clone(e)
		}
		return m
	case []any:
		l := make([]any, len(c))
		for i, e := range c {
			l[i] = clone(e)
		}
		return l
	}
	return v
}

func toItem(m map[string]any) attr.Item {
	var fields []attr.Field
	for k, v := range m {
		fields = append(fields, attr.Field{Name: k, Value: toValue(v)})
	}
	return attr.Make(fields...)
}

func toValue(v any) attr.Value {
	switch c := v.(type) {
	case map[string]any:
		return attr.Map(toItem(c))
	case []any:
		var elems []attr.Value
		for _, e := range c {
			elems = append(elems, toValue(e))
		}
		return attr.List(elems...)
	}
	return attr.String(v.(string))
}

// A generator makes items and updates that often fit them.
type generator struct{ *rand.Rand }

func (g generator) object(depth int) map[string]any {
	m := map[string]any{}
	for _, name := range []string{"a", "b", "c"} {
		if g.IntN(5) > 0 {
			m[name] = g.value(depth - 1)
		}
	}
	return m
}

func (g generator) value(depth int) any {
	switch n := g.IntN(6); {
	case depth == 0 || n < 2:
		return fmt.Sprintf("s%d", g.IntN(1000))
	case n < 4:
		return g.object(depth)
	}
	l := make([]any, g.IntN(5))
	for i := range l {
		l[i] = g.value(depth - 1)
	}
	return l
}

// path makes a path that mostly exists in v.
func (g generator) path(v any) Path {
	var p Path
	for {
		switch c := v.(type) {
		case map[string]any:
			name := string(rune('a' + g.IntN(3)))
			p, v = append(p, Step{Name: name}), c[name]
		case []any:
			i := g.IntN(len(c) + 2)
			p, v = append(p, Step{Index: i, IsIndex: true}), nil
			if i < len(c) {
				v = c[i]
			}
		default:
			if g.IntN(20) == 0 {
				p = append(p, Step{Name: "a"})
			}
			return p
		}
		if g.IntN(3) == 0 {
			return p
		}
	}
}

// actions makes actions whose targets do not clash.
func (g generator) actions(item map[string]any) []modelAction {
	var actions []modelAction
	var targets []Path
	for n := 1 + g.IntN(6); n > 0; n-- {
		a := modelAction{target: g.path(item)}
		if checkApart(append(slices.Clone(targets), a.target)) != "" {
			continue
		}
		if g.IntN(2) == 0 {
			if a.source = g.path(item); g.IntN(4) > 0 {
				for _, ok := find(item, a.source); !ok; _, ok = find(item, a.source) {
					a.source = g.path(item)
					if len(item) == 0 {
						break
					}
				}
			}
		}
		targets, actions = append(targets, a.target), append(actions, a)
	}
	return actions
}
