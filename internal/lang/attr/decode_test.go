package attr

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// rows returns the lines of a file in testdata, split at tabs, without comments.
func rows(t *testing.T, file string) [][]string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for l := range strings.Lines(string(data)) {
		if !strings.HasPrefix(l, "#") {
			out = append(out, strings.Split(strings.TrimSuffix(l, "\n"), "\t"))
		}
	}
	return out
}

func TestValues(t *testing.T) {
	for _, row := range rows(t, "values") {
		text, size, want := row[0], row[1], row[len(row)-1]
		if len(row) == 2 {
			want = text
		}
		v, err := ParseValue(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := v.String(); got != want {
			t.Errorf("%s reads back as %s, want %s", text, got, want)
		}
		if got := strconv.Itoa(v.Size()); got != size {
			t.Errorf("%s: size %s, want %s", text, got, size)
		}
		if it := Make(Field{"a", v}); !it.Within(it.Size()) || it.Within(it.Size()-1) {
			t.Errorf("%s: Within differs from size %d", text, it.Size())
		}
		if !Valid(Make(Field{"a", v})) {
			t.Errorf("%s: %x is not valid", text, []byte(v))
		}
		if again := parseValue(t, want); !Equal(v, again) {
			t.Errorf("%s: %x, but %x of what it reads back as", text, []byte(v), []byte(again))
		}
	}
}

func TestFaults(t *testing.T) {
	for _, row := range rows(t, "faults") {
		text, kind, want := row[0], row[1], strings.NewReplacer(`\n`, "\n", `\r`, "\r").Replace(row[2])
		_, err := ParseValue(text)
		var fault *Error
		var wrong TypeError
		got := "text"
		switch {
		case err == nil:
			got = "nothing"
		case errors.As(err, &fault):
			got = "fault"
		case errors.As(err, &wrong):
			got = "type"
		}
		if got != kind {
			t.Errorf("%s: wrong is %s (%v), want %s", text, got, err, kind)
		} else if kind != "text" && err.Error() != want {
			t.Errorf("%s:\n got %q\nwant %q", text, err, want)
		}
	}
}

// A value that is read in one step is what it is in another spelling, and so is what is wrong with it.
func TestSpelling(t *testing.T) {
	for _, row := range append(rows(t, "values"), rows(t, "faults")...) {
		compact, err := ParseItem(`{"a":` + row[0] + `}`)
		spaced, spacedErr := ParseItem(`{"a":` + strings.Replace(row[0], "{", "{ ", 1) + `}`)
		if (err == nil) != (spacedErr == nil) || err != nil && row[1] != "text" && err.Error() != spacedErr.Error() {
			t.Errorf("%s: %v, spelled with a space %v", row[0], err, spacedErr)
		}
		if string(compact) != string(spaced) {
			t.Errorf("%s: %x, spelled with a space %x", row[0], compact, spaced)
		}
	}
}

// TestFaultyValuesAsElements puts each faulty value between two others, which must be read all the same.
func TestFaultyValuesAsElements(t *testing.T) {
	for _, row := range rows(t, "faults") {
		if row[1] == "text" || row[0][0] != '{' {
			continue
		}
		var r jsontok.Reader
		var d Decoder
		r.Reset([]byte(`[{"S":"before"},` + row[0] + `,{"S":"after"}]`))
		r.Next()
		before, err1 := d.Element(&r, r.Next())
		faulty, err2 := d.Element(&r, r.Next())
		after, err3 := d.Element(&r, r.Next())
		if before.Value.String() != `{"S":"before"}` || after.Value.String() != `{"S":"after"}` || r.Next() != jsontok.EndArr {
			t.Errorf("%s: %s %s", row[0], before.Value, after.Value)
		}
		if err1 != nil || before.Check() != nil || err3 != nil || after.Check() != nil {
			t.Errorf("%s: its neighbours are faulty", row[0])
		}
		if (err2 == nil) != (row[1] == "fault") || err2 == nil && faulty.Check() == nil {
			t.Errorf("%s: %v %v", row[0], err2, faulty.Check())
		}
		if !faulty.Present() || faulty.Value.Type() != NULL {
			t.Errorf("%s: reads as %s", row[0], faulty.Value)
		}
	}
}

func TestItemFaults(t *testing.T) {
	long := strings.Repeat("n", MaxName)
	for _, c := range []struct{ text, name, fault, item string }{
		{`{}`, "", "", `{}`},
		{`{"b":{"S":"1"},"a":{"S":"2"}}`, "", "", `{"a":{"S":"2"},"b":{"S":"1"}}`},
		{`{"a":{"S":"1"},"a":{"S":"2"},"a":{"S":"3"}}`, "", "", `{"a":{"S":"3"}}`},
		{`{"a":{"S":"1"},"b":{}}`, "b", noType, `{"a":{"S":"1"},"b":{"NULL":true}}`},
		{`{"b":{"L":[{"M":{"x":{"SS":[]}}}]},"a":{}}`, "b", emptySet(SS), `{"a":{"NULL":true},"b":{"NULL":true}}`},
		{`{"a":{"NS":["1","1"]},"b":{"NS":["2","1"]}}`, "a", duplicates(NS, nil), `{"a":{"NULL":true},"b":{"NS":["1","2"]}}`},
		{`{"a":null}`, "a", noType, `{"a":{"NULL":true}}`},
		{`{":v":{"S":"1","N":"1"}}`, ":v", manyTypes, `{":v":{"NULL":true}}`},
		{`{"":{"S":"1"}}`, "", emptyName, `{"":{"S":"1"}}`},
		{`{"a":{"M":{"":{"S":"1"}}}}`, "a", emptyName, `{"a":{"NULL":true}}`},
		{`{"` + long + `":{"S":"1"}}`, "", "", `{"` + long + `":{"S":"1"}}`},
		{`{"` + long + `n":{"S":"1"}}`, long + "n", longName, `{"` + long + `n":{"S":"1"}}`},
	} {
		var r jsontok.Reader
		var d Decoder
		r.Reset([]byte(c.text))
		s, err := d.Item(&r, r.Next())
		if err != nil || r.Next() != jsontok.EOF {
			t.Errorf("%.99s: %v, %v", c.text, err, r.Err())
		}
		if got := s.Item.String(); got != c.item || !s.Present() {
			t.Errorf("%.99s: %.99s, want %.99s", c.text, got, c.item)
		}
		fault := s.Check()
		switch {
		case fault == nil && c.fault != "":
			t.Errorf("%.99s: no fault, want %q", c.text, c.fault)
		case fault != nil && (fault.Text != c.fault || fault.Name != c.name):
			t.Errorf("%.99s: %q in %q, want %q in %q", c.text, fault.Text, fault.Name, c.fault, c.name)
		}
	}
}

// TestTooManyEntries: values with more entries than any item can have are faulty, and cost no more than their text.
func TestTooManyEntries(t *testing.T) {
	for _, text := range []string{
		`{"SS":[` + strings.Repeat(`"a",`, maxEntries) + `"b"]}`,
		`{"M":{` + strings.Repeat(`"a":{"S":""},`, maxEntries) + `"b":{"S":""}}}`,
		`{"L":[{"NS":[` + strings.Repeat(`"1",`, maxEntries) + `"2"]}]}`,
	} {
		_, err := ParseItem(`{"a":` + text + `}`)
		var fault *Error
		if !errors.As(err, &fault) || fault.Text != tooLarge || fault.Name != "a" {
			t.Errorf("%.20s: %.200v", text, err)
		}
	}
}

func TestItemTypes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`[]`, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"},
		{`"a"`, "Unexpected field type"},
		{`5`, "Unexpected field type"},
		{`true`, "Unexpected field type"},
		{`{"a":"b"}`, "Unexpected value type in payload"},
		{`{"a":{"N":1}}`, "NUMBER_VALUE cannot be converted to String"},
		{`{"a":{},"b":{"N":1.5},"c":{"S":1}}`, "DECIMAL_VALUE cannot be converted to String"},
	} {
		var r jsontok.Reader
		var d Decoder
		r.Reset([]byte("[" + c.text + `,{"a":{"S":"after"}}]`))
		r.Next()
		s, err := d.Item(&r, r.Next())
		if err != TypeError(c.want) || !s.Present() {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
		after, err := d.Item(&r, r.Next())
		if err != nil || after.Item.String() != `{"a":{"S":"after"}}` || r.Next() != jsontok.EndArr {
			t.Errorf("%s: the item after it reads as %s: %v", c.text, after.Item, err)
		}
	}
}

