package memkv

import "slices"

// A tree is a B+ tree of cells. It takes many changes at once, in the order of their keys: those to one leaf share the way there and the
// cache misses on it. Its cells are never changed, only replaced, so that it may be handed out. A snapshot costs nothing: it
// shares its nodes with the tree, which copies those that it changes from then on.
type tree struct {
	root *node
	age  uint64  // of the nodes that are in no snapshot
	made []child // while it is changed: a stack of the nodes that parents are to be made of
}

// A node of a tree. Only the root may be empty.
type node struct {
	age     uint64
	entries []entry // of a leaf its cells, else the first under each kid
	kids    []*node // of a leaf none
	prefix  string  // if not empty, the digests are of what follows it in the keys, which all have it; only of leaves
	lowest  entry   // what first has returned
}

// A child is a node with the first entry under it, so that its parent need not look for that.
type child struct {
	first entry
	*node
}

const (
	nodeMost = 64 // entries of a node
	nodeMean = 48 // of those into which one is split
	nodeFew  = 16 // of one that joins the one before
)

func newTree() *tree { return &tree{root: new(node)} }

// snapshot returns the tree as it is now.
func (t *tree) snapshot() *tree {
	t.age++
	return &tree{root: t.root}
}

// apply makes changes of different keys, which are in their order.
func (t *tree) apply(changes []change) {
	if len(changes) == 0 {
		return
	}
	t.change(t.root, changes)
	for len(t.made) > 1 {
		t.give(t.adopt(&node{age: t.age}, 0))
	}
	if t.root = (&node{age: t.age}); len(t.made) > 0 {
		t.root = t.made[0].node
	}
	for len(t.root.kids) == 1 {
		t.root = t.root.kids[0]
	}
	clear(t.made[:cap(t.made)]) // for the garbage collector
	t.made = t.made[:0]
}

// change gives what a node becomes by changes to what is under it: one node mostly, or several, or none.
func (t *tree) change(n *node, changes []change) {
	if n.kids == nil {
		t.changeLeaf(n, changes)
		return
	}
	base := len(t.made)
	for i, kid := range n.kids {
		its := len(changes)
		if i+1 < len(n.kids) {
			its = before(changes, n.entries[i+1])
		}
		if its == 0 {
			t.made = append(t.made, child{n.entries[i], kid})
			continue
		}
		t.change(kid, changes[:its])
		t.join(base)
		changes = changes[its:]
	}
	t.give(t.adopt(t.own(n), base))
}

func (t *tree) changeLeaf(n *node, changes []change) {
	n = t.own(n)
	at := 0
	for i := range changes {
		c := &changes[i]
		found := false
		at, found = n.search(at, c.key())
		switch {
		case found && c.gone:
			n.entries = slices.Delete(n.entries, at, at+1)
		case found:
			n.entries[at].cell = c.cell
		case c.gone:
		case len(n.entries) == nodeMost:
			t.changeFull(n, changes[i:], at)
			return
		default:
			n.insert(at, c.cell)
		}
	}
	t.give(n)
}

// changeFull is changeLeaf for a full leaf and changes of which the first is to be put at a place. Keys that come in ascending order fill
// leaf after leaf; others need room everywhere.
func (t *tree) changeFull(n *node, changes []change, at int) {
	if at == nodeMost {
		right := t.piece(n, at, at)
		n.sharpen()
		t.give(n)
		t.changeLeaf(right, changes)
		return
	}
	const middle = nodeMost / 2
	right := t.piece(n, middle, nodeMost)
	n.entries = slices.Delete(n.entries, middle, nodeMost)
	n.sharpen()
	right.sharpen()
	left := before(changes, right.first())
	t.changeLeaf(n, changes[:left])
	t.changeLeaf(right, changes[left:])
}

// adopt makes the nodes from base on the kids of n, in the place of those that it has.
func (t *tree) adopt(n *node, base int) *node {
	clear(n.entries)
	clear(n.kids)
	n.entries, n.kids = n.entries[:0], n.kids[:0]
	for _, c := range t.made[base:] {
		n.entries, n.kids = append(n.entries, c.first), append(n.kids, c.node)
	}
	t.made = t.made[:base]
	return n
}

// give puts n on the stack, in pieces if it is too large; not if it is empty.
func (t *tree) give(n *node) {
	total := len(n.entries)
	if total == 0 {
		return
	}
	if total <= nodeMost {
		t.made = append(t.made, child{n.first(), n})
		return
	}
	pieces := (total + nodeMean - 1) / nodeMean
	for i := range pieces {
		p := t.piece(n, i*total/pieces, (i+1)*total/pieces)
		t.made = append(t.made, child{p.first(), p})
	}
}

// join makes one node of the last two from base on if they have become small.
func (t *tree) join(base int) {
	last := len(t.made) - 1
	if last <= base || len(t.made[last].entries) > nodeFew {
		return
	}
	n, m := t.made[last-1].node, t.made[last].node
	if len(n.entries)+len(m.entries) > nodeMean {
		return
	}
	n = t.own(n)
	n.widen(m.prefix)
	for _, e := range m.entries {
		n.entries = append(n.entries, entry{n.digest(e.key()), e.cell})
	}
	n.kids = append(n.kids, m.kids...)
	t.made[last-1].node = n
	t.made = t.made[:last]
}

// before returns how many of the changes come before an entry.
func before(changes []change, e entry) int {
	for i := range changes {
		if !less(changes[i].entry, e) {
			return i
		}
	}
	return len(changes)
}

// own returns n, or a copy of it if a snapshot has it.
func (t *tree) own(n *node) *node {
	if n.age == t.age {
		return n
	}
	return t.piece(n, 0, len(n.entries))
}

// piece returns a copy of a part of n.
func (t *tree) piece(n *node, from, to int) *node {
	p := &node{age: t.age, prefix: n.prefix, entries: append(make([]entry, 0, nodeMost), n.entries[from:to]...)}
	if n.kids != nil {
		p.kids = append(make([]*node, 0, nodeMost), n.kids[from:to]...)
	}
	return p
}
