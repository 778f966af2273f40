package expr

import "github.com/grammedb/gramme/internal/lang/attr"

// A builder makes trees without a text, together with what their indexes stand for.
type builder struct{ binding }

func (b *builder) path(p Path) node {
	b.paths = append(b.paths, p)
	return node{op: opPath, index: len(b.paths) - 1}
}

func (b *builder) attribute(name string) node { return b.path(Path{{Name: name}}) }

func (b *builder) value(v attr.Value) node {
	b.values = append(b.values, v)
	return node{op: opValue, index: len(b.values) - 1}
}

// join makes one node of several conditions. REQUIRES: at least one.
func (b *builder) join(o op, conds []node) *node {
	if len(conds) == 1 {
		return &conds[0]
	}
	return &node{op: o, args: conds}
}
