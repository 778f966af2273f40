package api

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// Every tag of the models can be read, and every constraint is one that the checks know for the member's type.
func TestTagsOfTheModels(t *testing.T) {
	var walk func(reflect.Type)
	seen := map[reflect.Type]bool{}
	walk = func(typ reflect.Type) {
		if typ = structIn(typ); typ == nil || seen[typ] {
			return
		}
		seen[typ] = true
		for _, f := range Fields(typ) {
			if problem := misfit(f); problem != "" {
				t.Errorf("%v.%s: %s", typ, f.Name, problem)
			}
			walk(f.Type)
		}
		checksOf(typ)
	}
	for _, op := range ddb.Operations() {
		walk(op.In)
		if op.Out != nil {
			walk(op.Out)
		}
	}
	for _, op := range ddbstreams.Operations() {
		walk(op.In)
	}
	if len(seen) < 200 {
		t.Errorf("only %d structs", len(seen))
	}
}

// misfit tells what in a field's tag cannot be checked for a field of its type.
func misfit(f Field) string {
	elem := f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Map
	text := f.Type == reflect.TypeFor[*string]()
	number := f.Type == reflect.TypeFor[*int64]()
	switch {
	case f.Key != nil && f.Type.Kind() != reflect.Map:
		return "constraints on keys, but no map"
	case f.Elem != nil && !elem:
		return "constraints on elements, but no list or map"
	case (f.Min != nil || f.Max != nil) && !text && !number && !elem:
		return "bounds, but nothing that has a size"
	case (f.Pattern != nil || f.Enum != nil || f.ARN) && !text:
		return "constraints on a text, but no text"
	case f.Int64 && !number:
		return "long, but no integer"
	case f.PatternFirst && f.Pattern == nil, f.ModernMin && f.Min == nil, f.ModernMax && f.Max == nil:
		return "an option that does nothing"
	case f.Phrase.Absent != "" && !f.Required, f.Phrase.Short != "" && f.Min == nil, f.Phrase.Long != "" && f.Max == nil,
		f.Phrase.Unlisted != "" && f.Enum == nil:
		return "a sentence for what cannot happen"
	}
	return ""
}

func TestMalformedTags(t *testing.T) {
	for _, tag := range []reflect.StructTag{`aws:"min=x"`, `aws:"what"`, `aws:"pattern=["`, `key:"max="`, `elem:"min"`} {
		field := reflect.StructField{Name: "F", Type: reflect.TypeFor[*string](), Tag: tag}
		if _, err := newField(field); err == nil {
			t.Errorf("%s is taken", tag)
		}
	}
	defer func() {
		if got, _ := recover().(string); !strings.HasPrefix(got, "api: struct ") {
			t.Errorf("panic %q", got)
		}
	}()
	Fields(reflect.TypeFor[struct {
		F *string `aws:"min=x"`
	}]())
}

func TestParseRule(t *testing.T) {
	r, err := parseRule(`required,long,min=-1,max=2,patternfirst,arn,alone,modern=max,enum=A|B,pattern=[,=]{1,2}`)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Required || !r.Int64 || *r.Min != -1 || *r.Max != 2 || !r.PatternFirst || !r.ARN || !r.Alone || !r.ModernMax || r.ModernMin {
		t.Errorf("%+v", r)
	}
	if strings.Join(r.Enum, " ") != "A B" || r.Pattern.String() != "[,=]{1,2}" || !r.Pattern.match("=,") || r.Pattern.match("===") {
		t.Errorf("%+v", r)
	}
}

func TestTextLen(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "abc": 3, "é": 1, "aéb": 3, "😀": 2, "a😀b€": 5, "\xff": 1} {
		if got := textLen(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern   string
		good, bad []string
	}{
		{NamePattern, []string{"a", "a-b_c.9Z"}, []string{"", "a b", "é", "a\n", "a:b", "a/"}},
		{`\p{Print}+`, []string{"a ~"}, []string{"", "é", "\n", "a\x7f"}},
		{`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*`, []string{"", "aé😀\r\n\t"}, []string{"\x01", "\uffff"}},
		{`[0-9]{12}`, []string{"000000000000"}, []string{"0000000000000", "00000000000", "000000000000\n"}},
		{`^[^\$]+$`, []string{"abc"}, []string{"", "a$b", "$"}},
	} {
		p, err := newPattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.good {
			if !p.match(s) {
				t.Errorf("%s does not take %q", c.pattern, s)
			}
		}
		for _, s := range c.bad {
			if p.match(s) {
				t.Errorf("%s takes %q", c.pattern, s)
			}
		}
	}
}

