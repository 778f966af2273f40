package model

import (
	"maps"
	"slices"
	"strings"
)

// updateText prints an update expression, "" for none.
func updateText(actions []Action, p *placeholders) string {
	sections := map[string][]string{}
	for i := range actions {
		section, text := actions[i].text(p)
		sections[section] = append(sections[section], text)
	}
	var all []string
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		all = append(all, section+" "+strings.Join(sections[section], ", "))
	}
	return strings.Join(all, " ")
}

func (a *Action) text(p *placeholders) (section, text string) {
	path := p.path(a.Path)
	var from, val string
	if a.From != "" {
		from = p.path(a.From)
	}
	if a.Val != nil {
		val = p.value(*a.Val)
	}
	switch a.Op {
	case "set":
		return "SET", path + " = " + val
	case "if":
		return "SET", path + " = if_not_exists(" + from + ", " + val + ")"
	case "plus":
		return "SET", path + " = " + from + " + " + val
	case "minus":
		return "SET", path + " = " + from + " - " + val
	case "append":
		return "SET", path + " = list_append(" + from + ", " + val + ")"
	case "prepend":
		return "SET", path + " = list_append(" + val + ", " + from + ")"
	case "copy":
		return "SET", path + " = " + from
	case "remove":
		return "REMOVE", path
	case "add":
		return "ADD", path + " " + val
	}
	return "DELETE", path + " " + val
}

// onlyRemoves reports whether an update does not create a missing item.
func onlyRemoves(actions []Action) bool {
	return len(actions) > 0 && !slices.ContainsFunc(actions, func(a Action) bool { return a.Op != "remove" && a.Op != "delete" })
}

// update returns what the actions make of an item. ok is false if one of them cannot be done.
func update(it Item, actions []Action) (out Item, ok bool) {
	root := Value{T: "M", M: it}
	for i := range actions {
		v, keep, ok := actions[i].result(it)
		if !ok {
			return nil, false
		}
		if keep {
			continue
		}
		if root, ok = root.put(steps(actions[i].Path), v); !ok {
			return nil, false
		}
	}
	return root.M, true
}

// result computes the value that an action puts at its path, nil to remove what is there; keep leaves it as it is.
func (a *Action) result(it Item) (v *Value, keep, ok bool) {
	if a.Op == "add" || a.Op == "delete" {
		return a.change(it)
	}
	from, has := get(it, a.From)
	switch a.Op {
	case "set":
		return a.Val, false, true
	case "remove":
		return nil, false, true
	case "if":
		if !has {
			from = *a.Val
		}
		return &from, false, true
	}
	if !has {
		return nil, false, false
	}
	switch a.Op {
	case "plus", "minus":
		n := a.Val.int()
		if a.Op == "minus" {
			n = -n
		}
		n += from.int()
		return ptr(num(n)), false, from.T == "N"
	case "append":
		return ptr(list(slices.Concat(from.L, a.Val.L))), false, from.T == "L"
	case "prepend":
		return ptr(list(slices.Concat(a.Val.L, from.L))), false, from.T == "L"
	}
	return &from, false, true // copy
}

// change is result for ADD and DELETE.
func (a *Action) change(it Item) (v *Value, keep, ok bool) {
	old, has := get(it, a.Path)
	switch {
	case !has && a.Op == "add":
		return a.Val, false, true
	case !has: // a missing parent is an error still
		parent := steps(a.Path)
		_, found := get(it, strings.TrimSuffix(a.Path, "."+parent[len(parent)-1].name))
		return nil, true, found || len(parent) == 1
	case old.T != a.Val.T:
		return nil, false, false
	case a.Op == "delete":
		left := slices.DeleteFunc(slices.Clone(old.L), func(e Value) bool {
			return slices.ContainsFunc(a.Val.L, func(d Value) bool { return equal(d, e) })
		})
		return set(old.T, left), false, true
	case old.T == "N":
		return ptr(num(old.int() + a.Val.int())), false, true
	}
	return set(old.T, slices.Concat(old.L, a.Val.L)), false, true
}

func ptr[T any](v T) *T { return &v }
