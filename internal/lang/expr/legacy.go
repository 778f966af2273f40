package expr

import (
	"maps"
	"slices"
	"strings"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// An Expected is one entry of the legacy Expected map. A nil List is an absent AttributeValueList.
type Expected struct {
	Value      attr.SentValue
	Exists     *bool
	Comparison *string
	List       []attr.SentValue
}

// A Comparison is one entry of KeyConditions, QueryFilter or ScanFilter.
type Comparison struct {
	Operator string
	List     []attr.SentValue
}

// An AttributeUpdate is one entry of AttributeUpdates.
type AttributeUpdate struct {
	Action *string
	Value  attr.SentValue
}

// invalidParameter returns a fault in a legacy parameter.
func invalidParameter(text string) *Error {
	return &Error{"One or more parameter values were invalid: " + text}
}

// CheckMixing reports legacy members beside expression members. Both lists name the members that are present, in the order
// in which the text prints them.
func CheckMixing(legacy, expressions []string) error {
	if len(legacy) == 0 || len(expressions) == 0 {
		return nil
	}
	return &Error{"Can not use both expression and non-expression parameters in the same request: " +
		"Non-expression parameters: {" + strings.Join(legacy, ", ") + "} " +
		"Expression parameters: {" + strings.Join(expressions, ", ") + "}"}
}

// FromExpected lowers Expected and ConditionalOperator; nil if m has no entries. Faults of the values come first, then those of
// the entries in order of the attributes' names; so it is with all legacy parameters.
func FromExpected(m map[string]Expected, conditionalOperator *string) (*Condition, error) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if err := checkSent(m[name].Value); err != nil {
			return nil, err
		}
		if err := checkSent(m[name].List...); err != nil {
			return nil, err
		}
	}
	return lowerConditions(m, conditionalOperator, Expected.lower)
}

// FromFilter lowers QueryFilter or ScanFilter with ConditionalOperator; nil if m has no entries.
func FromFilter(m map[string]Comparison, conditionalOperator *string) (*Condition, error) {
	if err := checkSentLists(m); err != nil {
		return nil, err
	}
	return lowerConditions(m, conditionalOperator, Comparison.lower)
}

// lowerConditions lowers the entries of a map and joins them.
func lowerConditions[E any](
	m map[string]E, conditionalOperator *string, lower func(E, *Builder, string) (Node, error),
) (*Condition, error) {
	if len(m) == 0 {
		if conditionalOperator != nil {
			return nil, invalidParameter("ConditionalOperator cannot be used without Filter or Expected")
		}
		return nil, nil
	}
	var b Builder
	names := slices.Sorted(maps.Keys(m))
	conds := make([]Node, len(names))
	for i, name := range names {
		if err := checkName(name); err != nil {
			return nil, err
		}
		var err error
		if conds[i], err = lower(m[name], &b, name); err != nil {
			return nil, err
		}
	}
	if len(conds) == 1 {
		return &Condition{binding: b.binding, root: &conds[0].node}, nil
	}
	joint := opAnd
	if conditionalOperator != nil && *conditionalOperator == "OR" {
		joint = opOr
	}
	root := join(joint, conds...).node
	c := &Condition{binding: b.binding, root: &root}
	if len(conds) > fewComparisons {
		c.junction = c.newJunction(joint, names, root.args)
	}
	return c, nil
}

// checkName refuses the one name that no attribute can have; too long ones are refused before.
func checkName(name string) error {
	if name == "" {
		return invalidParameter("Empty attribute name")
	}
	return nil
}

func checkSentLists(m map[string]Comparison) error {
	if len(m) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if err := checkSent(m[name].List...); err != nil {
			return err
		}
	}
	return nil
}

func checkSent(values ...attr.SentValue) error {
	for _, v := range values {
		if fault := v.Check(); fault != nil {
			return &Error{fault.Text}
		}
	}
	return nil
}

// lower lowers an entry: {Value, Exists} or {ComparisonOperator, AttributeValueList}, where Value can stand for a list of one.
func (e Expected) lower(b *Builder, name string) (Node, error) {
	if fault := e.fault(); fault != "" {
		return Node{}, invalidParameter(fault + " for Attribute: " + name)
	}
	list := e.List
	if e.Value.Present() {
		list = []attr.SentValue{e.Value}
	}
	switch {
	case e.Comparison != nil:
		return Comparison{*e.Comparison, list}.lower(b, name)
	case e.Exists != nil && !*e.Exists:
		return Comparison{"NULL", nil}.lower(b, name)
	}
	return Comparison{"EQ", list}.lower(b, name)
}

// fault checks which members are given together.
func (e Expected) fault() string {
	value, list, exists := e.Value.Present(), e.List != nil, e.Exists == nil || *e.Exists
	switch {
	case value && list:
		return "Value and AttributeValueList cannot be used together"
	case e.Exists != nil && e.Comparison != nil:
		return "Exists and ComparisonOperator cannot be used together"
	case e.Comparison != nil && !value && !list && comparisons[*e.Comparison].least > 0:
		return "Value or AttributeValueList must be used with ComparisonOperator: " + *e.Comparison
	case e.Comparison != nil:
		return ""
	case list:
		return "AttributeValueList can only be used with a ComparisonOperator"
	case exists && !value && e.Exists == nil:
		return "Value must be provided when Exists is null"
	case exists && !value:
		return "Value must be provided when Exists is true"
	case !exists && value:
		return "Value cannot be used when Exists is false"
	}
	return ""
}

// A comparisonRule says what a legacy comparison operator takes and what it is lowered to.
type comparisonRule struct {
	least, most int     // values
	types       typeSet // of the values; none: any
	op          op
	key         bool // a key condition can have it
}

