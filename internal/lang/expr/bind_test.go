package expr

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// with returns the request with the text as its expression of the kind.
func (r Request) with(k kind, text string) Request {
	*[]**string{&r.Update, &r.Condition, &r.KeyCondition, &r.Filter, &r.Projection}[k] = &text
	return r
}

// TestCheck pins what binding makes of expressions beside names and values from the request.
func TestCheck(t *testing.T) {
	cache := NewCache(100)
	runDataFile(t, "check.txt", func(t *testing.T, f *fixture, input string) string {
		r := f.request(input).with(kindNamed(t, f.vars["kind"]), input)
		b, err := cache.Bind(r)
		if _, again := cache.Bind(r); fmt.Sprint(again) != fmt.Sprint(err) {
			t.Errorf("%s: first %v, then %v", input, err, again)
		}
		switch {
		case err != nil:
			return err.Error()
		case b.KeyCondition != nil:
			return b.KeyCondition.String()
		}
		return "ok"
	})
}

// String prints a key condition as a test wants to see it.
func (k *KeyCondition) String() string {
	var conds []string
	for _, c := range k.Conds {
		op := [...]string{"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with", "?"}[c.Op]
		cond := c.Name + " " + op
		for _, v := range c.Values {
			cond += " " + v.String()
		}
		conds = append(conds, cond)
	}
	return strings.Join(conds, "; ")
}

