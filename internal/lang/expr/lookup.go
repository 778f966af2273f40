package expr

import (
	"slices"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// maxWalk is how many bytes of an item may be walked over to look up all paths one by one: each is a walk from the item's
// beginning. Where it would be more, all are found in one walk.
const maxWalk = 64 << 10

// on returns the binding to evaluate with against an item: b, or in space one that has found what the paths lead to.
func (b *binding) on(it attr.Item, space *binding) *binding {
	if len(b.paths)*len(it) <= maxWalk || len(b.paths) == 1 {
		return b
	}
	*space = *b
	space.found = make([]attr.Value, len(b.paths))
	order := make([]int, len(b.paths))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return comparePaths(b.paths[i], b.paths[j]) })
	space.findIn(it, b.trails(order, 0))
	return space
}

// at returns what stands at the path with that index, nil if nothing does.
func (b *binding) at(index int, it attr.Item) attr.Value {
	if b.found != nil {
		return b.found[index]
	}
	return b.paths[index].lookup(it)
}

// A trail is what paths lead through: a step, the indexes of the paths that end there, and the trails that go on, in ascending
// order, those to elements of a list first.
type trail struct {
	step Step
	ends []int
	next []trail
}

// trails returns the trails of paths from the given depth on. REQUIRES: order is their indexes in ascending order of the paths,
// all of which are longer than that.
func (b *binding) trails(order []int, depth int) (list []trail) {
	for len(order) > 0 {
		step, same, ended := b.paths[order[0]][depth], 0, 0
		for same < len(order) && b.paths[order[same]][depth] == step {
			if len(b.paths[order[same]]) == depth+1 {
				ended++ // what is shorter comes first
			}
			same++
		}
		list = append(list, trail{step, order[:ended], b.trails(order[ended:same], depth+1)})
		order = order[same:]
	}
	return list
}

// findIn notes what the trails lead to in an item or map.
func (b *binding) findIn(it attr.Item, trails []trail) {
	for name, v := range it.All() {
		for len(trails) > 0 && trails[0].step.Name < string(name) {
			trails = trails[1:]
		}
		if len(trails) == 0 {
			return
		}
		if trails[0].step.Name == string(name) {
			b.find(v, &trails[0])
		}
	}
}

// findAmong notes what the trails lead to in a list.
func (b *binding) findAmong(list attr.Value, trails []trail) {
	i := 0
	for v := range list.Elems() {
		if len(trails) == 0 {
			return
		}
		if trails[0].step.Index == i {
			b.find(v, &trails[0])
			trails = trails[1:]
		}
		i++
	}
}

// find notes the value that a trail has come to, and where it leads in it.
func (b *binding) find(v attr.Value, t *trail) {
	for _, i := range t.ends {
		b.found[i] = v
	}
	named := 0
	for named < len(t.next) && t.next[named].step.IsIndex {
		named++
	}
	switch v.Type() {
	case attr.L:
		b.findAmong(v, t.next[:named])
	case attr.M:
		b.findIn(v.Item(), t.next[named:])
	}
}