var comparisons = map[string]comparisonRule{
	"EQ":           {1, 1, 0, opEQ, true},
	"NE":           {1, 1, 0, opNE, false},
	"LT":           {1, 1, orderedTypes, opLT, true},
	"LE":           {1, 1, orderedTypes, opLE, true},
	"GT":           {1, 1, orderedTypes, opGT, true},
	"GE":           {1, 1, orderedTypes, opGE, true},
	"BETWEEN":      {2, 2, orderedTypes, opBetween, true},
	"IN":           {1, 1 << 30, orderedTypes, opIn, false},
	"BEGINS_WITH":  {1, 1, prefixTypes, opBeginsWith, true},
	"CONTAINS":     {1, 1, orderedTypes, opContains, false},
	"NOT_CONTAINS": {1, 1, orderedTypes, opNot, false},
	"NULL":         {0, 0, 0, opAttributeNotExists, false},
	"NOT_NULL":     {0, 0, 0, opAttributeExists, false},
}

// check checks the operator against its values.
func (c Comparison) check() (comparisonRule, error) {
	rule, ok := comparisons[c.Operator]
	if !ok {
		return rule, invalidParameter("Unknown ComparisonOperator: " + c.Operator)
	}
	if len(c.List) < rule.least || len(c.List) > rule.most {
		return rule, invalidParameter("Invalid number of argument(s) for the " + c.Operator + " ComparisonOperator")
	}
	for _, v := range c.List {
		if v.Value.Type() != c.List[0].Value.Type() {
			return rule, invalidParameter("AttributeValues inside AttributeValueList must be of same type")
		}
	}
	if len(c.List) > 0 {
		if t := c.List[0].Value.Type(); rule.types != 0 && !rule.types.has(t) {
			return rule, invalidParameter(
				"ComparisonOperator " + c.Operator + " is not valid for " + t.String() + " AttributeValue type")
		}
	}
	if rule.op == opBetween {
		if order, _ := attr.Compare(c.List[0].Value, c.List[1].Value); order > 0 {
			return rule, &Error{"The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"}
		}
	}
	return rule, nil
}

// lower lowers a comparison of the attribute. NOT_CONTAINS, unlike the negation of CONTAINS, is false of a missing attribute.
func (c Comparison) lower(b *Builder, name string) (Node, error) {
	rule, err := c.check()
	if err != nil {
		return Node{}, err
	}
	attribute := b.Attribute(name)
	operands := []Node{attribute}
	for _, v := range c.List {
		operands = append(operands, b.Value(v.Value))
	}
	if rule.op == opNot {
		return join(opAnd, join(opAttributeExists, attribute), join(opNot, join(opContains, operands...))), nil
	}
	return join(rule.op, operands...), nil
}

// FromKeyConditions lowers KeyConditions, in order of the names; nil if m is nil.
func FromKeyConditions(m map[string]Comparison) (*KeyCondition, error) {
	if m == nil {
		return nil, nil
	}
	if err := checkSentLists(m); err != nil {
		return nil, err
	}
	if len(m) != 1 && len(m) != 2 {
		return nil, &Error{"Conditions can be of length 1 or 2 only"}
	}
	k := &KeyCondition{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		rule, err := m[name].check()
		if err != nil {
			return nil, err
		}
		cond := KeyCond{Name: name, Op: OTHER}
		if rule.key {
			cond.Op = keyOps[rule.op]
		}
		for _, v := range m[name].List {
			cond.Values = append(cond.Values, v.Value)
		}
		k.Conds = append(k.Conds, cond)
	}
	return k, nil
}

// FromAttributeUpdates lowers AttributeUpdates; nil if m is nil. Without entries the update changes nothing, but creates a
// missing item.
func FromAttributeUpdates(m map[string]AttributeUpdate) (*Update, error) {
	if m == nil {
		return nil, nil
	}
	names := slices.Sorted(maps.Keys(m))
	for _, name := range names {
		if err := checkSent(m[name].Value); err != nil {
			return nil, err
		}
	}
	var b Builder
	for _, name := range names {
		if err := checkName(name); err != nil {
			return nil, err
		}
		v, err := m[name].verb()
		if err != nil {
			return nil, err
		}
		b.act(v, Path{{Name: name}}, b.Value(m[name].Value.Value))
	}
	return &Update{binding: b.binding, actions: b.actions, legacy: true}, nil
}

// verb returns what the action, PUT if there is none, does with or without a value.
func (a AttributeUpdate) verb() (verb, error) {
	name := "PUT"
	if a.Action != nil {
		name = *a.Action
	}
	t := a.Value.Value.Type()
	switch {
	case t == attr.Missing && name == "DELETE":
		return verbRemove, nil
	case t == attr.Missing:
		return 0, invalidParameter("Only DELETE action is allowed when no attribute value is specified")
	case name == "DELETE" && !setTypes.has(t):
		return 0, invalidParameter("DELETE action with value is not supported for the type " + t.String())
	case name == "DELETE":
		return verbDelete, nil
	case name == "ADD" && !(setTypes | numberTypes | listTypes).has(t):
		return 0, invalidParameter("ADD action is not supported for the type " + t.String())
	case name == "ADD":
		return verbAdd, nil
	}
	return verbSet, nil
}

// FromAttributesToGet lowers AttributesToGet; nil if names is nil.
func FromAttributesToGet(names []string) (*Projection, error) {
	if names == nil {
		return nil, nil
	}
	paths := make([]Path, len(names))
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, invalidParameter("Duplicate value in attribute name: " + name)
		}
		seen[name] = true
		paths[i] = Path{{Name: name}}
	}
	return project(paths), nil
}