func TestAbsent(t *testing.T) {
	var r jsontok.Reader
	var d Decoder
	r.Reset([]byte(`[null,null,null]`))
	r.Next()
	if s, err := d.Item(&r, r.Next()); s.Present() || s.Check() != nil || err != nil {
		t.Errorf("null is the item %s: %v", s.Item, err)
	}
	if s, err := d.Value(&r, r.Next()); s.Present() || s.Check() != nil || err != nil {
		t.Errorf("null is the value %s: %v", s.Value, err)
	}
	if s, err := d.Element(&r, r.Next()); !s.Present() || s.Check() == nil || err != nil {
		t.Errorf("null is the element %s: %v", s.Value, err)
	}
	if (SentItem{}).Present() || (SentValue{}).Present() || !Sent(Item{}).Present() || !SentOf(Null()).Present() {
		t.Error("Present is wrong about constructed values")
	}
}

func TestNesting(t *testing.T) {
	nested := func(n int, open, end string) string {
		return strings.Repeat(open, n) + `{"S":"leaf"}` + strings.Repeat(end, n)
	}
	for _, wrap := range [][2]string{{`{"L":[`, `]}`}, {`{"M":{"a":`, `}}`}} {
		v, err := ParseValue(nested(MaxLevels-1, wrap[0], wrap[1]))
		if err != nil || v.Depth() != MaxLevels || !Valid(Make(Field{"a", v})) {
			t.Errorf("31 levels around a value: %v, depth %d", err, v.Depth())
		}
		for _, n := range []int{MaxLevels, MaxLevels + 1, 400} {
			text := `{"b":{"S":"x"},"a":` + nested(n, wrap[0], wrap[1]) + `,"c":{}}`
			_, err := ParseItem(text)
			var fault *Error
			if !errors.As(err, &fault) || !fault.Nesting || fault.Text != tooNested || fault.Name != "a" {
				t.Errorf("%d levels around a value: %v", n, err)
			}
		}
		tooDeep := nested(jsontok.MaxDepth, wrap[0], wrap[1])
		if _, err := ParseValue(tooDeep); err == nil || errors.As(err, new(*Error)) {
			t.Errorf("nested deeper than JSON may be: %v", err)
		}
		if _, err := ParseValue(strings.Repeat(wrap[0], 100_000)); err == nil {
			t.Error("unclosed text is a value")
		}
	}
	if _, err := ParseItem(`{"a":{"N":"x"}}`); err.(*Error).Nesting {
		t.Error("a number's fault is called one of nesting")
	}
}

