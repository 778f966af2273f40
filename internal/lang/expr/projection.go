package expr

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Projection is a bound projection expression. It is immutable.
type Projection struct {
	paths []Path
	roots []branch
}

// A branch is what paths lead through: a step and the steps that follow it, in ascending order. A branch without any is
// the end of a path, where everything is taken.
type branch struct {
	step Step
	next []branch
}

// newProjection checks the paths of a projection expression.
func newProjection(p *parsed, to binding) (*Projection, error) {
	if p.projection != nil {
		return p.projection, nil
	}
	if fault := checkApart(to.paths); fault != "" {
		return nil, p.kind.fault(fault)
	}
	return project(to.paths), nil
}

// project returns the projection of the paths. REQUIRES: none is another, or below or above another.
func project(paths []Path) *Projection {
	sorted := paths
	if !slices.IsSortedFunc(paths, comparePaths) {
		sorted = slices.SortedFunc(slices.Values(paths), comparePaths)
	}
	return &Projection{paths: paths, roots: branches(sorted, 0)}
}

// branches returns the tree of the paths from the given depth on. REQUIRES: they are sorted and longer than that.
func branches(paths []Path, depth int) []branch {
	tree := make([]branch, 0, len(paths))
	for len(paths) > 0 {
		step, same := paths[0][depth], 1
		for same < len(paths) && paths[same][depth] == step {
			same++
		}
		b := branch{step: step}
		if len(paths[0]) > depth+1 {
			b.next = branches(paths[:same], depth+1)
		}
		tree = append(tree, b)
		paths = paths[same:]
	}
	return tree
}

// Paths returns the projected paths.
func (p *Projection) Paths() []Path { return p.paths }

// Apply returns the projected paths of it with their parents: empty if none exists, nil only for nil.
func (p *Projection) Apply(it attr.Item) attr.Item {
	if it == nil {
		return nil
	}
	return p.AppendTo(attr.Item{}, it)
}

// AppendTo appends the projected item to dst.
func (p *Projection) AppendTo(dst []byte, it attr.Item) []byte { return appendTaken(dst, it, p.roots) }

// appendTaken appends the attributes that the branches take of it. Both are in order of the names.
func appendTaken(dst []byte, it attr.Item, tree []branch) []byte {
	for name, v := range it.All() {
		tree = from(tree, name)
		if len(tree) == 0 {
			break
		}
		if tree[0].step.Name != string(name) {
			continue
		}
		if taken := tree[0].take(v); taken != nil {
			dst = append(binary.AppendUvarint(dst, uint64(len(name))), name...)
			dst = append(dst, taken...)
		}
	}
	return dst
}

// from returns the branches from the name on. A long tree, which AttributesToGet can be, is not walked for each of many items.
func from(tree []branch, name []byte) []branch {
	const few = 8
	if len(tree) > few && tree[few].step.Name < string(name) {
		n, _ := slices.BinarySearchFunc(tree, name, func(b branch, name []byte) int { return strings.Compare(b.step.Name, string(name)) })
		return tree[n:]
	}
	for len(tree) > 0 && tree[0].step.Name < string(name) {
		tree = tree[1:]
	}
	return tree
}

// take returns what the branch takes of a value, nil for nothing. Elements of lists are packed.
func (b *branch) take(v attr.Value) attr.Value {
	switch {
	case len(b.next) == 0:
		return v
	case b.next[0].step.IsIndex && v.Type() == attr.L:
		if elems := takeElems(v, b.next); elems != nil {
			return attr.List(elems...)
		}
	case !b.next[0].step.IsIndex && v.Type() == attr.M:
		if it := appendTaken(nil, v.Item(), b.next); it != nil {
			return attr.Map(it)
		}
	}
	return nil
}

func takeElems(list attr.Value, tree []branch) []attr.Value {
	var taken []attr.Value
	i := 0
	for e := range list.Elems() {
		if len(tree) == 0 {
			break
		}
		if tree[0].step.Index == i {
			if v := tree[0].take(e); v != nil {
				taken = append(taken, v)
			}
			tree = tree[1:]
		}
		i++
	}
	return taken
}
