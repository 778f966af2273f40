package model

import (
	"slices"
	"strings"
)

// Values of keys and index keys are few, so that operations meet, and chosen to disturb orders and escapes.
var (
	someTexts = []string{"a", "b", "ab", "abc", "a\x00", "a\x00b", "é", "\U0001F600", "z"}
	someInts  = []int64{0, 1, 2, -1, -2, 10, 100, -100, 12345678901, -10}
	someBytes = []string{"00", "0000", "00ff", "01", "ff", "ffff", "ff00", "0001"}
)

// scalar makes a value of a type that keys have.
func (g *generator) scalar(t string) Value {
	switch t {
	case "S":
		return str(pick(g, someTexts...) + pick(g, "", "", "a", "b"))
	case "N":
		return num(pick(g, someInts...) + pick[int64](g, 0, 0, 1, 5))
	}
	return bin(pick(g, someBytes...) + pick(g, "", "", "00", "01"))
}

// key makes a key of the table: one that is there, or another, or now and then one that does not fit.
func (g *generator) key(t *table) Item {
	k := Item{}
	if it := g.some(t); it != nil && g.one(2) {
		for _, a := range t.keys() {
			k[a.Name] = it[a.Name]
		}
	} else {
		for _, a := range t.keys() {
			k[a.Name] = g.scalar(a.T)
		}
		if t.Sort != nil && !g.one(4) { // large collections
			k[t.Part.Name] = map[string]Value{"S": str("a"), "N": num(10), "B": bin("00")}[t.Part.T]
		}
	}
	switch {
	case g.writer != "":
		k["pk"] = str(g.writer)
	case g.one(150):
		k[t.Part.Name] = pick(g, str(""), str("wrong"), num(7), Value{T: "BOOL", X: "true"})
	case g.one(200):
		delete(k, pick(g, "pk", "sk"))
	case g.one(200):
		k["more"] = num(1)
	}
	return k
}

// some returns one of the table's items, nil if there is none.
func (g *generator) some(t *table) Item {
	all := t.records(nil)
	if len(all) == 0 {
		return nil
	}
	return pick(g, all...).whole
}

// The attributes of items, besides keys.
var attributeNames = []string{"a", "b", "c", "d", "v", "s", "ss", "ns", "l", "m", "f", "z", "t"}

// attributes makes the attributes of an item, mostly with those that are index keys.
func (g *generator) attributes() Item {
	it := Item{}
	for i, name := range attributeNames {
		if i < len(indexKeys) && !g.one(4) || g.heavy && name == "s" || g.one(4) {
			it[name] = g.value(name)
		}
	}
	return it
}

// find returns the table's item with a key, nil if there is none.
func (t *table) find(key Item) Item {
	k, _, _ := t.key(key)
	return t.items[k]
}

// truth makes a condition that the item with a key satisfies.
func (g *generator) truth(t *table, key Item) *Cond {
	if t == nil {
		return g.cond(1)
	}
	it := t.find(key)
	for range 20 {
		if c := g.cond(2); c.eval(it) {
			return c
		}
	}
	return &Cond{Op: "not_exists", Path: "none"}
}

// value makes a value that suits an attribute, or now and then one that does not.
func (g *generator) value(name string) Value {
	if g.writer == "" && g.one(100) {
		name = pick(g, attributeNames...)
	}
	for _, a := range indexKeys {
		if a.Name == name {
			if g.writer == "" && a.T != "N" && g.one(150) {
				return Value{T: a.T} // empty
			}
			return g.scalar(a.T)
		}
	}
	switch name {
	case "v":
		return num(int64(g.IntN(20)))
	case "s":
		return g.long()
	case "ss", "ns":
		return g.set(strings.ToUpper(name))
	case "l":
		return list([]Value{num(1), g.value("v"), g.value("ss")}[:1+g.IntN(3)])
	case "m":
		return Value{T: "M", M: Item{"x": g.value("v"), "y": str("why")}}
	case "t":
		return g.time()
	case "f":
		return Value{T: "BOOL", X: pick(g, "true", "false")}
	}
	return Value{T: "NULL"}
}

// long makes a text that is sometimes a large part of an item's greatest size.
func (g *generator) long() Value {
	v := str(pick(g, someTexts...))
	if g.writer == "" && (g.heavy && !g.one(4) || g.one(60)) {
		v.R = 130_000
	}
	return v
}

// path makes a path to an attribute that is not a key.
func (g *generator) path() string {
	if g.one(4) {
		return pick(g, "m.x", "m.y", "m.new", "l[0]", "l[1]", "l[7]", "v.x", "s[0]")
	}
	return pick(g, attributeNames...)
}

