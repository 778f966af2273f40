package api

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// maxFaults is how many faults one message lists.
const maxFaults = 10

// Validate checks the constraints in the tags of an operation's input, a pointer to an op.In, and returns the
// "validation errors detected" message, nil if all hold. Attribute values are not looked into: their turn comes later.
func Validate(op *Op, in any) *Error {
	fs := checksOf(op.In).run(reflect.ValueOf(in).Elem(), nil)
	if len(fs) == 0 {
		return nil
	}
	return fs.asError()
}

// checks are those of the fields of a struct that have something to check, in order.
type checks []check

// A check holds the constraints of one field and of the structs in it.
type check struct {
	*Field
	path  string // as messages spell the name: the first letter is lowered
	inner checks // for the struct that the field is or is made of
}

var checksByType sync.Map // reflect.Type -> checks

func checksOf(t reflect.Type) checks {
	if cs, ok := checksByType.Load(t); ok {
		return cs.(checks)
	}
	cs := compile(t)
	checksByType.Store(t, cs)
	return cs
}

func compile(t reflect.Type) checks {
	var cs checks
	fields := Fields(t)
	for i := range fields {
		c := check{Field: &fields[i], path: lowerFirst(fields[i].Name)}
		if s := structIn(c.Type); s != nil {
			c.inner = checksOf(s)
		}
		if c.constrained() || c.inner != nil {
			cs = append(cs, c)
		}
	}
	return cs
}

func (c *check) constrained() bool {
	r := &c.Rule
	return r.Required || r.Min != nil || r.Max != nil || r.Enum != nil || r.Pattern != nil || c.Key != nil || c.Elem != nil
}

// structIn returns the struct that a type points to or is a list or map of in the end, nil if there is none with tags.
func structIn(t reflect.Type) reflect.Type {
	for {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			t = t.Elem()
		case reflect.Struct:
			if t == sentItem || t == sentValue || t == timestamp {
				return nil
			}
			return t
		default:
			return nil
		}
	}
}

// run appends to fs the faults of the struct v. The paths of new faults begin at v.
func (cs checks) run(v reflect.Value, fs faults) faults {
	for i := range cs {
		if fs.complete() {
			break
		}
		fs = cs[i].run(v.Field(cs[i].Index), fs)
	}
	return fs
}

func (c *check) run(v reflect.Value, fs faults) faults {
	if absent(v) {
		if c.Required {
			fs = fs.add(c.missing())
		}
		return fs
	}
	if b := c.breaches(v); b != 0 {
		fs = c.addBreaches(v, b, fs)
	}
	if c.Key != nil && v.Kind() == reflect.Map && brokenKey(c.Key, v) {
		fs = fs.add(c.fault(v, "Map keys must satisfy constraint: "+c.Key.list()))
	}
	if c.Elem != nil && brokenElem(c.Elem, v) {
		subject := "Member"
		if v.Kind() == reflect.Map {
			subject = "Map value"
		}
		fs = fs.add(c.fault(v, subject+" must satisfy constraint: "+c.Elem.list()))
	}
	if c.inner != nil {
		n := len(fs)
		fs = c.inside(v, fs)
		for i := n; i < len(fs); i++ {
			fs[i].under(c.path, c.Name)
		}
	}
	return fs
}

// inside runs the inner checks on the structs that v is made of.
func (c *check) inside(v reflect.Value, fs faults) faults {
	member := func(v reflect.Value, key string) {
		n := len(fs)
		fs = c.inside(v, fs)
		for i := n; i < len(fs); i++ {
			fs[i].under(key+".member", key+".member")
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		return c.inner.run(v.Elem(), fs)
	case reflect.Slice:
		for i := 0; i < v.Len() && !fs.complete(); i++ {
			member(v.Index(i), strconv.Itoa(i+1))
		}
		return fs
	case reflect.Map:
		for _, k := range sortedKeys(v) {
			if fs.complete() {
				break
			}
			member(addressable(v.MapIndex(k)), k.String())
		}
		return fs
	default:
		return c.inner.run(v, fs)
	}
}

// addressable returns a copy of the element of a map, to be used as any other struct.
func addressable(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// addBreaches words the breaches of the field's own rule.
func (c *check) addBreaches(v reflect.Value, b breach, fs faults) faults {
	for _, kind := range c.order() {
		if b&kind == 0 {
			continue
		}
		if s := c.Phrase.of(kind); s != "" {
			return fs.add(fault{phrase: s, sentence: true, alone: true})
		}
		f := c.fault(v, c.Rule.phrase(kind, isNumber(v)))
		f.alone = c.Alone
		if c.ModernMin && kind == tooSmall || c.ModernMax && kind == tooLarge {
			f.path, f.modern, f.alone = c.Name, true, true
		}
		fs = fs.add(f)
	}
	return fs
}

func (c *check) missing() fault {
	if c.Phrase.Absent != "" {
		return fault{phrase: c.Phrase.Absent, sentence: true, alone: true}
	}
	return fault{path: c.path, null: true, phrase: "Member must not be null"}
}

func (c *check) fault(v reflect.Value, phrase string) fault {
	return fault{path: c.path, value: dump(v), phrase: phrase}
}

// absent reports whether a member was not sent.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	}
	switch s := v.Addr().Interface().(type) {
	case *attr.SentItem:
		return !s.Present()
	case *attr.SentValue:
		return !s.Present()
	}
	return false
}

func brokenKey(r *Rule, v reflect.Value) bool {
	for it := v.MapRange(); it.Next(); {
		if r.text(it.Key().String()) != 0 {
			return true
		}
	}
	return false
}

func brokenElem(r *Rule, v reflect.Value) bool {
	if m, ok := stringMap(v); ok {
		for _, s := range m {
			if r.text(s) != 0 {
				return true
			}
		}
		return false
	}
	if v.Kind() == reflect.Map {
		for it := v.MapRange(); it.Next(); {
			if r.breaches(it.Value()) != 0 {
				return true
			}
		}
		return false
	}
	for i := range v.Len() {
		if r.breaches(v.Index(i)) != 0 {
			return true
		}
	}
	return false
}

// stringMap returns a map of strings without the allocations of reflection: most requests with expressions have one.
func stringMap(v reflect.Value) (map[string]string, bool) {
	if v.Kind() != reflect.Map || v.Type().Elem().Kind() != reflect.String {
		return nil, false
	}
	m, ok := v.Interface().(map[string]string)
	return m, ok
}

func sortedKeys(v reflect.Value) []reflect.Value {
	return slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int {
		return strings.Compare(a.String(), b.String())
	})
}

func lowerFirst(s string) string {
	return strings.ToLower(s[:1]) + s[1:]
}
