package expr

import "github.com/grammedb/gramme/internal/lang/attr"

// fewComparisons is up to where a tree of comparisons is evaluated faster than a junction of them.
const fewComparisons = 8

// A junction is comparisons of different top-level attributes that are joined by AND or OR, which is what the legacy parameters
// make. A request can bring a hundred thousand of them for a page of as many items. So it is evaluated by the attributes that
// an item has, and of the comparisons of all others it is only known how many decide the matter.
type junction struct {
	comparisons map[string]comparison // by the attribute's name
	any         bool                  // what decides: with OR that one holds, with AND that one does not
	missing     int                   // how many of them decide where the attribute is missing
}

type comparison struct {
	root    *node
	missing bool // whether it holds where the attribute is missing
}

// newJunction joins comparisons, each of the attribute of the same place in names. REQUIRES: the names are different.
func (b *binding) newJunction(joint op, names []string, nodes []node) *junction {
	j := &junction{comparisons: make(map[string]comparison, len(names)), any: joint == opOr}
	for i, name := range names {
		c := comparison{root: &nodes[i], missing: b.holds(&nodes[i], nil)}
		j.comparisons[name] = c
		if c.missing == j.any {
			j.missing++
		}
	}
	return j
}

// decide reports whether the junction holds.
func (b *binding) decide(j *junction, it attr.Item) bool {
	missing := j.missing
	for name, alone := range it.Split() {
		c, ok := j.comparisons[string(name)]
		if !ok {
			continue
		}
		if b.holds(c.root, alone) == j.any {
			return j.any
		}
		if c.missing == j.any {
			missing--
		}
	}
	return (missing > 0) == j.any
}

// junctionWork counts the comparisons that are not small: of the others an item meets few.
func (b *binding) junctionWork(j *junction) int {
	steps := fewComparisons
	for _, c := range j.comparisons {
		steps += max(0, b.work(c.root)-fewComparisons)
	}
	return steps
}
