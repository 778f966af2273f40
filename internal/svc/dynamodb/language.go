package dynamodb

import (
	"slices"

	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A member is a request member and whether the request has it.
type member struct {
	name    string
	present bool
}

func present(ms ...member) []string {
	var names []string
	for _, m := range ms {
		if m.present {
			names = append(names, m.name)
		}
	}
	return names
}

// A condition is the members by which Put, Update and Delete are made conditional, old and new, and the update itself,
// which shares names and values with them.
type condition struct {
	expected map[string]ddb.ExpectedAttributeValue
	operator *string // ConditionalOperator
	updates  map[string]ddb.AttributeValueUpdate
	request  expr.Request
}

// A bound is what a condition's members mean.
type bound struct {
	condition *expr.Condition
	update    *expr.Update
}

// checkPresence is step C of the order of checks: members that exclude each other, names and values without an expression.
func (c *condition) checkPresence() error {
	err := expr.CheckMixing(
		present(member{"AttributeUpdates", c.updates != nil}, member{"Expected", c.expected != nil}, member{"ConditionalOperator", c.operator != nil}),
		present(member{"UpdateExpression", c.request.Update != nil}, member{"ConditionExpression", c.request.Condition != nil}))
	if err != nil {
		return err
	}
	return c.request.CheckPresence()
}

// checkValues is step D for the legacy members.
func (c *condition) checkValues() error {
	for _, name := range sortedKeys(c.updates) {
		if err := c.updates[name].Value.Check(); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(c.expected) {
		e := c.expected[name]
		if err := checkValues(append([]attr.SentValue{e.Value}, e.AttributeValueList...)); err != nil {
			return err
		}
	}
	return nil
}

func checkValues(values []attr.SentValue) error {
	for _, v := range values {
		if err := v.Check(); err != nil {
			return err
		}
	}
	return nil
}

// bindWrite is the checks of a write that need no table, C to I, and binds its expressions. sent is its item or key; own is the
// operation's own of step E.
func (s *Service) bindWrite(c *condition, sent attr.SentItem, own func() error) (bound, error) {
	if err := c.checkPresence(); err != nil {
		return bound{}, err
	}
	if err := sent.Check(); err != nil {
		return bound{}, err
	}
	if err := c.checkValues(); err != nil {
		return bound{}, err
	}
	if err := own(); err != nil {
		return bound{}, err
	}
	return s.bind(c)
}

// bind is steps F to I: the legacy members' rules, then the expressions.
func (s *Service) bind(c *condition) (bound, error) {
	if c.expected == nil && c.updates == nil && c.operator == nil {
		b, err := s.Expressions.Bind(c.request)
		return bound{b.Condition, b.Update}, err
	}
	update, err := expr.FromAttributeUpdates(lower(c.updates, lowerUpdate))
	if err != nil {
		return bound{}, err
	}
	cond, err := expr.FromExpected(lower(c.expected, lowerExpected), c.operator)
	if err != nil {
		return bound{}, err
	}
	b, err := s.Expressions.Bind(c.request)
	if err != nil {
		return bound{}, err
	}
	return bound{either(cond, b.Condition), either(update, b.Update)}, nil
}

// either returns the one of two that is there; CheckMixing has refused both.
func either[T any](legacy, modern *T) *T {
	if legacy != nil {
		return legacy
	}
	return modern
}

// lower translates the entries of a legacy member; nil stays nil.
func lower[A, B any](m map[string]A, f func(A) B) map[string]B {
	if m == nil {
		return nil
	}
	out := make(map[string]B, len(m))
	for name, v := range m {
		out[name] = f(v)
	}
	return out
}

func lowerUpdate(u ddb.AttributeValueUpdate) expr.AttributeUpdate {
	return expr.AttributeUpdate{Action: u.Action, Value: u.Value}
}

func lowerExpected(e ddb.ExpectedAttributeValue) expr.Expected {
	return expr.Expected{Value: e.Value, Exists: e.Exists, Comparison: e.ComparisonOperator, List: e.AttributeValueList}
}

func lowerComparison(c ddb.Condition) expr.Comparison {
	return expr.Comparison{Operator: *c.ComparisonOperator, List: c.AttributeValueList}
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// is reports whether an optional member has the value.
func is(member *string, value string) bool { return member != nil && *member == value }

// isTrue reports whether an optional member is true.
func isTrue(member *bool) bool { return member != nil && *member }
