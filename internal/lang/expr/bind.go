package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// CheckPresence reports names or values that come without an expression to use them. Bind does so too; it stands alone because
// the attribute values of other members are checked between it and the rest of Bind.
func (r *Request) CheckPresence() error {
	valued := r.valued()
	switch {
	case r.Names != nil && !valued && r.Projection == nil:
		return &Error{"ExpressionAttributeNames can only be specified when using expressions"}
	case r.Values.Present() && !valued:
		verb := "is"
		if len(r.Takes) > 1 {
			verb = "are"
		}
		return &Error{fmt.Sprintf("ExpressionAttributeValues can only be specified when using expressions: %s %s null",
			strings.Join(r.Takes, " and "), verb)}
	}
	return nil
}

// valued reports whether there is an expression that can use values.
func (r *Request) valued() bool {
	return r.Update != nil || r.Condition != nil || r.KeyCondition != nil || r.Filter != nil
}

// Bind parses the request's expressions (or finds them parsed), binds them to names and values, and checks them. Faults
// come as *Error in DynamoDB's order: names and values without an expression, the names map, the values map, the
// expressions (update, condition, key condition, filter, projection), unused names, unused values.
func (c *Cache) Bind(r Request) (Bound, error) {
	var out Bound
	if err := r.CheckPresence(); err != nil {
		return out, err
	}
	if !r.valued() && r.Projection == nil {
		return out, nil
	}
	if err := checkMaps(&r); err != nil {
		return out, err
	}
	b := binder{cache: c, names: r.Names, sent: r.Values.Item}
	if err := b.bind(&r, &out); err != nil {
		return Bound{}, err
	}
	if err := b.checkUnused(); err != nil {
		return Bound{}, err
	}
	return out, nil
}

// A binder binds the expressions of one request.
type binder struct {
	cache *Cache
	names map[string]string
	sent  attr.Item                   // the values
	bound [projectionKind + 1]*parsed // nil: absent
}

func (b *binder) bind(r *Request, out *Bound) (err error) {
	if out.Update, err = bindAs(b, updateKind, r.Update, newUpdate); err != nil {
		return err
	}
	if out.Condition, err = bindAs(b, conditionKind, r.Condition, newCondition); err != nil {
		return err
	}
	if out.KeyCondition, err = bindAs(b, keyConditionKind, r.KeyCondition, newKeyCondition); err != nil {
		return err
	}
	if out.Filter, err = bindAs(b, filterKind, r.Filter, newCondition); err != nil {
		return err
	}
	out.Projection, err = bindAs(b, projectionKind, r.Projection, newProjection)
	return err
}

// bindAs takes one expression from its text to what build makes of its parsed form and its binding.
func bindAs[T any](b *binder, k kind, text *string, build func(*parsed, binding) (*T, error)) (*T, error) {
	if text == nil {
		return nil, nil
	}
	p, err := b.cache.parse(k, *text)
	if err != nil {
		return nil, err
	}
	b.bound[k] = p
	to, err := b.resolve(p)
	if err != nil {
		return nil, err
	}
	return build(p, to)
}

// resolve looks up all placeholders of an expression.
func (b *binder) resolve(p *parsed) (binding, error) {
	to := binding{paths: p.paths, values: b.values(p), targets: p.targets}
	for _, r := range p.refs {
		if r.isValue() {
			if to.values[r.index] == nil {
				return to, p.kind.fault(
					"An expression attribute value used in expression is not defined; attribute value: " + r.name)
			}
		} else if _, ok := b.names[r.name]; !ok {
			return to, p.kind.fault(
				"An expression attribute name used in the document path is not defined; attribute name: " + r.name)
		}
	}
	if p.named {
		n := b.named(p)
		to.paths, to.targets = n.paths, n.targets
	}
	return to, nil
}