// TestReturnedItemsStay decodes many items into one buffer that has to grow and compares them when all are there.
func TestReturnedItemsStay(t *testing.T) {
	var r jsontok.Reader
	var d Decoder
	var items []Item
	var want []string
	for i := range 300 {
		text := `{"pk":{"S":"` + strconv.Itoa(i) + `"},"b":{"SS":["` + strings.Repeat("x", i) + `","a"]},"a":{"L":[{"N":"` + strconv.Itoa(i) + `"}]}}`
		r.Reset([]byte(text))
		s, err := d.Item(&r, r.Next())
		if err != nil || s.Check() != nil {
			t.Fatal(err, s.Check())
		}
		items = append(items, s.Item)
		want = append(want, parseItem(t, text).String())
		if i%100 == 99 {
			d.Reset()
		}
	}
	for i, it := range items {
		if it.String() != want[i] {
			t.Errorf("item %d became %s", i, it)
		}
		if cap(it) != len(it) {
			t.Errorf("item %d can be appended to over its neighbour", i)
		}
	}
}

// TestLengths puts contents of lengths about the steps of the prefix into strings, sets, lists and maps.
func TestLengths(t *testing.T) {
	for _, n := range []int{0, 1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 16380, 16383, 16384, 16385, 1 << 21} {
		s := strings.Repeat("x", n)
		for _, text := range []string{
			`{"S":"` + s + `"}`,
			`{"SS":["` + s + `"]}`,
			`{"L":[{"S":"` + s + `"},{"NULL":true}]}`,
			`{"M":{"a":{"L":[{"M":{"a":{"S":"` + s + `"}}}]}}}`,
		} {
			v := parseValue(t, text)
			if v.String() != text || !Valid(Make(Field{"a", v})) {
				t.Errorf("%.20s of %d bytes reads back as %.99s", text, len(text), v)
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	in := []byte(order)
	var r jsontok.Reader
	var d Decoder
	decode := func() {
		r.Reset(in)
		d.Reset()
		d.Grow(len(in))
		d.Item(&r, r.Next())
	}
	decode()
	if n := testing.AllocsPerRun(100, decode); n != 1 {
		t.Errorf("decoding allocates %v times, want once", n)
	}
	it := parseItem(t, order)
	dst := make([]byte, 0, 2*len(in))
	if n := testing.AllocsPerRun(100, func() {
		it.AppendJSON(dst)
		it.Size()
		it.Get("total")
		it.Len()
		AppendItem(dst, it)
		Valid(it)
		for _, v := range it.All() {
			v.Depth()
			Compare(v, v)
		}
		Contains(it.Get("tags"), it.Get("status"))
	}); n != 0 {
		t.Errorf("reading allocates %v times", n)
	}
	changes := []Field{{"count", Int(1)}, {"paid", nil}}
	if n := testing.AllocsPerRun(100, func() { it.Merge(changes) }); n != 1 {
		t.Errorf("Merge allocates %v times, want once", n)
	}
}
