package attr

import (
	"math/rand/v2"
	"strings"
	"testing"
)

const tree = `{"a":{"S":"x"},"l":{"L":[{"N":"0"},{"M":{"k":{"N":"1"}}},{"N":"2"}]},"m":{"M":{"deep":{"M":{"b":{"N":"1"},"d":{"N":"2"}}},"s":{"SS":["a"]}}}}`

func TestNodeChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(n *Node)
		want   string
	}{
		{"nothing", func(*Node) {}, tree},
		{"looking", func(n *Node) { n.Attr("m").Attr("deep").Attr("b"); n.Attr("l").Elem(1).Attr("k") }, tree},
		{"set", func(n *Node) { n.SetAttr("a", Int(1)) }, strings.Replace(tree, `{"S":"x"}`, `{"N":"1"}`, 1)},
		{"add first", func(n *Node) { n.SetAttr("A", Null()) }, strings.Replace(tree, `{"a"`, `{"A":{"NULL":true},"a"`, 1)},
		{"add last", func(n *Node) { n.SetAttr("z", Null()) }, tree[:len(tree)-1] + `,"z":{"NULL":true}}`},
		{"remove", func(n *Node) { n.SetAttr("a", nil) }, strings.Replace(tree, `"a":{"S":"x"},`, "", 1)},
		{"remove what is not there", func(n *Node) { n.SetAttr("b", nil) }, tree},
		{"set and remove", func(n *Node) { n.SetAttr("b", Null()); n.SetAttr("b", nil) }, tree},
		{"deep set", func(n *Node) { n.Attr("m").Attr("deep").SetAttr("c", Null()) }, strings.Replace(tree, `"d"`, `"c":{"NULL":true},"d"`, 1)},
		{"deep remove", func(n *Node) { n.Attr("m").Attr("deep").SetAttr("d", nil) }, strings.Replace(tree, `,"d":{"N":"2"}`, "", 1)},
		{"empty a map", func(n *Node) { n.Attr("l").Elem(1).SetAttr("k", nil) }, strings.Replace(tree, `"k":{"N":"1"}`, "", 1)},
		{"set an element", func(n *Node) { n.Attr("l").SetElem(2, Null()) }, strings.Replace(tree, `{"N":"2"}]`, `{"NULL":true}]`, 1)},
		{"append", func(n *Node) { n.Attr("l").SetElem(9, Null()) }, strings.Replace(tree, `{"N":"2"}]`, `{"N":"2"},{"NULL":true}]`, 1)},
		{"remove beyond the end", func(n *Node) { n.Attr("l").SetElem(9, nil) }, tree},
		{"remove two", func(n *Node) { n.Attr("l").SetElem(0, nil); n.Attr("l").SetElem(1, nil) }, strings.Replace(tree, `{"N":"0"},{"M":{"k":{"N":"1"}}},`, "", 1)},
		{"remove and set beside", func(n *Node) { n.Attr("l").SetElem(0, nil); n.Attr("l").Elem(1).SetAttr("k", Null()) },
			strings.Replace(tree, `{"N":"0"},{"M":{"k":{"N":"1"}}}`, `{"M":{"k":{"NULL":true}}}`, 1)},
		{"a new map is entered", func(n *Node) { n.SetAttr("a", Map(Item{})); n.Attr("a").SetAttr("b", Null()) },
			strings.Replace(tree, `{"S":"x"}`, `{"M":{"b":{"NULL":true}}}`, 1)},
		{"a new list is entered", func(n *Node) { n.SetAttr("a", List()); n.Attr("a").SetElem(0, Null()) },
			strings.Replace(tree, `{"S":"x"}`, `{"L":[{"NULL":true}]}`, 1)},
		{"grow beyond a length of one byte", func(n *Node) { n.Attr("m").Attr("deep").SetAttr("b", String(strings.Repeat("x", 300))) },
			strings.Replace(tree, `"b":{"N":"1"}`, `"b":{"S":"`+strings.Repeat("x", 300)+`"}`, 1)},
	} {
		before := parseItem(t, tree)
		n := ThawItem(before)
		c.change(n)
		if after := Item(n.AppendItem(nil)); after.String() != c.want || !Valid(after) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, after, c.want)
		}
		if v := n.Value(); v.Type() != M || v.Item().String() != c.want {
			t.Errorf("%s: the value is %s", c.name, v)
		}
		if before.String() != tree {
			t.Fatalf("%s changed the item that was thawed", c.name)
		}
	}
}

