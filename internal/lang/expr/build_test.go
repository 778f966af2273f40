package expr

import (
	"slices"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

func path(names ...string) Path {
	var p Path
	for _, n := range names {
		p = append(p, Step{Name: n})
	}
	return p
}

// op is Op where the name is known to be right.
func (b *Builder) op(t *testing.T, name string, operands ...Node) Node {
	t.Helper()
	n, err := b.Op(name, operands...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestBuilderCondition builds a condition and evaluates it.
func TestBuilderCondition(t *testing.T) {
	var b Builder
	n := b.op(t, "AND",
		b.op(t, "=", b.Path(path("m", "x")), b.Value(attr.Int(1))),
		b.op(t, "NOT", b.op(t, "attribute_exists", b.Attribute("d.o.t"))),
		b.op(t, "BETWEEN", b.op(t, "size", b.Attribute("s")), b.Value(attr.Int(2)), b.Value(attr.Int(3))),
		b.op(t, "IN", b.Attribute("s"), b.Value(attr.String("x")), b.Value(attr.String("abc"))),
	)
	c, err := b.Condition(n)
	if err != nil {
		t.Fatal(err)
	}
	for item, want := range map[string]bool{
		`{"m":{"M":{"x":{"N":"1"}}},"s":{"S":"abc"}}`:                       true,
		`{"m":{"M":{"x":{"N":"2"}}},"s":{"S":"abc"}}`:                       false,
		`{"m":{"M":{"x":{"N":"1"}}},"s":{"S":"abd"}}`:                       false,
		`{"m":{"M":{"x":{"N":"1"}}},"s":{"S":"abc"},"d.o.t":{"BOOL":true}}`: false,
	} {
		if got := c.Eval(parseItem(t, item)); got != want {
			t.Errorf("%s: %v", item, got)
		}
	}
	if got := len(slices.Collect(c.Paths())); got != 4 {
		t.Errorf("%d paths", got)
	}
}

// TestBuilderKnowsEveryOp names everything that an expression can contain.
func TestBuilderKnowsEveryOp(t *testing.T) {
	var b Builder
	for _, name := range []string{
		"AND", "OR", "NOT", "=", "<>", "<", "<=", ">", ">=", "BETWEEN", "IN", "+", "-", "size", "attribute_exists",
		"attribute_not_exists", "attribute_type", "begins_with", "contains", "if_not_exists", "list_append",
	} {
		if n := b.op(t, name); traits[n.node.op].name != name {
			t.Errorf("%s is taken for %s", name, traits[n.node.op].name)
		}
	}
	for _, name := range []string{"", "SIZE", "==", "foo"} {
		_, err := b.Op(name)
		checkError(t, err, "Invalid function name; function: "+name)
	}
}

// TestBuilderChecks checks that faults that depend on values and paths are found, and come without a prefix.
func TestBuilderChecks(t *testing.T) {
	var b Builder
	_, err := b.Condition(b.op(t, "<", b.Attribute("a"), b.Value(attr.Boolean(true))))
	checkError(t, err, "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL")
	_, err = b.Condition(b.op(t, "contains", b.Attribute("a")))
	checkError(t, err, "Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1")

	const notThisWay = "The function is not allowed to be used this way in an expression; function: "
	_, err = b.Condition(b.op(t, "size", b.Attribute("a")))
	checkError(t, err, notThisWay+"size")
	_, err = b.Condition(b.op(t, "NOT", b.op(t, "=", b.op(t, "if_not_exists", b.Attribute("a"), b.Attribute("b")), b.Attribute("c"))))
	checkError(t, err, notThisWay+"if_not_exists")
	_, err = b.Condition(b.op(t, "=", b.op(t, "contains", b.Attribute("a"), b.Attribute("b")), b.Attribute("c")))
	checkError(t, err, notThisWay+"contains")
	_, err = b.Condition(b.op(t, "AND", b.op(t, "size", b.Attribute("a")), b.op(t, "=", b.Attribute("a"), b.Attribute("b"))))
	checkError(t, err, notThisWay+"size")

	b = Builder{}
	b.Set(path("a"), b.op(t, "size", b.Attribute("a")))
	_, err = b.Update()
	checkError(t, err, notThisWay+"size")

	b = Builder{}
	b.Set(path("a"), b.op(t, "+", b.op(t, "+", b.Attribute("a"), b.Attribute("b")), b.Attribute("c")))
	_, err = b.Update()
	checkError(t, err, notThisWay+"+")

	b = Builder{}
	b.Add(path("a"), attr.String("x"))
	_, err = b.Update()
	checkError(t, err, "Incorrect operand type for operator or function; operator: ADD, operand type: STRING")

	b = Builder{}
	b.Remove(path("a"))
	b.Set(path("a", "b"), b.Value(attr.Int(1)))
	_, err = b.Update()
	const overlap = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]"
	checkError(t, err, overlap)

	_, err = ProjectionOf([]Path{path("a"), path("a", "b")})
	checkError(t, err, overlap)
}

// TestBuilderUpdate builds an update with every verb.
func TestBuilderUpdate(t *testing.T) {
	var b Builder
	b.Set(path("n"), b.op(t, "+", b.Attribute("n"), b.Value(attr.Int(1))))
	b.Set(path("l"), b.op(t, "list_append", b.op(t, "if_not_exists", b.Attribute("l"), b.Value(attr.List())), b.Value(attr.List(attr.Int(7)))))
	b.Remove(path("gone"))
	b.Add(path("count"), attr.Int(2))
	ss, err := attr.Set(attr.SS, attr.String("x"))
	if err != nil {
		t.Fatal(err)
	}
	b.Delete(path("m", "ss"), ss)
	u, err := b.Update()
	if err != nil {
		t.Fatal(err)
	}
	got, err := u.Apply(parseItem(t, `{"n":{"N":"1"},"gone":{"S":"x"},"m":{"M":{"ss":{"SS":["x","y"]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"count":{"N":"2"},"l":{"L":[{"N":"7"}]},"m":{"M":{"ss":{"SS":["y"]}}},"n":{"N":"2"}}`; got.String() != want {
		t.Errorf("got %s", got)
	}
	if u.OnlyRemoves() || len(u.Targets()) != 5 {
		t.Errorf("only removes: %v; targets %v", u.OnlyRemoves(), u.Targets())
	}
}

func TestProjectionOf(t *testing.T) {
	p, err := ProjectionOf([]Path{path("m", "x"), path("a")})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Apply(parseItem(t, `{"a":{"S":"1"},"b":{"S":"2"},"m":{"M":{"x":{"S":"3"},"y":{"S":"4"}}}}`)).String(); got != `{"a":{"S":"1"},"m":{"M":{"x":{"S":"3"}}}}` {
		t.Errorf("got %s", got)
	}
}
