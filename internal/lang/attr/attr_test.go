package attr

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// TestForm pins the stored bytes.
func TestForm(t *testing.T) {
	for _, c := range []struct{ text, form string }{
		{`{"S":"abc"}`, "01 03 616263"},
		{`{"N":"123"}`, "02 04 03 84 19 3c"},
		{`{"N":"0"}`, "02 01 02"},
		{`{"B":"/wA="}`, "03 02 ff00"},
		{`{"BOOL":true}`, "04 01"},
		{`{"BOOL":false}`, "04 00"},
		{`{"NULL":true}`, "05"},
		{`{"SS":["b","aa"]}`, "06 07 01 02 6161 01 01 62"},
		{`{"NS":["1","-1"]}`, "07 0a 02 03 01 7d eb 02 03 03 82 14"},
		{`{"BS":["AQ=="]}`, "08 03 03 01 01"},
		{`{"L":[{"S":"a"},{"NULL":true}]}`, "09 04 01 01 61 05"},
		{`{"M":{"b":{"NULL":true},"a":{"L":[]}}}`, "0a 07 01 61 09 00 01 62 05"},
	} {
		want, err := hex.DecodeString(strings.ReplaceAll(c.form, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := parseValue(t, c.text); !bytes.Equal(got, want) {
			t.Errorf("%s: % x, want % x", c.text, []byte(got), want)
		}
	}
}

func TestTypes(t *testing.T) {
	for typ := S; typ <= M; typ++ {
		if ParseType(typ.String()) != typ || ParseType([]byte(typ.String())) != typ {
			t.Errorf("%s is not found by its name", typ)
		}
	}
	for _, name := range []string{"", "s", "X", "SSS", "BOOLEAN"} {
		if ParseType(name) != Missing {
			t.Errorf("%q is a type", name)
		}
	}
	for _, c := range [][2]Type{{SS, S}, {NS, N}, {BS, B}, {S, Missing}, {L, Missing}, {M, Missing}, {Missing, Missing}} {
		if c[0].Elem() != c[1] {
			t.Errorf("%s has members of type %s", c[0], c[0].Elem())
		}
	}
}

func TestAccess(t *testing.T) {
	it := parseItem(t, `{"l":{"L":[{"S":"x"},{"N":"5"},{"NULL":true}]},"m":{"M":{"a":{"BOOL":true},"b":{"BOOL":false}}},"s":{"SS":["a","b"]},"z":{"B":"AQI="}}`)
	if it.Len() != 4 || it.Get("l").Len() != 3 || it.Get("m").Len() != 2 || it.Get("s").Len() != 2 {
		t.Error("wrong counts")
	}
	for i, want := range []string{`{"S":"x"}`, `{"N":"5"}`, `{"NULL":true}`, "null"} {
		if got := it.Get("l").Index(i).String(); got != want {
			t.Errorf("element %d is %s, want %s", i, got, want)
		}
	}
	m := it.Get("m").Item()
	if !m.Get("a").Bool() || m.Get("b").Bool() || m.Get("c") != nil || m.Get("") != nil {
		t.Error("wrong attributes of the map")
	}
	for _, name := range []string{"", "a", "ll", "n", "zz"} {
		if v := it.Get(name); v != nil {
			t.Errorf("%q is %s", name, v)
		}
	}
	if got := it.Get("z").Bytes(); !bytes.Equal(got, []byte{1, 2}) {
		t.Errorf("bytes %x", got)
	}
	if Item(nil).Get("a") != nil || Item(nil).Len() != 0 || Value(nil).Type() != Missing || Map(Item{}).Item() == nil {
		t.Error("nothing is not empty")
	}
	for range it.All() {
		break
	}
	for range it.Get("l").Elems() {
		break
	}
}

// Each attribute alone is an item, and all of them make up the item.
func TestSplit(t *testing.T) {
	it := parseItem(t, `{"b":{"S":"x"},"bb":{"L":[{"S":"y"}]},"d":{"NULL":true}}`)
	var joined Item
	for name, alone := range it.Split() {
		if !Valid(alone) || alone.Len() != 1 || !Equal(alone.Get(string(name)), it.Get(string(name))) {
			t.Errorf("%q alone is %v", name, alone)
		}
		joined = append(joined, alone...)
	}
	if !bytes.Equal(joined, it) {
		t.Errorf("joined %v", joined)
	}
	for range it.Split() {
		break
	}
}

func TestDepth(t *testing.T) {
	for text, want := range map[string]int{
		`{"S":"a"}`: 1, `{"SS":["a"]}`: 1, `{"L":[]}`: 1, `{"M":{}}`: 1, `{"L":[{"S":"a"},{"L":[]}]}`: 2, `{"M":{"a":{"L":[{"M":{}}]},"b":{"NULL":true}}}`: 3,
	} {
		if got := parseValue(t, text).Depth(); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestConstructors(t *testing.T) {
	num, err := Number("1.50")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Set(SS, String("b"), String("a"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		v    Value
		want string
	}{
		{String("é"), `{"S":"é"}`},
		{num, `{"N":"1.5"}`},
		{Int(-7), `{"N":"-7"}`},
		{Decimal(num.Bytes()), `{"N":"1.5"}`},
		{Binary([]byte{0}), `{"B":"AA=="}`},
		{Boolean(true), `{"BOOL":true}`},
		{Boolean(false), `{"BOOL":false}`},
		{Null(), `{"NULL":true}`},
		{List(Null(), Int(1)), `{"L":[{"NULL":true},{"N":"1"}]}`},
		{List(), `{"L":[]}`},
		{Map(Make(Field{"b", Null()}, Field{"a", Null()})), `{"M":{"a":{"NULL":true},"b":{"NULL":true}}}`},
		{Map(nil), `{"M":{}}`},
		{set, `{"SS":["a","b"]}`},
		{AppendItem(nil, Make(Field{"a", String(strings.Repeat("x", 200))})), `{"M":{"a":{"S":"` + strings.Repeat("x", 200) + `"}}}`},
	} {
		if got := c.v.String(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
		if !Equal(c.v, parseValue(t, c.want)) {
			t.Errorf("%s: %x differs from what is decoded", c.want, []byte(c.v))
		}
	}
	if _, err := Number("x"); err == nil || err.Error() != "The parameter cannot be converted to a numeric value: x" {
		t.Errorf("Number: %v", err)
	}
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct {
		t       Type
		members []Value
		want    string
	}{
		{SS, nil, emptySet(SS)},
		{NS, nil, emptySet(NS)},
		{BS, nil, emptySet(BS)},
		{SS, []Value{String("b"), String("a"), String("b")}, invalid + "Input collection [b, a, b] contains duplicates."},
		{NS, []Value{Int(1), Int(1)}, "Input collection contains duplicates"},
		{BS, []Value{Binary([]byte{0}), Binary([]byte{0})}, invalid + "Input collection [AA==, AA==]of type BS contains duplicates."},
		{SS, []Value{Int(1)}, "a set of type SS cannot hold a value of type N"},
		{L, []Value{Int(1)}, "a set of type L cannot hold a value of type N"},
		{S, []Value{nil}, "a set of type S cannot hold a value of type "},
	} {
		if v, err := Set(c.t, c.members...); err == nil || err.Error() != c.want {
			t.Errorf("%s of %v: %v %v, want %s", c.t, c.members, v, err, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
		ok   bool
	}{
		{`{"S":"a"}`, `{"S":"b"}`, -1, true},
		{`{"S":"b"}`, `{"S":"aa"}`, 1, true},
		{`{"S":"a"}`, `{"S":"a"}`, 0, true},
		{`{"S":"z"}`, `{"S":"é"}`, -1, true},
		{`{"S":"\uffff"}`, `{"S":"😀"}`, -1, true}, // by UTF-8; UTF-16 has it the other way round
		{`{"N":"9"}`, `{"N":"10"}`, -1, true},
		{`{"N":"-9"}`, `{"N":"-10"}`, 1, true},
		{`{"N":"1.0"}`, `{"N":"1"}`, 0, true},
		{`{"B":"/w=="}`, `{"B":"AA=="}`, 1, true},
		{`{"S":"1"}`, `{"N":"1"}`, 0, false},
		{`{"BOOL":true}`, `{"BOOL":true}`, 0, false},
		{`{"NULL":true}`, `{"NULL":true}`, 0, false},
		{`{"SS":["a"]}`, `{"SS":["a"]}`, 0, false},
		{`{"L":[]}`, `{"L":[]}`, 0, false},
	} {
		if got, ok := Compare(parseValue(t, c.a), parseValue(t, c.b)); got != c.want || ok != c.ok {
			t.Errorf("%s, %s: %d %v, want %d %v", c.a, c.b, got, ok, c.want, c.ok)
		}
	}
	if _, ok := Compare(nil, nil); ok {
		t.Error("nothing is ordered")
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"N":"1"}`, `{"N":"1.0e0"}`, true},
		{`{"SS":["a","b"]}`, `{"SS":["b","a"]}`, true},
		{`{"NS":["2","10"]}`, `{"NS":["1e1","2.0"]}`, true},
		{`{"L":[{"S":"a"},{"S":"b"}]}`, `{"L":[{"S":"b"},{"S":"a"}]}`, false},
		{`{"M":{"a":{"S":"x"},"b":{"N":"1"}}}`, `{"M":{"b":{"N":"1.0"},"a":{"S":"x"}}}`, true},
		{`{"S":"1"}`, `{"N":"1"}`, false},
		{`{"S":""}`, `{"B":""}`, false},
	} {
		if got := Equal(parseValue(t, c.a), parseValue(t, c.b)); got != c.want {
			t.Errorf("%s, %s: %v", c.a, c.b, got)
		}
	}
}

// TestMakeAndMerge compares with Go maps.
func TestMakeAndMerge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		model := map[string]Value{}
		var fields []Field
		for range rnd.IntN(8) {
			fields = append(fields, Field{randomName(rnd), String(strings.Repeat("v", rnd.IntN(200)))})
		}
		for _, f := range fields {
			model[f.Name] = f.Value
		}
		before := slices.Clone(fields)
		it := Make(fields...)
		if !slices.EqualFunc(fields, before, func(a, b Field) bool { return a.Name == b.Name }) {
			t.Fatal("Make sorted what it was given")
		}
		checkItem(t, it, model)

		changes := map[string]Value{}
		for range rnd.IntN(6) {
			changes[randomName(rnd)] = [2]Value{nil, Int(rnd.Int64N(100))}[rnd.IntN(2)]
		}
		fields = fields[:0]
		for name, v := range changes { // in Go's random order
			fields = append(fields, Field{name, v})
			if model[name] = v; v == nil {
				delete(model, name)
			}
		}
		checkItem(t, it.Merge(fields), model)
	}
	if it := Make(); it == nil || len(it) != 0 {
		t.Error("no fields make no item")
	}
	if it := Make(Field{"a", nil}, Field{"b", Null()}); it.Len() != 1 {
		t.Errorf("a field without a value makes %s", it)
	}
}

// randomName returns a name that is likely to be met again, in places as a prefix of another.
func randomName(rnd *rand.Rand) string {
	return strings.Repeat("ab", rnd.IntN(70)) + string(rune('a'+rnd.IntN(4)))
}

func checkItem(t *testing.T, it Item, model map[string]Value) {
	t.Helper()
	if !Valid(it) || it.Len() != len(model) {
		t.Fatalf("%s: valid %v", it, Valid(it))
	}
	names := slices.Sorted(maps.Keys(model))
	i := 0
	for name, v := range it.All() {
		if string(name) != names[i] || !Equal(v, model[names[i]]) || !Equal(it.Get(string(name)), v) {
			t.Fatalf("%s: attribute %d is %s", it, i, name)
		}
		i++
	}
}

func TestSetOperations(t *testing.T) {
	for _, c := range []struct{ a, b, union, subtract string }{
		{`{"SS":["a","c"]}`, `{"SS":["b"]}`, `{"SS":["a","b","c"]}`, `{"SS":["a","c"]}`},
		{`{"SS":["a","b"]}`, `{"SS":["b","c"]}`, `{"SS":["a","b","c"]}`, `{"SS":["a"]}`},
		{`{"SS":["a","b"]}`, `{"SS":["a","b"]}`, `{"SS":["a","b"]}`, `null`},
		{`{"SS":["bb","c"]}`, `{"SS":["aaa","c"]}`, `{"SS":["aaa","bb","c"]}`, `{"SS":["bb"]}`},
		{`{"NS":["9","10"]}`, `{"NS":["-1","1e1"]}`, `{"NS":["-1","9","10"]}`, `{"NS":["9"]}`},
		{`{"BS":["AA=="]}`, `{"BS":["/w=="]}`, `{"BS":["AA==","/w=="]}`, `{"BS":["AA=="]}`},
	} {
		a, b := parseValue(t, c.a), parseValue(t, c.b)
		if got := Union(a, b).String(); got != c.union {
			t.Errorf("%s and %s: %s", c.a, c.b, got)
		}
		if got := Union(b, a).String(); got != c.union {
			t.Errorf("%s and %s: %s", c.b, c.a, got)
		}
		if got := Subtract(a, b).String(); got != c.subtract {
			t.Errorf("%s without %s: %s", c.a, c.b, got)
		}
		if !Equal(Union(a, nil), a) || !Equal(Union(nil, a), a) || !Equal(Subtract(a, nil), a) || Subtract(nil, a) != nil {
			t.Errorf("%s and nothing", c.a)
		}
	}
	big := func(from, to int) Value {
		var members []Value
		for i := from; i < to; i++ {
			members = append(members, Int(int64(i)))
		}
		v, err := Set(NS, members...)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if !Equal(Union(big(0, 200), big(100, 300)), big(0, 300)) || !Equal(Subtract(big(0, 300), big(100, 300)), big(0, 100)) {
		t.Error("large sets")
	}
}

func TestContains(t *testing.T) {
	set := parseValue(t, `{"NS":["1","20"]}`)
	for text, want := range map[string]bool{`{"N":"1.0"}`: true, `{"N":"20"}`: true, `{"N":"2"}`: false, `{"S":"1"}`: false} {
		if got := Contains(set, parseValue(t, text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestValidRefuses(t *testing.T) {
	deep := Null()
	for range MaxLevels {
		deep = List(deep)
	}
	for _, c := range []struct{ why, item string }{
		{"no value", "01 61"},
		{"an empty name", "00 05"},
		{"a name that is cut", "05 61"},
		{"a name that is not UTF-8", "01 ff 05"},
		{"names in the wrong order", "01 62 05 01 61 05"},
		{"a name twice", "01 61 05 01 61 05"},
		{"an unknown type", "01 61 0b"},
		{"the type of nothing", "01 61 00 00"},
		{"another BOOL", "01 61 04 02"},
		{"a cut BOOL", "01 61 04"},
		{"a cut string", "01 61 01 02 61"},
		{"a string that is not UTF-8", "01 61 01 01 ff"},
		{"a length that is too long", "01 61 01 81 00 61"},
		{"a length without end", "01 61 01 ff ff ff ff ff ff ff ff ff ff"},
		{"a huge length", "01 61 01 ff ff ff ff ff ff ff ff 7f"},
		{"no length", "01 61 01"},
		{"an empty number", "01 61 02 00"},
		{"a malformed number", "01 61 02 02 03 84"},
		{"a number and more", "01 61 02 02 02 02"},
		{"an empty set", "01 61 06 00"},
		{"a set in the wrong order", "01 61 06 06 01 01 62 01 01 61"},
		{"a member twice", "01 61 06 06 01 01 61 01 01 61"},
		{"a member of another type", "01 61 06 03 03 01 61"},
		{"a cut member", "01 61 06 02 01 01"},
		{"a malformed element", "01 61 09 01 04"},
		{"a malformed attribute", "01 61 0a 02 01 61"},
		{"33 levels", "01 61" + hex.EncodeToString(deep)},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(c.item, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if Valid(b) {
			t.Errorf("%s is valid: % x", c.why, b)
		}
	}
	if !Valid(nil) || !Valid([]byte{}) {
		t.Error("an empty item is not valid")
	}
}

// seeds are items for the fuzz targets.
func seeds(t testing.TB) []string {
	var out []string
	for _, typ := range []string{`{"S":"é\n"}`, `{"N":"-1.5e3"}`, `{"B":"AAE="}`, `{"SS":["b","a"]}`, `{"NS":["1","2"]}`, `{"BS":["AA==",""]}`,
		`{"L":[{"M":{"x":{"BOOL":true}}},{"NULL":true}]}`} {
		out = append(out, fmt.Sprintf(`{"b":%s,"a":{"S":"x"},"c":{"L":[%s]}}`, typ, typ))
	}
	return append(out, order, document(2))
}

// FuzzValid holds that bytes which are valid can be read in every way and survive a round trip through JSON.
func FuzzValid(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add([]byte(parseItem(f, s)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !Valid(b) {
			return
		}
		it := Item(b)
		for name, v := range it.All() {
			if v.Size() >= 2*len(v) { // which Item.Within relies upon
				t.Fatalf("%v has size %d and length %d", v, v.Size(), len(v))
			}
			v.Depth()
			if !Equal(it.Get(string(name)), v) {
				t.Fatalf("%s is not found", name)
			}
		}
		text := it.String()
		if again := parseItem(t, text); !bytes.Equal(again, b) {
			t.Fatalf("% x, but % x from %s", b, []byte(again), text)
		}
		if again := ThawItem(it).AppendItem(nil); !bytes.Equal(again, b) {
			t.Fatalf("% x, but % x after thawing", b, again)
		}
	})
}

// FuzzDecode holds that whatever a client sends leaves a canonical item behind.
func FuzzDecode(f *testing.F) {
	for _, s := range append(seeds(f), `{"a":{"S":1},"b":{"N":"x"}}`, `{"":{},"a":{"SS":["a","a"]}}`) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var r jsontok.Reader
		var d Decoder
		r.Reset([]byte(s))
		sent, _ := d.Item(&r, r.Next())
		sent.Item.AppendJSON(nil) // must not panic, however faulty or malformed s is
		it, err := ParseItem(s)
		if err != nil {
			return
		}
		if !Valid(it) {
			t.Fatalf("%s: % x is not valid", s, []byte(it))
		}
		if again := parseItem(t, it.String()); !bytes.Equal(again, it) {
			t.Fatalf("%s reads back as %s", s, it)
		}
	})
}