// TestNodeAppendChanges holds that of a tree only what was set is shown, with its parents.
func TestNodeAppendChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(n *Node)
		want   string
	}{
		{"nothing", func(*Node) {}, `{}`},
		{"looking", func(n *Node) { n.Attr("m").Attr("deep"); n.Attr("l").Elem(1).Attr("k") }, `{}`},
		{"set", func(n *Node) { n.SetAttr("m", Int(1)) }, `{"m":{"N":"1"}}`},
		{"set to what it was", func(n *Node) { n.SetAttr("a", String("x")) }, `{"a":{"S":"x"}}`},
		{"remove", func(n *Node) { n.SetAttr("a", nil); n.Attr("l").SetElem(0, nil) }, `{}`},
		{"deep", func(n *Node) { n.Attr("m").Attr("deep").SetAttr("c", Null()) }, `{"m":{"M":{"deep":{"M":{"c":{"NULL":true}}}}}}`},
		{"an empty map", func(n *Node) { n.SetAttr("z", Map(Item{})) }, `{"z":{"M":{}}}`},
		{"elements", func(n *Node) { n.Attr("l").SetElem(9, Null()); n.Attr("l").Elem(1).SetAttr("k", Null()) },
			`{"l":{"L":[{"M":{"k":{"NULL":true}}},{"NULL":true}]}}`},
		{"remove and set", func(n *Node) { n.Attr("l").SetElem(0, nil); n.Attr("l").SetElem(2, Null()) }, `{"l":{"L":[{"NULL":true}]}}`},
	} {
		n := ThawItem(parseItem(t, tree))
		c.change(n)
		if it := Item(n.AppendChanges(nil)); it.String() != c.want || !Valid(it) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, it, c.want)
		}
	}
}

func TestNodeAccess(t *testing.T) {
	n := ThawItem(parseItem(t, tree))
	if n.Type() != M || n.Attr("l").Type() != L || n.Attr("a").Type() != S || n.Attr("l").Elem(1).Type() != M {
		t.Error("wrong types")
	}
	for what, got := range map[string]*Node{
		"a missing attribute": n.Attr("x"), "an attribute of a string": n.Attr("a").Attr("x"), "an attribute of a list": n.Attr("l").Attr("x"),
		"an element of a map": n.Elem(0), "an element beyond the end": n.Attr("l").Elem(3), "an attribute of nothing": n.Attr("x").Attr("y"),
		"an element of nothing": n.Attr("x").Elem(0),
	} {
		if got != nil || got.Type() != Missing || got.Value() != nil {
			t.Errorf("%s is %s", what, got.Value())
		}
	}
	l := n.Attr("l")
	l.SetElem(1, nil)
	if l.Elem(1) != nil || l.Elem(2).Value().String() != `{"N":"2"}` || l.Len() != 3 || n.Len() != 0 {
		t.Error("a removed element did not leave its place")
	}
	n.SetAttr("a", nil)
	if n.Attr("a") != nil {
		t.Error("a removed attribute is still there")
	}
	if Thaw(nil).Type() != Missing || len(Thaw(nil).AppendTo(nil)) != 0 {
		t.Error("nothing thaws to something")
	}
	if got := ThawItem(nil).Value().String(); got != `{"M":{}}` {
		t.Errorf("no item thaws to %s", got)
	}
}

// TestNodeKeepsHandles holds that a Node once returned goes on standing for its place.
func TestNodeKeepsHandles(t *testing.T) {
	n := Thaw(parseValue(t, `{"L":[{"M":{}},{"M":{}}]}`))
	first := n.Elem(0)
	for i := range 50 {
		n.SetElem(2+i, Null())
	}
	first.SetAttr("a", Null())
	if got := n.Value().Index(0).String(); got != `{"M":{"a":{"NULL":true}}}` {
		t.Errorf("the change was lost: %s", got)
	}
}

// TestNodeAgainstMerge changes random attributes of random maps in a document, once through a Node and once by rebuilding
// the maps about it.
func TestNodeAgainstMerge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		it := Make(Field{"c", Map(Item{})})
		n := ThawItem(it)
		for range 30 {
			path := make([]string, 1+rnd.IntN(4))
			for i := range path {
				path[i] = string(rune('a' + rnd.IntN(4)))
			}
			var v Value
			switch rnd.IntN(4) {
			case 0:
				v = Map(Item{})
			case 1, 2:
				v = Int(rnd.Int64N(1000))
			}
			parent := n
			for _, name := range path[:len(path)-1] {
				parent = parent.Attr(name)
			}
			if parent.Type() != M {
				continue
			}
			parent.SetAttr(path[len(path)-1], v)
			it = rebuilt(it, path, v)
			if got := Item(n.AppendItem(nil)); got.String() != it.String() || !Valid(got) {
				t.Fatalf("%v: %s, want %s", path, got, it)
			}
		}
	}
}

func rebuilt(it Item, path []string, v Value) Item {
	if len(path) > 1 {
		v = Map(rebuilt(it.Get(path[0]).Item(), path[1:], v))
	}
	return it.Merge([]Field{{path[0], v}})
}
