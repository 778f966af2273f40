package model

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Cond is a condition or a filter.
type Cond struct {
	Op   string  // and or not; exists not_exists = <> < <= > >= between in begins contains type; size= size< size>
	Kids []Cond  `json:",omitempty"`
	Path string  `json:",omitempty"`
	With string  `json:",omitempty"` // a path in place of the value of a comparison
	Vals []Value `json:",omitempty"`
}

// An Action is one action of an update.
type Action struct {
	Op   string // set, if (SET p = if_not_exists(from, v)), plus, minus, append, prepend, copy, remove, add, delete
	Path string
	From string `json:",omitempty"`
	Val  *Value `json:",omitempty"`
}

// placeholders collects the names and values of a request's expressions.
type placeholders struct {
	names  map[string]string
	values Item
}

func (p *placeholders) value(v Value) string {
	if p.values == nil {
		p.values = Item{}
	}
	name := fmt.Sprintf(":v%d", len(p.values))
	p.values[name] = v
	return name
}

// path prints a path with a placeholder for every name.
func (p *placeholders) path(path string) string {
	var b strings.Builder
	for i, s := range steps(path) {
		switch {
		case s.name == "":
			fmt.Fprintf(&b, "[%d]", s.index)
			continue
		case i > 0:
			b.WriteByte('.')
		}
		b.WriteString(p.name(s.name))
	}
	return b.String()
}

func (p *placeholders) name(name string) string {
	if p.names == nil {
		p.names = map[string]string{}
	}
	for holder, n := range p.names {
		if n == name {
			return holder
		}
	}
	holder := fmt.Sprintf("#n%d", len(p.names))
	p.names[holder] = name
	return holder
}

func (c *Cond) text(p *placeholders) string {
	var kids, vals []string
	for i := range c.Kids {
		kids = append(kids, "("+c.Kids[i].text(p)+")")
	}
	if c.Kids != nil {
		if c.Op == "not" {
			return "NOT " + kids[0]
		}
		return strings.Join(kids, " "+strings.ToUpper(c.Op)+" ")
	}
	path := p.path(c.Path)
	for _, v := range c.Vals {
		vals = append(vals, p.value(v))
	}
	if c.With != "" {
		vals = []string{p.path(c.With)}
	}
	switch c.Op {
	case "exists", "not_exists":
		return "attribute_" + c.Op + "(" + path + ")"
	case "between":
		return path + " BETWEEN " + vals[0] + " AND " + vals[1]
	case "in":
		return path + " IN (" + strings.Join(vals, ", ") + ")"
	case "begins":
		return "begins_with(" + path + ", " + vals[0] + ")"
	case "contains":
		return "contains(" + path + ", " + vals[0] + ")"
	case "type":
		return "attribute_type(" + path + ", " + vals[0] + ")"
	}
	if op, ok := strings.CutPrefix(c.Op, "size"); ok {
		return "size(" + path + ") " + op + " " + vals[0]
	}
	return path + " " + c.Op + " " + vals[0]
}

// paths returns all paths of a condition.
func (c *Cond) paths() []string {
	if c == nil {
		return nil
	}
	var all []string
	for i := range c.Kids {
		all = append(all, c.Kids[i].paths()...)
	}
	for _, p := range []string{c.Path, c.With} {
		if p != "" {
			all = append(all, p)
		}
	}
	return all
}

// eval reports whether the item, nil for none, satisfies the condition.
func (c *Cond) eval(it Item) bool {
	switch c.Op {
	case "and":
		return c.Kids[0].eval(it) && c.Kids[1].eval(it)
	case "or":
		return c.Kids[0].eval(it) || c.Kids[1].eval(it)
	case "not":
		return !c.Kids[0].eval(it)
	}
	left, ok := get(it, c.Path)
	if c.Op == "exists" || c.Op == "not_exists" {
		return ok == (c.Op == "exists")
	}
	vals := c.Vals
	if c.With != "" {
		v, there := get(it, c.With)
		if !there {
			ok = false
		}
		vals = []Value{v}
	}
	if op, sized := strings.CutPrefix(c.Op, "size"); sized {
		n, has := left.length()
		return ok && has && ordered(op, num(int64(n)), vals[0])
	}
	if !ok {
		return c.Op == "<>"
	}
	return c.holds(left, vals)
}

