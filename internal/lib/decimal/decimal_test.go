package decimal

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

var errorNames = map[error]string{
	ErrSyntax: "syntax", ErrPrecision: "precision", ErrOverflow: "overflow", ErrUnderflow: "underflow",
}

// lines returns the lines of a file in testdata without comments.
func lines(t *testing.T, file string) []string {
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for l := range strings.Lines(string(data)) {
		if !strings.HasPrefix(l, "#") {
			out = append(out, strings.TrimSuffix(l, "\n"))
		}
	}
	return out
}

// parsed returns the form of text, which must be a number.
func parsed(t testing.TB, text string) []byte {
	t.Helper()
	f, err := Append(nil, []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// shown prints what a call returned: a number's text or the name of the error.
func shown(f []byte, err error) string {
	if err != nil {
		return errorNames[err]
	}
	return string(AppendText(nil, f))
}

func TestParse(t *testing.T) {
	for _, l := range lines(t, "parse") {
		text, rest, _ := strings.Cut(l, "\t")
		want, size, _ := strings.Cut(rest, "\t")
		f, err := Append([]byte("x"), []byte(text))
		if f[0] != 'x' || err != nil && len(f) != 1 {
			t.Errorf("%q: appends %x", text, f)
		}
		f = f[1:]
		if got := shown(f, err); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		if err != nil {
			continue
		}
		if got := strconv.Itoa(Size(f)); got != size {
			t.Errorf("%q: size %s, want %s", text, got, size)
		}
		if again := parsed(t, want); !bytes.Equal(again, f) {
			t.Errorf("%q: form %x, but %x of its text", text, f, again)
		}
	}
}

func TestLongTexts(t *testing.T) {
	zeros := strings.Repeat("0", 1e6)
	for _, c := range []struct{ text, want string }{
		{zeros + "1", "1"},
		{"1." + zeros, "1"},
		{"1" + zeros + "e-1000000", "1"},
		{"0." + zeros + "1e1000001", "1"},
		{"1" + zeros, "overflow"},
		{"0." + zeros + "1", "underflow"},
		{"1e" + zeros + "2", "100"},
		{"1e1" + zeros, "overflow"},
		{strings.Repeat("9", 1e6) + "e-999999", "precision"},
	} {
		f, err := Append(nil, []byte(c.text))
		if got := shown(f, err); got != c.want {
			t.Errorf("%.10s...: %s, want %s", c.text, got, c.want)
		}
	}
}

func TestForms(t *testing.T) {
	for _, c := range []struct {
		text string
		form []byte
	}{
		{"0", []byte{2}},
		{"1", []byte{3, 130, 20}},
		{"12", []byte{3, 131, 24}},
		{"123", []byte{3, 132, 25, 60}},
		{"-123", []byte{1, ^byte(132), ^byte(25), ^byte(60)}},
		{"10001", []byte{3, 134, 21, 1, 20}},
		{"1e-130", []byte{3, 0, 20}},
		{"9e125", []byte{3, 255, 180}},
		{"-9.9e125", []byte{1, 0, ^byte(198)}},
	} {
		if f := parsed(t, c.text); !bytes.Equal(f, c.form) {
			t.Errorf("%s: %v, want %v", c.text, f, c.form)
		}
	}
	if n := len(parsed(t, strings.Repeat("9", 38))); n != MaxLen {
		t.Errorf("the longest form has %d bytes, MaxLen is %d", n, MaxLen)
	}
}

// TestOrder holds that numbers in ascending order have forms in ascending order.
func TestOrder(t *testing.T) {
	ascending := strings.Fields(`-9.9999999999999999999999999999999999999e125 -9e125 -1e125 -1000 -100.1 -100 -99.999 -99 -12.5 -12 -2 -1.01
		-1.001 -1 -0.99 -0.9 -0.1 -0.01 -2e-130 -1e-130 0 1e-130 1.1e-129 2e-129 0.001 0.01 0.010001 0.0101 0.1 0.11 0.9 0.99 1 1.0001 1.01 1.1 2 9 10
		10.00000001 11 12 12.5 13 99 99.999 100 100.1 101 1000 1e38 1.0000000000000000000000000000000000001e38 1e125 9e125 9.9e125`)
	for i, a := range ascending {
		for j, b := range ascending {
			if got, want := bytes.Compare(parsed(t, a), parsed(t, b)), cmp.Compare(i, j); got != want {
				t.Errorf("%s, %s: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestLen(t *testing.T) {
	for _, text := range []string{"0", "1", "-1", "123.456", "-98765432101234567890123456789012345678", "1e-130"} {
		f := parsed(t, text)
		for _, tail := range []string{"", "\x00", "\xff\xff", string(f)} {
			if n := Len(append(bytes.Clone(f), tail...)); n != len(f) {
				t.Errorf("%s and %q: %d, want %d", text, tail, n, len(f))
			}
		}
		for n := range f {
			if got := Len(f[:n]); got != 0 {
				t.Errorf("%s cut to %d bytes: %d", text, n, got)
			}
		}
	}
	for _, b := range [][]byte{
		{0}, {4}, {255},
		{3, 130, 0}, {3, 130, 1, 20}, {3, 130, 18}, {3, 130, 19, 20}, // first digit 0
		{3, 130, 21, 0}, {1, 130, ^byte(21), 255}, // last pair 00
		{3, 130, 200}, {3, 130, 21, 255}, {1, 130, 0}, // no pair
		append([]byte{3, 130}, bytes.Repeat([]byte{21}, 30)...), // no end
		append(append([]byte{3, 130}, bytes.Repeat([]byte{21}, 19)...), 20),
	} {
		if n := Len(b); n != 0 {
			t.Errorf("%v: %d", b, n)
		}
	}
}

func TestInts(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 9, 10, 99, 100, -100, 123456789, math.MaxInt64, math.MinInt64, math.MaxInt64 - 7, 1e18} {
		f := AppendInt(nil, n)
		if text := strconv.FormatInt(n, 10); !bytes.Equal(f, parsed(t, text)) {
			t.Errorf("%s: form %x", text, f)
		}
		if got, ok := Ceil(f); !ok || got != n {
			t.Errorf("%d: %d %v", n, got, ok)
		}
	}
}

func TestCeil(t *testing.T) {
	for text, want := range map[string]int64{
		"0.5": 1, "-0.5": 0, "1e-130": 1, "-1e-130": 0, "1.01": 2, "-1.01": -1, "1.50e1": 15, "120": 120, "1e18": 1e18, "99.9999999999999999999999999999999999": 100,
		"1767225600.25": 1767225601, "9223372036854775806.5": math.MaxInt64, "-9223372036854775808.5": math.MinInt64,
	} {
		if n, ok := Ceil(parsed(t, text)); !ok || n != want {
			t.Errorf("%s: %d %v, want %d", text, n, ok, want)
		}
	}
	for _, text := range []string{
		"9223372036854775808", "9223372036854775807.1", "-9223372036854775809", "1e19", "9999999999999999999", "9999999999999999999.9", "18446744073709551616", "1e125", "-1e125",
	} {
		if n, ok := Ceil(parsed(t, text)); ok {
			t.Errorf("%s: %d", text, n)
		}
	}
}

func TestSums(t *testing.T) {
	for _, l := range lines(t, "sums") {
		c := strings.Fields(l)
		a, b := parsed(t, c[0]), parsed(t, c[1])
		if got := shown(Add(nil, a, b)); got != c[2] {
			t.Errorf("%s + %s: %s, want %s", c[0], c[1], got, c[2])
		}
		if got := shown(Add(nil, b, a)); got != c[2] {
			t.Errorf("%s + %s: %s, want %s", c[1], c[0], got, c[2])
		}
		if got := shown(Sub(nil, a, b)); got != c[3] {
			t.Errorf("%s - %s: %s, want %s", c[0], c[1], got, c[3])
		}
	}
}

func TestAllocations(t *testing.T) {
	text := []byte("-12345678901234567890.12345678e-3")
	a, b, dst := parsed(t, string(text)), parsed(t, "99.5"), make([]byte, 0, 200)
	if n := testing.AllocsPerRun(100, func() {
		Append(dst, text)
		AppendText(dst, a)
		AppendInt(dst, math.MinInt64)
		Add(dst, a, b)
		Sub(dst, a, b)
		Size(a)
		Ceil(b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// valueOf is the reference: the number as a fraction.
func valueOf(t testing.TB, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("math/big refuses %q", text)
	}
	return r
}

// random returns the text of a number, most often one whose digits and places are near those of others.
func random(rnd *rand.Rand) string {
	text := strconv.Itoa(rnd.IntN(3))
	for range rnd.IntN(37) {
		switch rnd.IntN(4) {
		case 0:
			text += strconv.Itoa(rnd.IntN(10))
		case 1:
			text += "0"
		default:
			text += "9"
		}
	}
	if rnd.IntN(2) == 0 {
		text = "-" + text
	}
	return text + "e" + strconv.Itoa(rnd.IntN(44)-20)
}

// TestAgainstBig compares order, sums and differences of random numbers with math/big.
func TestAgainstBig(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		ta, tb := random(rnd), random(rnd)
		checkPair(t, ta, tb)
	}
}

func checkPair(t *testing.T, ta, tb string) {
	t.Helper()
	a, b := parsed(t, ta), parsed(t, tb)
	va, vb := valueOf(t, ta), valueOf(t, tb)
	if got, want := bytes.Compare(a, b), va.Cmp(vb); got != want {
		t.Fatalf("%s, %s compare as %d, want %d", ta, tb, got, want)
	}
	for _, op := range []struct {
		sign string
		got  string
		want *big.Rat
	}{
		{"+", shown(Add(nil, a, b)), new(big.Rat).Add(va, vb)},
		{"-", shown(Sub(nil, a, b)), new(big.Rat).Sub(va, vb)},
	} {
		if _, err := strconv.ParseFloat(op.got, 64); err != nil {
			want := exactly(op.want)
			if f, err := Append(nil, []byte(want)); shown(f, err) != op.got {
				t.Fatalf("%s %s %s: %s, though it is %s", ta, op.sign, tb, op.got, want)
			}
			continue
		}
		if valueOf(t, op.got).Cmp(op.want) != 0 {
			t.Fatalf("%s %s %s: %s, want %s", ta, op.sign, tb, op.got, exactly(op.want))
		}
	}
}

// exactly prints a fraction that is a decimal number of no more than 300 places.
func exactly(r *big.Rat) string { return strings.TrimRight(r.FloatString(300), "0") }

// FuzzAppend holds that what is accepted is the number that math/big reads and survives a round trip.
// checkShort checks that what appendShort takes is what the long way makes of it.
func checkShort(t *testing.T, text []byte) {
	short, ok := appendShort(nil, text)
	if !ok {
		return
	}
	if long, err := appendLong(nil, text); err != nil || !bytes.Equal(short, long) {
		t.Fatalf("%q: %x, but %x (%v) the long way", text, short, long, err)
	}
}

// TestShort takes all texts of up to seven of some characters, and some numbers of every length.
func TestShort(t *testing.T) {
	var all func(text []byte)
	all = func(text []byte) {
		checkShort(t, text)
		for _, c := range []byte("09.-e") {
			if len(text) < 7 {
				all(append(text, c))
			}
		}
	}
	all(make([]byte, 0, 7))
	const digits = "10203040506070809010203040506070809010"
	for n := range digits {
		for _, text := range []string{digits[:n], "." + digits[:n], digits[:n] + ".", digits[:n/2] + "." + digits[n/2:n], "00" + digits[:n] + "00"} {
			checkShort(t, []byte(text))
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, s := range []string{"0", "-1.50e3", "+.5", "5.", "1e-130", "0e126", "1e999999999999", "--1", "1_0", "0x1p4", "1/2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkShort(t, []byte(s))
		form, err := Append(nil, []byte(s))
		if err != nil {
			return
		}
		text := string(AppendText(nil, form))
		again, err := Append(nil, []byte(text))
		if err != nil || !bytes.Equal(again, form) {
			t.Fatalf("%q: %x, but %x from %s: %v", s, form, again, text, err)
		}
		if Len(form) != len(form) || len(form) > MaxLen || Size(form) < 1 {
			t.Fatalf("%q: form %x has length %d, size %d", s, form, Len(form), Size(form))
		}
		if len(s) < 1000 && valueOf(t, s).Cmp(valueOf(t, text)) != 0 {
			t.Fatalf("%q reads back as %s", s, text)
		}
	})
}

// FuzzLen holds that bytes which Len takes for a form are one: that of the number they stand for.
func FuzzLen(f *testing.F) {
	f.Add([]byte{2})
	f.Add([]byte{3, 132, 25, 60, 7})
	f.Add([]byte{1, 132, 230, 195})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := Len(b)
		if n == 0 {
			return
		}
		text := AppendText(nil, b[:n])
		if again := parsed(t, string(text)); !bytes.Equal(again, b[:n]) {
			t.Fatalf("%x is %s, whose form is %x", b[:n], text, again)
		}
	})
}

// FuzzSums compares with math/big.
func FuzzSums(f *testing.F) {
	f.Add("1e38", "-1")
	f.Add("0.1", "9.9e125")
	f.Fuzz(func(t *testing.T, a, b string) {
		_, errA := Append(nil, []byte(a))
		_, errB := Append(nil, []byte(b))
		if errA == nil && errB == nil && len(a)+len(b) < 1000 {
			checkPair(t, a, b)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, text := range []string{"7", "1234567890", "-123.456", "12345678901234567890123456789012345678"} {
		b.Run(text, func(b *testing.B) {
			in, dst := []byte(text), make([]byte, 0, MaxLen)
			b.ReportAllocs()
			for b.Loop() {
				Append(dst, in)
			}
		})
	}
}

func BenchmarkAppendText(b *testing.B) {
	for _, text := range []string{"7", "1234567890", "-123.456", "12345678901234567890123456789012345678"} {
		b.Run(text, func(b *testing.B) {
			in, dst := parsed(b, text), make([]byte, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				AppendText(dst, in)
			}
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	x, y, dst := parsed(b, "1234567890.25"), parsed(b, "-1"), make([]byte, 0, MaxLen)
	b.ReportAllocs()
	for b.Loop() {
		Add(dst, x, y)
	}
}
