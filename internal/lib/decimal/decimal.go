// Package decimal implements DynamoDB's Number: up to 38 significant digits, exact, magnitude 1E-130 to
// 9.99...E+125, zero among them.
//
// A number is held as bytes in one canonical, order-preserving, self-delimiting form: equal numbers have equal bytes,
// bytes.Compare of two forms is the order of the numbers, and no form is a prefix of another. So a stored key, an item
// and a set use the same bytes and nothing is ever converted to a float.
//
// # The form
//
// With the number written as ±0.d1d2d3... × 10^e, d1 not 0:
//
//	zero       2
//	positive   3, e+129, pairs
//	negative   1, then all bytes of the positive form after its first, inverted
//
// A pair d1d2, d3d4, ... is a byte of 2×(10×d1+d2), plus 1 if another pair follows. The last digit of the last pair may be a
// 0 that is not counted; the last pair is not 00.
package decimal

import (
	"errors"
	"strconv"
)

// MaxLen is the length of the longest form in bytes.
const MaxLen = 2 + maxDigits/2

const (
	maxDigits = 38
	minExp    = -129 // 1E-130 is 0.1 × 10^-129
	maxExp    = 126
)

// What the first byte of a form says.
const (
	negative byte = iota + 1
	zero
	positive
)

// What Append can refuse.
var (
	ErrSyntax    = errors.New("decimal: not a number")
	ErrPrecision = errors.New("decimal: more than 38 significant digits")
	ErrOverflow  = errors.New("decimal: magnitude above 9.9E+125")
	ErrUnderflow = errors.New("decimal: magnitude below 1E-130")
)

// A number is a form taken apart: ±0.d[0]d[1]...d[n-1] × 10^exp. Unless it is 0, whose n is 0, neither d[0] nor d[n-1] is 0.
type number struct {
	neg bool
	exp int
	n   int
	d   [maxDigits + 1]byte // digits, 0 to 9; those from n on are 0
}

// appendForm appends x's form to dst.
func (x *number) appendForm(dst []byte) ([]byte, error) {
	switch {
	case x.n == 0:
		return append(dst, zero), nil
	case x.exp > maxExp:
		return dst, ErrOverflow
	case x.exp < minExp:
		return dst, ErrUnderflow
	case x.n > maxDigits:
		return dst, ErrPrecision
	}
	class, flip := positive, byte(0)
	if x.neg {
		class, flip = negative, 0xff
	}
	dst = append(dst, class, byte(x.exp-minExp)^flip)
	for i := 0; i < x.n; i += 2 {
		pair := 2 * (10*x.d[i] + x.d[i+1])
		if i+2 < x.n {
			pair++
		}
		dst = append(dst, pair^flip)
	}
	return dst, nil
}

// take takes the form f apart.
func (x *number) take(f []byte) {
	if f[0] == zero {
		return
	}
	flip := byte(0)
	if f[0] == negative {
		x.neg, flip = true, 0xff
	}
	x.exp = int(f[1]^flip) + minExp
	for _, b := range f[2:] {
		pair := (b ^ flip) / 2
		x.d[x.n], x.d[x.n+1] = pair/10, pair%10
		x.n += 2
	}
	if x.d[x.n-1] == 0 {
		x.n--
	}
}

// digits counts those of the form f without taking it apart, and returns its exponent.
func digits(f []byte) (n, exp int) {
	if f[0] == zero {
		return 0, 0
	}
	flip := byte(0)
	if f[0] == negative {
		flip = 0xff
	}
	n = 2 * (len(f) - 2)
	if (f[len(f)-1]^flip)/2%10 == 0 {
		n--
	}
	return n, int(f[1]^flip) + minExp
}

// AppendInt appends the form of n.
func AppendInt(dst []byte, n int64) []byte {
	var text [20]byte
	dst, _ = Append(dst, strconv.AppendInt(text[:0], n, 10))
	return dst
}

// AppendText appends the number in plain notation as DynamoDB returns it: no exponent, no superfluous zeros, "0" for
// every zero. n is a form.
func AppendText(dst, n []byte) []byte {
	flip := byte(0)
	switch n[0] {
	case zero:
		return append(dst, '0')
	case negative:
		dst, flip = append(dst, '-'), 0xff
	}
	exp := int(n[1]^flip) + minExp
	if exp <= 0 {
		return appendPairs(appendZeros(append(dst, '0', '.'), -exp), n[2:], flip)
	}
	whole := len(dst) + exp
	dst = appendPairs(dst, n[2:], flip)
	if len(dst) <= whole {
		return appendZeros(dst, whole-len(dst))
	}
	dst = append(dst, 0)
	copy(dst[whole+1:], dst[whole:])
	dst[whole] = '.'
	return dst
}

// appendPairs appends the digits of pairs without the last if it is a 0.
func appendPairs(dst, pairs []byte, flip byte) []byte {
	for _, b := range pairs {
		at := (b ^ flip) &^ 1 // twice the pair
		dst = append(dst, digitPairs[at], digitPairs[at+1])
	}
	if dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

const digitPairs = "0001020304050607080910111213141516171819" +
	"2021222324252627282930313233343536373839" +
	"4041424344454647484950515253545556575859" +
	"6061626364656667686970717273747576777879" +
	"8081828384858687888990919293949596979899"

func appendZeros(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	return dst
}

// Len returns the length of the form that b starts with, so that forms can be concatenated; 0 if b starts with none.
func Len(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	flip := byte(0)
	switch b[0] {
	case zero:
		return 1
	case positive:
	case negative:
		flip = 0xff
	default:
		return 0
	}
	if len(b) < 3 || b[2]^flip < 2*10 { // the first digit is not 0
		return 0
	}
	for i, c := range b[2:min(len(b), MaxLen)] {
		switch c ^= flip; {
		case c >= 2*100:
			return 0
		case c == 0: // nor is the last pair
			return 0
		case c&1 == 0:
			return 3 + i
		}
	}
	return 0
}

// Size returns the bytes that DynamoDB counts for the number: 1, and 1 for two digits before the point and for two after
// it, leading and trailing zeros left out, and 1 for a minus sign; 1 for zero.
func Size(n []byte) int {
	all, exp := digits(n)
	whole := min(all, max(exp, 0))
	size := 1 + (whole+1)/2 + (all-whole+1)/2
	if n[0] == negative {
		size++
	}
	return size
}

// Ceil returns the least integer that is not below the number, if an int64 holds it.
func Ceil(n []byte) (int64, bool) {
	var x number
	x.take(n)
	if x.exp > 19 {
		return 0, false
	}
	u := uint64(0)
	for _, d := range x.d[:max(0, x.exp)] {
		u = 10*u + uint64(d) // 19 digits fit
	}
	if x.neg {
		return -int64(u), u <= 1<<63
	}
	if x.n > max(0, x.exp) {
		u++
	}
	return int64(u), u < 1<<63
}
