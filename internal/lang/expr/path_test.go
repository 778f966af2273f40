package expr

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPathString(t *testing.T) {
	name, index := func(s string) Step { return Step{Name: s} }, func(i int) Step { return Step{Index: i, IsIndex: true} }
	tests := map[string]Path{
		"[]":                  nil,
		"[a]":                 {name("a")},
		"[a, b]":              {name("a"), name("b")},
		"[a, b, [0]]":         {name("a"), name("b"), index(0)},
		"[a.b, [12], [3], c]": {name("a.b"), index(12), index(3), name("c")},
	}
	for want, p := range tests {
		if got := p.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestClash(t *testing.T) {
	tests := []struct{ a, b, want string }{
		{"a", "b", ""},
		{"a", "a", "overlap"},
		{"a", "a.b", "overlap"},
		{"a.b.c", "a", "overlap"},
		{"a.b", "a.c", ""},
		{"a.b", "b.a", ""},
		{"a[0]", "a[1]", ""},
		{"a[0]", "a[0]", "overlap"},
		{"a[0]", "a[0].b", "overlap"},
		{"a[0]", "a.b", "conflict"},
		{"a.b[0].c", "a.b.c", "conflict"},
		{"a[0].b", "a[1].b", ""},
		{"a[0].b", "a[1][0]", ""},
		{"a[0].b", "a[0][0]", "conflict"},
	}
	for _, tt := range tests {
		a, b := parsePath(t, tt.a), parsePath(t, tt.b)
		if got := clash(a, b); got != tt.want || clash(b, a) != tt.want {
			t.Errorf("%s and %s: %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
}

func parsePath(t testing.TB, text string) Path {
	t.Helper()
	p, err := parse(updateKind, "REMOVE "+text)
	if err != nil {
		t.Fatal(err)
	}
	return p.paths[0]
}

// TestCheckApart compares the quick way, which sorts, with comparing all pairs.
func TestCheckApart(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	randomPath := func() Path {
		p := Path{{Name: string(rune('a' + rnd.IntN(8)))}}
		for rnd.IntN(3) > 0 {
			if rnd.IntN(4) == 0 {
				p = append(p, Step{Index: rnd.IntN(12), IsIndex: true})
			} else {
				p = append(p, Step{Name: string(rune('a' + rnd.IntN(8)))})
			}
		}
		return p
	}
	seen := map[bool]int{}
	for range 3000 {
		paths := make([]Path, rnd.IntN(2*fewPaths))
		for i := range paths {
			paths[i] = randomPath()
		}
		want := false
		for i, p := range paths {
			want = want || slices.ContainsFunc(paths[:i], func(q Path) bool { return clash(p, q) != "" })
		}
		if got := checkApart(paths) != ""; got != want {
			t.Fatalf("%v: %v, want %v", paths, got, want)
		}
		seen[want]++
	}
	if seen[true] < 300 || seen[false] < 300 {
		t.Fatalf("one-sided: %v", seen)
	}
}

func TestComparePathsIsAnOrder(t *testing.T) {
	ordered := []string{"a", "a[0]", "a[0][1]", "a[0].b", "a[2]", "a[10]", "a.a", "a.a[3]", "a.a.a", "a.b", "b", "b[1]", "c.a"}
	for i, x := range ordered {
		for j, y := range ordered {
			got := comparePaths(parsePath(t, x), parsePath(t, y))
			if (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s, %s: %d", x, y, got)
			}
		}
	}
}