// cond makes a condition of some depth.
func (g *generator) cond(depth int) *Cond {
	if depth > 0 && g.one(3) {
		op := pick(g, "and", "or", "not")
		c := &Cond{Op: op, Kids: []Cond{*g.cond(depth - 1)}}
		if op != "not" {
			c.Kids = append(c.Kids, *g.cond(depth - 1))
		}
		return c
	}
	c := &Cond{Op: pick(g, "exists", "not_exists", "=", "<>", "<", "<=", ">", ">=", "between", "in", "begins", "contains", "type", "size=", "size<", "size>"), Path: g.path()}
	switch c.Op {
	case "exists", "not_exists":
		if g.one(2) {
			c.Path = "pk"
		}
	case "<", "<=", ">", ">=":
		c.Vals = []Value{g.scalar(pick(g, "S", "N", "B"))}
	case "between":
		c.Vals = g.bounds(pick(g, "S", "N", "B"))
	case "in":
		c.Vals = []Value{g.value(top(c.Path)), g.scalar("N"), g.value("s")}
	case "begins":
		c.Vals = []Value{g.scalar(pick(g, "S", "B"))}
	case "contains":
		c.Vals = []Value{pick(g, str("a"), str("k"), num(1))}
	case "type":
		c.Vals = []Value{str(pick(g, "S", "N", "B", "SS", "NS", "L", "M", "BOOL", "NULL"))}
	case "size=", "size<", "size>":
		c.Vals = []Value{num(int64(g.IntN(4)))}
	default:
		c.Vals = []Value{g.value(top(c.Path))}
	}
	if with := pick(g, attributeNames...); with != c.Path && g.one(6) && slices.Contains([]string{"=", "<>", "<", ">="}, c.Op) {
		c.With, c.Vals = with, nil
	}
	return c
}

// bounds makes two values in order.
func (g *generator) bounds(t string) []Value {
	a, b := g.scalar(t), g.scalar(t)
	if c, _ := compare(a, b); c > 0 {
		a, b = b, a
	}
	return []Value{a, b}
}

// actions makes an update of an item: several actions on attributes, or one on a nested path. Mostly they can be done.
func (g *generator) actions(it Item) []Action {
	if it == nil {
		it = Item{}
	}
	for range 5 {
		all := g.anyActions()
		if _, ok := update(it, all); ok || g.one(10) {
			return all
		}
	}
	return []Action{{Op: "set", Path: "v", Val: ptr(num(1))}}
}

func (g *generator) anyActions() []Action {
	if g.one(4) {
		path := pick(g, "m.x", "m.y", "m.new", "l[0]", "l[1]", "l[7]", "m.x.deep", "v.x")
		a := Action{Op: pick(g, "set", "remove", "add", "set"), Path: path}
		if a.Op != "remove" {
			a.Val = ptr(num(int64(g.IntN(9))))
		}
		return []Action{a}
	}
	var all []Action
	for range 1 + g.IntN(3) {
		a := g.action()
		if !slices.ContainsFunc(all, func(b Action) bool { return b.Path == a.Path }) {
			all = append(all, a)
		}
	}
	return all
}

func (g *generator) action() Action {
	if g.writer == "" && g.one(80) {
		return Action{Op: "set", Path: pick(g, "pk", "sk"), Val: ptr(num(1))}
	}
	a := Action{Op: pick(g, "set", "set", "if", "plus", "minus", "append", "prepend", "copy", "remove", "remove", "add", "add", "delete"), Path: pick(g, attributeNames...)}
	switch a.Op {
	case "set":
		a.Val = ptr(g.value(a.Path))
	case "if":
		a.From, a.Val = a.Path, ptr(g.value(a.Path))
	case "plus", "minus":
		a.Path = pick(g, "v", "b")
		a.From, a.Val = pick(g, "v", "v", "b"), ptr(num(int64(g.IntN(5))))
	case "append", "prepend":
		a.Path, a.From, a.Val = "l", "l", ptr(list([]Value{num(int64(g.IntN(5)))}))
	case "copy":
		a.From = pick(g, "d", "a", "v", "s")
		a.Path = map[string]string{"d": "a", "a": "d", "v": "b", "s": "f"}[a.From]
	case "add":
		a.Path = pick(g, "v", "v", "b", "ss", "ns")
		a.Val = ptr(g.operand(a.Path))
	case "delete":
		a.Path = pick(g, "ss", "ns")
		a.Val = ptr(g.operand(a.Path))
	}
	return a
}

// operand makes a value for ADD or DELETE, a set not always of the type of those at the path.
func (g *generator) operand(path string) Value {
	if path == "v" || path == "b" {
		return num(int64(g.IntN(5)))
	}
	return g.set(pick(g, "SS", "NS", strings.ToUpper(path), strings.ToUpper(path)))
}

func (g *generator) set(t string) Value {
	if t == "SS" {
		return *set(t, []Value{str(pick(g, someTexts...)), str(pick(g, someTexts...)), str("k")})
	}
	return *set(t, []Value{num(pick(g, someInts...)), num(pick(g, someInts...))})
}

// projection makes paths that begin with distinct names, or none.
func (g *generator) projection() []string {
	if !g.one(3) {
		return nil
	}
	var paths []string
	for _, p := range []string{"pk", "sk", "a", "v", pick(g, "m", "m.x", "m.none"), pick(g, "l", "l[0]", "l[2]"), "ss"} {
		if g.one(3) {
			paths = append(paths, p)
		}
	}
	return paths
}
