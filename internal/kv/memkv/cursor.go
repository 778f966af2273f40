package memkv

// A cursor is a place in a tree: at an entry, or beside all of them.
type cursor struct {
	path []place // from the root to a leaf; or only the root, beside its entries
	room [6]place
}

// A place is one of a node's entries, or beside them.
type place struct {
	*node
	at int
}

// end puts c behind all entries of t.
func (c *cursor) end(t *tree) {
	c.path = append(c.room[:0], place{t.root, len(t.root.entries)})
}

// seek puts c between those entries of t that are less than key and the others; the step that follows has the given direction.
func (c *cursor) seek(t *tree, key string, backwards bool) {
	c.path = c.room[:0]
	for n := t.root; ; {
		at, found := n.search(0, key)
		p := place{n, at}
		if n.kids == nil {
			if !backwards {
				p.at--
			}
			c.path = append(c.path, p)
			return
		}
		if !found {
			p.at = max(p.at-1, 0)
		}
		c.path = append(c.path, p)
		n = n.kids[p.at]
	}
}

// step moves c to the next entry or, backwards, to the one before, and reports whether there is one.
func (c *cursor) step(backwards bool) bool {
	by := 1
	if backwards {
		by = -1
	}
	for depth := len(c.path) - 1; depth >= 0; depth-- {
		p := &c.path[depth]
		if p.at += by; p.at >= 0 && p.at < len(p.entries) {
			c.path = c.path[:depth+1]
			c.descend(backwards)
			return true
		}
	}
	return false
}

// descend moves c to the first leaf under its node or, backwards, to the last.
func (c *cursor) descend(backwards bool) {
	for {
		last := &c.path[len(c.path)-1]
		if last.kids == nil {
			return
		}
		p := place{node: last.kids[last.at]}
		if backwards {
			p.at = len(p.entries) - 1
		}
		c.path = append(c.path, p)
	}
}

// entry returns the entry that c is at.
func (c *cursor) entry() entry {
	p := &c.path[len(c.path)-1]
	return p.entries[p.at]
}

// find returns the cell of a key, nil if there is none.
func (t *tree) find(key string) *cell {
	for n := t.root; ; {
		at, found := n.search(0, key)
		switch {
		case n.kids != nil && found:
			n = n.kids[at]
		case n.kids != nil:
			n = n.kids[max(at-1, 0)]
		case found:
			return n.entries[at].cell
		default:
			return nil
		}
	}
}
