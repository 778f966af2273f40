package expr

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// A legacyEntry is an entry of any legacy map.
type legacyEntry struct {
	Value              json.RawMessage
	Exists             *bool
	ComparisonOperator *string
	AttributeValueList []json.RawMessage
	Action             *string
}

// sentValue decodes a value as a request's would be, faults included.
func sentValue(t testing.TB, text json.RawMessage) attr.SentValue {
	if text == nil {
		return attr.SentValue{}
	}
	var r jsontok.Reader
	r.Reset(text)
	var d attr.Decoder
	s, err := d.Element(&r, r.Next())
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func (e legacyEntry) list(t testing.TB) []attr.SentValue {
	if e.AttributeValueList == nil {
		return nil
	}
	list := []attr.SentValue{}
	for _, text := range e.AttributeValueList {
		list = append(list, sentValue(t, text))
	}
	return list
}

// convert turns each entry of a map of them into an API type.
func convert[T any](m map[string]legacyEntry, f func(legacyEntry) T) map[string]T {
	out := make(map[string]T, len(m))
	for name, e := range m {
		out[name] = f(e)
	}
	return out
}

// TestLegacy pins what the legacy parameters mean.
func TestLegacy(t *testing.T) {
	runDataFile(t, "legacy.txt", func(t *testing.T, f *fixture, input string) string {
		got, err := runLegacy(t, f, input)
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("a %T", err)
			}
			return err.Error()
		}
		return got
	})
}

func runLegacy(t *testing.T, f *fixture, input string) (string, error) {
	var operator *string
	if o := f.vars["op"]; o != "" {
		operator = &o
	}
	kind := f.vars["kind"]
	if kind == "attributesToGet" {
		p, err := FromAttributesToGet(decode[[]string](t, input))
		if err != nil {
			return "", err
		}
		return showItem(p.Apply(f.item)), nil
	}
	m := decode[map[string]legacyEntry](t, input)
	comparison := func(e legacyEntry) Comparison { return Comparison{*e.ComparisonOperator, e.list(t)} }
	switch kind {
	case "expected":
		c, err := FromExpected(convert(m, func(e legacyEntry) Expected {
			return Expected{Value: sentValue(t, e.Value), Exists: e.Exists, Comparison: e.ComparisonOperator, List: e.list(t)}
		}), operator)
		return showCondition(c, f.item), err
	case "filter":
		c, err := FromFilter(convert(m, comparison), operator)
		return showCondition(c, f.item), err
	case "keyConditions":
		k, err := FromKeyConditions(convert(m, comparison))
		if err != nil {
			return "", err
		}
		return k.String(), nil
	case "attributeUpdates":
		u, err := FromAttributeUpdates(convert(m, func(e legacyEntry) AttributeUpdate {
			return AttributeUpdate{Action: e.Action, Value: sentValue(t, e.Value)}
		}))
		if err != nil {
			return "", err
		}
		updated, err := u.Apply(f.item)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s; only removes: %v", showChanges(f.item, updated), u.OnlyRemoves()), nil
	}
	t.Fatalf("no kind %q", kind)
	return "", nil
}

// showCondition prints the tree of a condition and what it is of the item.
func showCondition(c *Condition, it attr.Item) string {
	if c == nil {
		return "none"
	}
	var values []string
	for _, v := range c.values {
		values = append(values, v.String())
	}
	return fmt.Sprintf("%s is %v", sexpr(c.root, c.paths, values), c.Eval(it))
}

func TestLegacyAbsent(t *testing.T) {
	if c, err := FromExpected(nil, nil); c != nil || err != nil {
		t.Error("FromExpected", c, err)
	}
	if c, err := FromFilter(nil, nil); c != nil || err != nil {
		t.Error("FromFilter", c, err)
	}
	if k, err := FromKeyConditions(nil); k != nil || err != nil {
		t.Error("FromKeyConditions", k, err)
	}
	if u, err := FromAttributeUpdates(nil); u != nil || err != nil {
		t.Error("FromAttributeUpdates", u, err)
	}
	if p, err := FromAttributesToGet(nil); p != nil || err != nil {
		t.Error("FromAttributesToGet", p, err)
	}
}

func TestCheckMixing(t *testing.T) {
	const text = "Can not use both expression and non-expression parameters in the same request: "
	tests := []struct {
		legacy, expressions []string
		want                string
	}{
		{nil, nil, ""},
		{[]string{"Expected"}, nil, ""},
		{nil, []string{"UpdateExpression"}, ""},
		{[]string{"Expected"}, []string{"UpdateExpression"}, text + "Non-expression parameters: {Expected} Expression parameters: {UpdateExpression}"},
		{[]string{"AttributeUpdates", "Expected"}, []string{"UpdateExpression", "ConditionExpression"},
			text + "Non-expression parameters: {AttributeUpdates, Expected} Expression parameters: {UpdateExpression, ConditionExpression}"},
	}
	for _, tt := range tests {
		checkError(t, CheckMixing(tt.legacy, tt.expressions), tt.want)
	}
}