func TestDump(t *testing.T) {
	item, err := attr.ParseItem(`{"a":{"S":"x"},"b":{"N":"-1.50"},"c":{"B":"AAE="},"d":{"BOOL":true},"e":{"NULL":true},` +
		`"f":{"SS":["x","y"]},"g":{"NS":["1","2"]},"h":{"L":[{"S":"x"},{"L":[]}]},"i":{"M":{"k":{"S":"x"}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	const want = "{a=AttributeValue: {S:x}, b=AttributeValue: {N:-1.5}, c=AttributeValue: {B:AAE=}, d=AttributeValue: {BOOL:true}, " +
		"e=AttributeValue: {NULL:true}, f=AttributeValue: {SS:[x, y]}, g=AttributeValue: {NS:[1, 2]}, " +
		"h=AttributeValue: {L:[AttributeValue: {S:x}, AttributeValue: {L:[]}]}, i=AttributeValue: {M:{k=AttributeValue: {S:x}}}}"
	name, yes, n, x := "n", true, int64(-3), 0.5
	for _, c := range []struct {
		v    any
		want string
	}{
		{attr.Sent(item), want},
		{attr.SentItem{}, "null"},
		{attr.SentValue{}, "null"},
		{attr.SentOf(item.Get("a")), "AttributeValue: {S:x}"},
		{&name, "n"},
		{(*string)(nil), "null"},
		{&yes, "true"},
		{&n, "-3"},
		{&x, "0.5"},
		{[]string{"a", "b"}, "[a, b]"},
		{[]string{}, "[]"},
		{[]string(nil), "null"},
		{map[string]string{"b": "2", "a": "1"}, "{a=1, b=2}"},
		{map[string]string{}, "{}"},
		{map[string]string(nil), "null"},
		{time.Unix(1700000000, 0), "Tue Nov 14 22:13:20 UTC 2023"},
		{&ddb.SSESpecification{Enabled: &yes}, "SSESpecification(enabled=true, sSEType=null, kMSMasterKeyId=null)"},
		{[]ddb.Tag{{Key: &name}}, "[Tag(key=n, value=null)]"},
	} {
		if got := dump(reflect.ValueOf(c.v)); got != c.want {
			t.Errorf("%v:\ngot  %s\nwant %s", c.v, got, c.want)
		}
	}
}

// A message does not send megabytes back.
func TestDumpIsBounded(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	keys := make([]attr.SentItem, 101)
	for i := range keys {
		keys[i] = attr.Sent(attr.Make(attr.Field{Name: "a", Value: attr.String(big)}))
	}
	name := "b;"
	err := Validate(define[ddb.BatchGetItemInput](), &ddb.BatchGetItemInput{
		RequestItems: map[string]ddb.KeysAndAttributes{name: {Keys: keys}}, ReturnConsumedCapacity: &big,
	})
	if err == nil || len(err.Message) > 3*maxDump {
		t.Errorf("%.100v", err)
	}
}

// A structure in a map is checked like any other.
func TestStructuresInMaps(t *testing.T) {
	type value struct {
		Item  attr.SentItem  `aws:"required"`
		Value attr.SentValue `aws:"required"`
	}
	type input struct{ Map map[string]value }
	err := Validate(define[input](), &input{map[string]value{"b": {}, "a": {Value: attr.SentOf(attr.Null())}}})
	const want = "3 validation errors detected: " +
		"Value null at 'map.a.member.item' failed to satisfy constraint: Member must not be null; " +
		"Value null at 'map.b.member.item' failed to satisfy constraint: Member must not be null; " +
		"Value null at 'map.b.member.value' failed to satisfy constraint: Member must not be null"
	if err == nil || err.Message != want {
		t.Errorf("%v", err)
	}
}

func define[I any]() *Op { return &Op{In: reflect.TypeFor[I]()} }

func getItemInput() *ddb.GetItemInput {
	table, capacity, projection, yes := "Customers.Orders-2024", "TOTAL", "#a, b", true
	return &ddb.GetItemInput{
		TableName:                &table,
		Key:                      attr.Sent(attr.Make(attr.Field{Name: "pk", Value: attr.String("x")})),
		ConsistentRead:           &yes,
		ReturnConsumedCapacity:   &capacity,
		ProjectionExpression:     &projection,
		ExpressionAttributeNames: map[string]string{"#a": "a"},
	}
}

func TestValidInputAllocatesNothing(t *testing.T) {
	op, in := define[ddb.GetItemInput](), getItemInput()
	n := testing.AllocsPerRun(100, func() {
		if err := Validate(op, in); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkValidateGetItem(b *testing.B) {
	op, in := define[ddb.GetItemInput](), getItemInput()
	b.ReportAllocs()
	for b.Loop() {
		if err := Validate(op, in); err != nil {
			b.Fatal(err)
		}
	}
}
