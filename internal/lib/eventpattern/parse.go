package eventpattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// errEmpty is what is wrong with a pattern that asks for nothing.
var errEmpty = errors.New("eventpattern: an object or a list is empty")

// Parse compiles a pattern.
func Parse(text string) (*Pattern, error) {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("eventpattern: %w", err)
	}
	o, err := parseObject(v)
	if err != nil {
		return nil, err
	}
	return &Pattern{*o}, nil
}

// pattern = object
// object  = "{" member { "," member } "}"
// member  = name ":" ( object | list ) | "$or" ":" "[" object "," object { "," object } "]"
func parseObject(v any) (*object, error) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("eventpattern: %v stands where an object should", v)
	}
	if len(fields) == 0 {
		return nil, errEmpty
	}
	o := &object{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name == "$or" {
			var err error
			if o.or, err = parseOr(fields[name]); err != nil {
				return nil, err
			}
			continue
		}
		m, err := parseMember(name, fields[name])
		if err != nil {
			return nil, err
		}
		o.members = append(o.members, m)
	}
	return o, nil
}

func parseOr(v any) ([]object, error) {
	list, ok := v.([]any)
	if !ok || len(list) < 2 {
		return nil, errors.New("eventpattern: $or is a list of two or more objects")
	}
	var or []object
	for _, e := range list {
		o, err := parseObject(e)
		if err != nil {
			return nil, err
		}
		or = append(or, *o)
	}
	return or, nil
}

func parseMember(name string, v any) (member, error) {
	list, ok := v.([]any)
	if !ok {
		o, err := parseObject(v)
		return member{name: name, object: o}, err
	}
	leaves, err := parseList(list, parseLeaf)
	return member{name: name, leaves: leaves}, err
}

func parseList(list []any, parse func(any) (leaf, error)) ([]leaf, error) {
	if len(list) == 0 {
		return nil, errEmpty
	}
	leaves := make([]leaf, len(list))
	for i, e := range list {
		var err error
		if leaves[i], err = parse(e); err != nil {
			return nil, err
		}
	}
	return leaves, nil
}

// leaf = text | number | "true" | "false" | "null" | "{" comparison ":" argument "}"
func parseLeaf(v any) (leaf, error) {
	switch v := v.(type) {
	case map[string]any:
		op, arg, err := single(v)
		if err != nil {
			return nil, err
		}
		return parseComparison(op, arg)
	case []any:
		return nil, errors.New("eventpattern: a list stands in a list")
	}
	return equal(v), nil
}

// single returns the one member that an object must have.
func single(fields map[string]any) (name string, v any, err error) {
	if len(fields) != 1 {
		return "", nil, errors.New("eventpattern: a comparison has one member")
	}
	for name, v = range fields {
	}
	return name, v, nil
}

func parseComparison(op string, arg any) (leaf, error) {
	bad := fmt.Errorf("eventpattern: %q does not take %v", op, arg)
	text, isText := arg.(string)
	switch op {
	case "exists":
		if want, ok := arg.(bool); ok {
			return exists(want), nil
		}
		return nil, bad
	case "prefix", "suffix":
		if isText {
			return map[string]func(string) leaf{"prefix": prefix, "suffix": suffix}[op](text), nil
		}
		return parseFolded(op, arg)
	case "equals-ignore-case":
		if !isText {
			return nil, bad
		}
		return folded(text), nil
	case "numeric":
		return parseNumeric(arg)
	case "anything-but":
		return parseNot(arg)
	}
	return nil, fmt.Errorf("eventpattern: there is no comparison %q", op)
}

// parseFolded reads {"prefix": {"equals-ignore-case": text}}.
func parseFolded(op string, arg any) (leaf, error) {
	bad := fmt.Errorf("eventpattern: %q does not take %v", op, arg)
	fields, ok := arg.(map[string]any)
	if !ok {
		return nil, bad
	}
	inner, v, err := single(fields)
	text, isText := v.(string)
	if err != nil || inner != "equals-ignore-case" || !isText {
		return nil, bad
	}
	if op == "prefix" {
		return foldedPrefix(text), nil
	}
	return foldedSuffix(text), nil
}

// parseNot reads what anything-but takes: a text, a number, a list of these, or a comparison of texts.
func parseNot(arg any) (leaf, error) {
	bad := fmt.Errorf("eventpattern: %q does not take %v", "anything-but", arg)
	switch arg := arg.(type) {
	case string, float64:
		return not([]leaf{equal(arg)}), nil
	case []any:
		leaves, err := parseList(arg, func(v any) (leaf, error) {
			switch v.(type) {
			case string, float64:
				return equal(v), nil
			}
			return nil, bad
		})
		return not(leaves), err
	case map[string]any:
		op, v, err := single(arg)
		if err != nil || op != "prefix" && op != "suffix" && op != "equals-ignore-case" {
			return nil, bad
		}
		inner, err := parseComparison(op, v)
		return not([]leaf{inner}), err
	}
	return nil, bad
}

// parseNumeric reads [op, number] or [op, number, op, number].
func parseNumeric(arg any) (leaf, error) {
	bad := fmt.Errorf("eventpattern: %q does not take %v", "numeric", arg)
	list, _ := arg.([]any)
	if len(list) != 2 && len(list) != 4 {
		return nil, bad
	}
	var bounds []bound
	for i := 0; i < len(list); i += 2 {
		op, isText := list[i].(string)
		x, isNumber := list[i+1].(float64)
		if !isText || !isNumber || !slices.Contains([]string{"=", "<", "<=", ">", ">="}, op) {
			return nil, bad
		}
		bounds = append(bounds, bound{op, x})
	}
	return numeric(bounds), nil
}
