package expr

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Path is a document path with its placeholders resolved: a top-level attribute, then map keys and list indexes.
type Path []Step

// A Step is one element of a Path: the name of an attribute or map key, or an index into a list.
type Step struct {
	Name    string
	Index   int
	IsIndex bool
}

// String returns the path as error texts print it: [a, b, [0]].
func (p Path) String() string {
	steps := make([]string, len(p))
	for i, s := range p {
		if s.IsIndex {
			steps[i] = "[" + strconv.Itoa(s.Index) + "]"
		} else {
			steps[i] = s.Name
		}
	}
	return "[" + strings.Join(steps, ", ") + "]"
}

// lookup returns what stands at the path, nil if nothing does; it aliases it.
func (p Path) lookup(it attr.Item) attr.Value {
	v := it.Get(p[0].Name)
	for i := 1; i < len(p); i++ {
		s := &p[i]
		switch {
		case s.IsIndex && v.Type() == attr.L:
			v = v.Index(s.Index)
		case !s.IsIndex && v.Type() == attr.M:
			v = v.Item().Get(s.Name)
		default:
			return nil
		}
	}
	return v
}

// comparePaths orders paths so that a path stands right before those below it, and the elements of one list by their indexes.
func comparePaths(a, b Path) int { return slices.CompareFunc(a, b, compareSteps) }

func compareSteps(a, b Step) int {
	switch {
	case a.IsIndex && b.IsIndex:
		return cmp.Compare(a.Index, b.Index)
	case a.IsIndex:
		return -1
	case b.IsIndex:
		return 1
	}
	return strings.Compare(a.Name, b.Name)
}

// fewPaths is up to where comparing all pairs of paths is cheaper than sorting them.
const fewPaths = 8

// checkApart returns the tail of an error text if two of the paths are equal or one is below another, or if they use one
// place as a map and as a list.
func checkApart(paths []Path) string {
	if len(paths) > fewPaths && !clashing(paths) {
		return ""
	}
	for i, later := range paths {
		for _, earlier := range paths[:i] {
			if how := clash(earlier, later); how != "" {
				return "Two document paths " + how + " with each other; must remove or rewrite one of these paths; path one: " +
					earlier.String() + ", path two: " + later.String()
			}
		}
	}
	return ""
}

// clashing reports whether two of the paths clash. In order of the paths such two, if any, are neighbours.
func clashing(paths []Path) bool {
	sorted := slices.SortedFunc(slices.Values(paths), comparePaths)
	for i, p := range sorted[1:] {
		if clash(sorted[i], p) != "" {
			return true
		}
	}
	return false
}

// clash tells what two paths do with each other if they cannot both be used.
func clash(a, b Path) string {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i].IsIndex != b[i].IsIndex:
			return "conflict"
		case a[i] != b[i]:
			return ""
		}
	}
	return "overlap"
}
