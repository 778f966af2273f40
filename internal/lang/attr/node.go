package attr

import "slices"

// A Node is a value under change. Thawing costs nothing: of a map or list only what a path leads through is taken apart,
// all the rest stays the bytes it was and is copied when the value is frozen again.
//
// Positions in a list stay what they were: a removed element leaves its place, which is gone in the frozen value.
type Node struct {
	value Value            // what it was, unless a map; nil of a removed one
	item  Item             // of a map: the attributes it had; nil of all others
	attrs map[string]*Node // of a map: those attributes that were asked for or changed
	elems []*Node          // of a list: its elements, once one was asked for or changed
	set   bool             // it was put where it is by SetAttr or SetElem
}

// Thaw returns a Node of v. nil makes one of type Missing.
func Thaw(v Value) *Node {
	n := thawed(v)
	return &n
}

func thawed(v Value) Node {
	if v.Type() == M {
		return Node{item: v.Item()}
	}
	return Node{value: v}
}

// ThawItem returns a Node of the map with the attributes of it.
func ThawItem(it Item) *Node {
	if it == nil {
		it = Item{}
	}
	return &Node{item: it}
}

// Type returns the type of n, Missing if n was removed or is nil.
func (n *Node) Type() Type {
	switch {
	case n == nil:
		return Missing
	case n.item != nil:
		return M
	}
	return n.value.Type()
}

// Attr returns the attribute of a map, nil if there is none or n is no map.
func (n *Node) Attr(name string) *Node {
	if n.Type() != M {
		return nil
	}
	child, ok := n.attrs[name]
	if !ok {
		v := n.item.Get(name)
		if v == nil {
			return nil
		}
		child = Thaw(v)
		n.put(name, child)
	}
	return child.present()
}

// Elem returns element i of a list, nil if there is none or n is no list.
func (n *Node) Elem(i int) *Node {
	if n.Type() != L {
		return nil
	}
	if n.openList(); i >= len(n.elems) {
		return nil
	}
	return n.elems[i].present()
}

// Len counts the positions of a list, 0 if n is no list.
func (n *Node) Len() int {
	if n.Type() != L {
		return 0
	}
	n.openList()
	return len(n.elems)
}

// SetAttr sets the attribute of a map; nil removes it. REQUIRES: n is a map.
func (n *Node) SetAttr(name string, v Value) { n.put(name, changed(v)) }

// SetElem sets element i of a list, or appends one if i is beyond the last position; nil removes it. REQUIRES: n is a list.
func (n *Node) SetElem(i int, v Value) {
	if n.openList(); i < len(n.elems) {
		n.elems[i] = changed(v)
	} else if v != nil {
		n.elems = append(n.elems, changed(v))
	}
}

func changed(v Value) *Node {
	n := Thaw(v)
	n.set = true
	return n
}

func (n *Node) put(name string, child *Node) {
	if n.attrs == nil {
		n.attrs = make(map[string]*Node)
	}
	n.attrs[name] = child
}

// present returns n, nil if it was removed.
func (n *Node) present() *Node {
	if n.Type() == Missing {
		return nil
	}
	return n
}

func (n *Node) openList() {
	if n.elems != nil {
		return
	}
	nodes := make([]Node, n.value.Len())
	n.elems = make([]*Node, 0, len(nodes)+1)
	for e := range n.value.Elems() {
		child := &nodes[len(n.elems)]
		*child = thawed(e)
		n.elems = append(n.elems, child)
	}
}

// AppendTo appends the frozen value to dst, nothing if n was removed.
func (n *Node) AppendTo(dst []byte) []byte {
	switch {
	case n.item != nil:
		dst = open(dst, M)
		content := len(dst)
		return seal(n.AppendItem(dst), content)
	case n.elems != nil:
		dst = open(dst, L)
		content := len(dst)
		for _, e := range n.elems {
			dst = e.AppendTo(dst)
		}
		return seal(dst, content)
	}
	return append(dst, n.value...)
}

// AppendItem appends the frozen attributes to dst. REQUIRES: n is a map.
func (n *Node) AppendItem(dst []byte) []byte {
	rest := []byte(n.item)
	for _, name := range n.names() {
		dst, rest = appendBelow(dst, rest, name)
		if child := n.attrs[name]; child.Type() != Missing {
			dst = child.AppendTo(appendName(dst, name))
		}
	}
	return append(dst, rest...)
}

// names returns the names of those attributes that were asked for or changed, in ascending order.
func (n *Node) names() []string {
	names := make([]string, 0, len(n.attrs)) // most nodes have none, and then this costs nothing
	for name := range n.attrs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// AppendChanges appends to dst, frozen, what was set below n, with the maps and lists that lead there and nothing else in
// them. What was removed is left out. REQUIRES: n is a map.
func (n *Node) AppendChanges(dst []byte) []byte {
	for _, name := range n.names() {
		if v := n.attrs[name].changes(); v != nil {
			dst = append(appendName(dst, name), v...)
		}
	}
	return dst
}

// changes returns n as AppendChanges shows it, nil if nothing was set in it.
func (n *Node) changes() Value {
	switch {
	case n.set:
		return n.Value()
	case n.item != nil:
		if it := n.AppendChanges(nil); it != nil {
			return Map(it)
		}
	case n.elems != nil:
		var set []Value
		for _, e := range n.elems {
			if v := e.changes(); v != nil {
				set = append(set, v)
			}
		}
		if set != nil {
			return List(set...)
		}
	}
	return nil
}

// Value returns the frozen value, nil if n was removed or is nil.
func (n *Node) Value() Value {
	switch {
	case n == nil:
		return nil
	case n.item == nil && n.elems == nil:
		return n.value
	}
	return n.AppendTo(make(Value, 0, len(n.value)+len(n.item)+16))
}