// values returns the request's values as the expression's indexes count them, nil for those that are not defined. Both the
// request's and the expression's are sorted.
func (b *binder) values(p *parsed) []attr.Value {
	if len(p.values) == 0 {
		return nil
	}
	values := make([]attr.Value, len(p.values))
	wanted := p.sorted[len(p.sorted)-len(p.values):]
	for key, v := range b.sent.All() {
		for len(wanted) > 0 && wanted[0].name < string(key) {
			wanted = wanted[1:]
		}
		if len(wanted) > 0 && wanted[0].name == string(key) {
			values[wanted[0].index] = v
		}
	}
	return values
}

// A named is an expression's paths and targets with the names of some request put in. It is immutable.
type named struct {
	names          []string // of the placeholders for names among parsed.refs
	paths, targets []Path
}

// keptNames is the size up to which the names of a request are kept for the next.
const keptNames = 1 << 10

// named puts the request's names into an expression. Mostly they are those of the request before, as one piece of a client's code has
// made both. REQUIRES: the names are defined.
func (b *binder) named(p *parsed) *named {
	if last := p.last.Load(); last != nil && b.has(last.names, p.refs) {
		return last
	}
	n, size := new(named), 0
	for _, r := range p.refs {
		if !r.isValue() {
			n.names = append(n.names, b.names[r.name])
			size += len(b.names[r.name])
		}
	}
	if n.paths, n.targets = b.paths(p); size <= keptNames {
		p.last.Store(n)
	}
	return n
}

// has reports whether the placeholders for names among refs have these names in the request.
func (b *binder) has(names []string, refs []ref) bool {
	for _, r := range refs {
		if r.isValue() {
			continue
		}
		if b.names[r.name] != names[0] {
			return false
		}
		names = names[1:]
	}
	return true
}

// paths returns the paths and targets of an expression with the names put in. REQUIRES: the names are defined.
func (b *binder) paths(p *parsed) (paths, targets []Path) {
	paths = make([]Path, 0, len(p.paths)+len(p.actions))
	steps := make([]Step, 0, p.steps)
	for _, path := range p.paths {
		from := len(steps)
		for _, s := range path {
			if !s.IsIndex && s.Name[0] == '#' {
				s.Name = b.names[s.Name]
			}
			steps = append(steps, s)
		}
		paths = append(paths, steps[from:len(steps):len(steps)])
	}
	all := appendTargets(paths, p.actions, paths)
	return all[:len(paths)], all[len(paths):]
}

// appendTargets appends the targets of the actions, which are among the paths.
func appendTargets(dst []Path, actions []action, paths []Path) []Path {
	for _, a := range actions {
		dst = append(dst, paths[a.target])
	}
	return dst
}

// checkUnused reports the names, then the values, that no expression uses. It asks what the texts use, not what an
// evaluation would reach.
func (b *binder) checkUnused() error {
	var unused []string
	for key := range b.names {
		if !b.uses(key) {
			unused = append(unused, key)
		}
	}
	if unused != nil {
		return unusedError("ExpressionAttributeNames", unused)
	}
	for key := range b.sent.All() {
		if !b.uses(string(key)) {
			unused = append(unused, string(key))
		}
	}
	if unused != nil {
		return unusedError("ExpressionAttributeValues", unused)
	}
	return nil
}

func unusedError(member string, keys []string) error {
	slices.Sort(keys)
	return &Error{fmt.Sprintf("Value provided in %s unused in expressions: keys: {%s}", member, strings.Join(keys, ", "))}
}

// uses reports whether some expression uses the placeholder.
func (b *binder) uses(name string) bool {
	for _, p := range b.bound {
		if p != nil && p.uses(name) {
			return true
		}
	}
	return false
}

// prepare does what need not be done again for every request.
func (p *parsed) prepare() (err error) {
	switch {
	case p.named:
	case p.kind == updateKind:
		p.targets = appendTargets(nil, p.actions, p.paths)
	case p.kind == projectionKind:
		p.projection, err = newProjection(p, binding{paths: p.paths})
	}
	return err
}