// TestMaps checks the two maps and that they are used, and the order of these checks.
func TestMaps(t *testing.T) {
	sent := func(json string) attr.SentItem { return sentItem(t, json) }
	long := func(sigil string, n int) string { return sigil + strings.Repeat("x", n-1) }
	names := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	const (
		inNames  = "ExpressionAttributeNames contains invalid "
		inValues = "ExpressionAttributeValues contains invalid "
		unused   = "Value provided in ExpressionAttribute"
	)
	tests := []struct {
		name string
		r    Request
		want string // empty: no error
	}{
		{"nothing at all", Request{}, ""},
		{"names alone", Request{Names: names("#a", "a")}, "ExpressionAttributeNames can only be specified when using expressions"},
		{"empty names alone", Request{Names: names()}, "ExpressionAttributeNames can only be specified when using expressions"},
		{"values alone", Request{Values: sent(`{":v":{"S":"x"}}`), Takes: []string{"ConditionExpression"}},
			"ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"},
		{"empty values alone", Request{Values: sent(`{}`), Takes: []string{"UpdateExpression", "ConditionExpression"}},
			"ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null"},
		{"faulty values alone", Request{Values: sent(`{":v":{"N":"x"}}`), Takes: []string{"FilterExpression"}},
			"ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"},
		{"values beside a projection", Request{Projection: new("a"), Values: sent(`{":v":{"S":"x"}}`), Takes: []string{"FilterExpression", "KeyConditionExpression"}},
			"ExpressionAttributeValues can only be specified when using expressions: FilterExpression and KeyConditionExpression are null"},
		{"names before values", Request{Names: names("#a", "a"), Values: sent(`{}`)}, "ExpressionAttributeNames can only be specified when using expressions"},
		{"names of a projection", Request{Projection: new("#a"), Names: names("#a", "a")}, ""},

		{"empty names", Request{Condition: new(""), Names: names(), Values: sent(`{}`)}, "ExpressionAttributeNames must not be empty"},
		{"empty values", Request{Condition: new(""), Values: sent(`{}`)}, "ExpressionAttributeValues must not be empty"},
		{"names before values again", Request{Condition: new(""), Names: names("a", "a"), Values: sent(`{}`)}, inNames + `key: Syntax error; key: "a"`},
		{"name #", Request{Condition: new("a"), Names: names("#", "a")}, inNames + `key: Syntax error; key: "#"`},
		{"name empty", Request{Condition: new("a"), Names: names("", "a")}, inNames + `key: Syntax error; key: ""`},
		{"name #a-b", Request{Condition: new("a"), Names: names("#a-b", "a", "#c", "c")}, inNames + `key: Syntax error; key: "#a-b"`},
		{"name #é", Request{Condition: new("a"), Names: names("#é", "a")}, inNames + `key: Syntax error; key: "#é"`},
		{"name ##a", Request{Condition: new("a"), Names: names("##a", "a")}, inNames + `key: Syntax error; key: "##a"`},
		{"name :a", Request{Condition: new("a"), Names: names(":a", "a")}, inNames + `key: Syntax error; key: ":a"`},
		{"several bad names", Request{Condition: new("a"), Names: names("c", "c", "a", "a", "b", "b")}, inNames + `key: Syntax error; key: "a"`},
		{"name #_0", Request{Projection: new("#_0"), Names: names("#_0", "a")}, ""},
		{"name of 255 bytes", Request{Projection: new(long("#", 255)), Names: names(long("#", 255), "a")}, ""},
		{"name of 256 bytes", Request{Projection: new(long("#", 256)), Names: names(long("#", 256), "a")}, inNames + "key: Key size has exceeded the maximum allowed size; key size: 256"},
		{"name for nothing", Request{Projection: new("#a"), Names: names("#a", "")}, inNames + "value: Empty attribute name for key #a"},
		{"name for 65535 bytes", Request{Projection: new("#a"), Names: names("#a", long("a", 65535))}, ""},
		{"name for 65536 bytes", Request{Projection: new("#a"), Names: names("#a", long("a", 65536))},
			inNames + "value: Attribute name is too large, must be less than or equal to 65535 bytes for key #a"},

		{"value v", Request{Condition: new("a"), Values: sent(`{"v":{"S":"x"}}`)}, inValues + `key: Syntax error; key: "v"`},
		{"value :", Request{Condition: new("a"), Values: sent(`{":":{"S":"x"}}`)}, inValues + `key: Syntax error; key: ":"`},
		{"value #v", Request{Condition: new("a"), Values: sent(`{"#v":{"S":"x"}}`)}, inValues + `key: Syntax error; key: "#v"`},
		{"value :a.b", Request{Condition: new("a"), Values: sent(`{":a.b":{"S":"x"}}`)}, inValues + `key: Syntax error; key: ":a.b"`},
		{"keys before values", Request{Condition: new("a"), Values: sent(`{":a":{"N":"x"},"b":{"S":"x"}}`)}, inValues + `key: Syntax error; key: "b"`},
		{"value of 255 bytes", Request{Condition: new("a = " + long(":", 255)), Values: sent(`{"` + long(":", 255) + `":{"S":"x"}}`)}, ""},
		{"value of 256 bytes", Request{Condition: new("a = " + long(":", 256)), Values: sent(`{"` + long(":", 256) + `":{"S":"x"}}`)},
			inValues + "key: Key size has exceeded the maximum allowed size; key size: 256"},
		{"value without type", Request{Condition: new("a"), Values: sent(`{":v":{}}`)},
			inValues + "value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :v"},
		{"value not a number", Request{Condition: new("a"), Values: sent(`{":v":{"N":"b"}}`)},
			inValues + "value: The parameter cannot be converted to a numeric value: b for key :v"},
		{"value an empty set", Request{Condition: new("a"), Values: sent(`{":v":{"SS":[]}}`)},
			inValues + "value: One or more parameter values were invalid: An string set  may not be empty for key :v"},
		{"value nested too far", Request{Condition: new("a"), Values: sent(`{":v":` + strings.Repeat(`{"L":[`, 32) + `{"S":"x"}` + strings.Repeat(`]}`, 32) + `}`)},
			"Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"},
		{"maps of 2 MB and more", Request{Condition: new("a"), Values: sent(`{":v":{"S":"` + strings.Repeat("x", 2<<20) + `"}}`)},
			"The combined size of ExpressionAttributeNames and ExpressionAttributeValues has exceeded the maximum allowed size; size: 2097160"},
		{"maps before syntax", Request{Condition: new("("), Values: sent(`{":v":{"N":"b"}}`)},
			inValues + "value: The parameter cannot be converted to a numeric value: b for key :v"},

		{"unused name", Request{Projection: new("a"), Names: names("#a", "a")}, unused + "Names unused in expressions: keys: {#a}"},
		{"unused names", Request{Projection: new("#b"), Names: names("#c", "c", "#a", "a", "#b", "b")}, unused + "Names unused in expressions: keys: {#a, #c}"},
		{"unused value", Request{Condition: new("a = :b"), Values: sent(`{":a":{"S":""},":b":{"S":""},":c":{"S":""}}`)}, unused + "Values unused in expressions: keys: {:a, :c}"},
		{"unused name before value", Request{Condition: new("a = b"), Names: names("#a", "a"), Values: sent(`{":a":{"S":""}}`)}, unused + "Names unused in expressions: keys: {#a}"},
		{"names differ in case", Request{Projection: new("#A"), Names: names("#a", "a", "#A", "A")}, unused + "Names unused in expressions: keys: {#a}"},
		{"undefined before unused", Request{Condition: new("a = :b"), Names: names("#a", "a")},
			"Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :b"},
		{"used by different expressions", Request{
			Update: new("SET #a = :a"), Condition: new("#b = :b"), Filter: new("#c = :c"), KeyCondition: new("#d = :d"), Projection: new("#e"),
			Names:  names("#a", "a", "#b", "b", "#c", "c", "#d", "d", "#e", "e"),
			Values: sent(`{":a":{"S":""},":b":{"S":""},":c":{"S":""},":d":{"S":""}}`),
		}, ""},

		{"empty expression", Request{Update: new("")}, "Invalid UpdateExpression: The expression can not be empty;"},
		{"empty projection", Request{Projection: new("")}, "Invalid ProjectionExpression: The expression can not be empty;"},
		{"update first", Request{Update: new(""), Condition: new(""), KeyCondition: new(""), Filter: new(""), Projection: new("")},
			"Invalid UpdateExpression: The expression can not be empty;"},
		{"then condition", Request{Update: new("REMOVE a"), Condition: new("("), KeyCondition: new("("), Filter: new("("), Projection: new("(")},
			`Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("`},
		{"then key condition", Request{KeyCondition: new("("), Filter: new("("), Projection: new("(")},
			`Invalid KeyConditionExpression: Syntax error; token: "<EOF>", near: "("`},
		{"then filter", Request{KeyCondition: new("a = :a"), Filter: new("("), Projection: new("("), Values: sent(`{":a":{"S":""}}`)},
			`Invalid FilterExpression: Syntax error; token: "<EOF>", near: "("`},
		{"then projection", Request{Filter: new("a = b"), Projection: new("(")}, `Invalid ProjectionExpression: Syntax error; token: "(", near: "("`},
		{"each expression to its end", Request{Condition: new("a = :undefined"), Filter: new("(")},
			"Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :undefined"},
		{"100 in the list of IN", Request{Condition: new("a IN (:v" + strings.Repeat(",:v", 99) + ")"), Values: sent(`{":v":{"S":""}}`)}, ""},
		{"101 in the list of IN", Request{Condition: new("a IN (:v" + strings.Repeat(",:v", 100) + ")"), Values: sent(`{":v":{"S":""}}`)},
			"Invalid ConditionExpression: The IN operator is provided with too many operands; number of operands: 101"},
	}
	cache := NewCache(0)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := cache.Bind(tt.r)
			checkError(t, err, tt.want)
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Fatalf("got %s", err)
	case want == "":
	case err == nil:
		t.Fatalf("no error, want %s", want)
	case err.Error() != want:
		t.Fatalf("\n got: %s\nwant: %s", err, want)
	}
	if _, ok := err.(*Error); err != nil && !ok {
		t.Fatalf("a %T", err)
	}
}