func (c *Cond) holds(left Value, vals []Value) bool {
	switch c.Op {
	case "between":
		return ordered(">=", left, vals[0]) && ordered("<=", left, vals[1])
	case "in":
		return slices.ContainsFunc(vals, func(v Value) bool { return equal(left, v) })
	case "begins":
		return left.T == vals[0].T && strings.HasPrefix(left.text(), vals[0].text())
	case "contains":
		return contains(left, vals[0])
	case "type":
		return left.T == vals[0].X
	}
	return ordered(c.Op, left, vals[0])
}

func contains(in, v Value) bool {
	switch in.T {
	case "S":
		return v.T == "S" && strings.Contains(in.text(), v.text())
	case "SS", "NS", "L":
		return slices.ContainsFunc(in.L, func(e Value) bool { return equal(e, v) })
	}
	return false
}

func ordered(op string, a, b Value) bool {
	switch op {
	case "=":
		return equal(a, b)
	case "<>":
		return !equal(a, b)
	}
	c, ok := compare(a, b)
	switch op {
	case "<":
		return ok && c < 0
	case "<=":
		return ok && c <= 0
	case ">":
		return ok && c > 0
	}
	return ok && c >= 0
}

// A step is one element of a path: a name, or an index where there is none.
type step struct {
	name  string
	index int
}

// steps takes a path like m.x or l[2] apart.
func steps(path string) (all []step) {
	for _, part := range strings.Split(path, ".") {
		name, rest, _ := strings.Cut(part, "[")
		all = append(all, step{name: name})
		for rest != "" {
			var digits string
			digits, rest, _ = strings.Cut(rest, "]")
			rest = strings.TrimPrefix(rest, "[")
			i, _ := strconv.Atoi(digits)
			all = append(all, step{index: i})
		}
	}
	return all
}

// top returns the name that a path begins with.
func top(path string) string { return steps(path)[0].name }

// get follows a path.
func get(it Item, path string) (Value, bool) {
	at, ok := Value{T: "M", M: it}, true
	for _, s := range steps(path) {
		switch {
		case s.name != "" && at.T == "M":
			at, ok = at.M[s.name]
		case s.name == "" && at.T == "L" && s.index < len(at.L):
			at = at.L[s.index]
		default:
			ok = false
		}
		if !ok {
			return Value{}, false
		}
	}
	return at, true
}

// put returns a copy of the value with v at the rest of a path, nothing there if v is nil. ok is false if the path leads nowhere.
func (at Value) put(path []step, v *Value) (out Value, ok bool) {
	s := path[0]
	var child *Value
	switch {
	case s.name != "" && at.T == "M":
		if c, has := at.M[s.name]; has {
			child = &c
		}
	case s.name == "" && at.T == "L":
		if s.index < len(at.L) {
			child = &at.L[s.index]
		}
	default:
		return at, false
	}
	if len(path) > 1 {
		if child == nil {
			return at, false
		}
		deeper, ok := child.put(path[1:], v)
		if !ok {
			return at, false
		}
		v = &deeper
	}
	return at.with(s, v), true
}

// with returns a copy with one element set, appended or removed.
func (at Value) with(s step, v *Value) Value {
	out := at
	switch {
	case at.T == "M":
		out.M = maps.Clone(at.M)
		delete(out.M, s.name)
		if v != nil {
			out.M[s.name] = *v
		}
	case v == nil && s.index < len(at.L):
		out.L = slices.Delete(slices.Clone(at.L), s.index, s.index+1)
	case v != nil && s.index < len(at.L):
		out.L = slices.Clone(at.L)
		out.L[s.index] = *v
	case v != nil:
		out.L = append(slices.Clone(at.L), *v)
	}
	return out
}