// TestCheckPresence checks that it stands before and apart from everything else.
func TestCheckPresence(t *testing.T) {
	r := Request{Names: map[string]string{"bad": ""}}
	checkError(t, r.CheckPresence(), "ExpressionAttributeNames can only be specified when using expressions")
	r = r.with(updateKind, "(")
	checkError(t, r.CheckPresence(), "")
}

// TestBoundMembers checks which members are set, and that the paths are those with the names put in.
func TestBoundMembers(t *testing.T) {
	b, err := NewCache(10).Bind(Request{
		Condition: new("#a.#b[1] = :v AND c = :v"),
		Names:     map[string]string{"#a": "x.y", "#b": "#a"},
		Values:    sentItem(t, `{":v":{"S":"x"}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.Update != nil || b.Filter != nil || b.KeyCondition != nil || b.Projection != nil {
		t.Fatal("a member is set whose expression is absent")
	}
	var paths []string
	for p := range b.Condition.Paths() {
		paths = append(paths, p.String())
	}
	if got := strings.Join(paths, " "); got != "[x.y, #a, [1]] [c]" {
		t.Fatalf("paths are %s", got)
	}
}

// TestNamesOfOthers binds one text to the names of several requests, in turn and at once.
func TestNamesOfOthers(t *testing.T) {
	c := NewCache(10)
	text := "SET #a.#b = :v, #c = #a.x"
	values := attr.Sent(parseItem(t, `{":v":{"N":"1"}}`))
	check := func(names map[string]string, want string) {
		b, err := c.Bind(Request{Update: &text, Names: names, Values: values})
		if err != nil {
			t.Error(err)
		} else if got := fmt.Sprint(slices.Collect(b.Update.Paths()), b.Update.Targets()); got != want {
			t.Errorf("%v: %s, want %s", names, got, want)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				check(map[string]string{"#a": "a", "#b": "b", "#c": "c"}, "[[a, b] [c] [a, x]] [[a, b] [c]]")
				check(map[string]string{"#a": "a", "#b": "b", "#c": "d"}, "[[a, b] [d] [a, x]] [[a, b] [d]]")
				check(map[string]string{"#a": "a", "#b": "c", "#c": "b"}, "[[a, c] [b] [a, x]] [[a, c] [b]]")
				check(map[string]string{"#a": strings.Repeat("n", 2000), "#b": "b", "#c": "c"}, strings.ReplaceAll("[[a, b] [c] [a, x]] [[a, b] [c]]", "a", strings.Repeat("n", 2000)))
			}
		})
	}
	wg.Wait()
}

// TestBindAllocates pins what binding costs when the texts are cached and the names are those of the request before: of each
// expression the bound tree and its values.
func TestBindAllocates(t *testing.T) {
	c := NewCache(10)
	r := Request{
		Update:    new("SET #s = :s ADD #c :one"),
		Condition: new("attribute_exists(pk) AND #s = :open"),
		Names:     map[string]string{"#s": "status", "#c": "count"},
		Values:    attr.Sent(parseItem(t, `{":one":{"N":"1"},":open":{"S":"open"},":s":{"S":"closed"}}`)),
	}
	n := testing.AllocsPerRun(100, func() {
		if _, err := c.Bind(r); err != nil {
			t.Fatal(err)
		}
	})
	if n > 4 {
		t.Errorf("%v allocations", n)
	}
}
