// Package decimal implements DynamoDB's Number: up to 38 significant digits, exact, magnitude 1E-130 to
// 9.99...E+125, zero among them (facts: validation, Limits).
//
// A number is held as bytes in one canonical, order-preserving, self-delimiting form: equal numbers have equal bytes,
// bytes.Compare of two forms is the order of the numbers, and no form is a prefix of another. So a stored key, an item
// and a set use the same bytes and nothing is ever converted to a float.
package decimal

import "errors"

// MaxLen is the length of the longest form in bytes.
const MaxLen = 24

// What Append can refuse.
var (
	ErrSyntax    = errors.New("decimal: not a number")
	ErrPrecision = errors.New("decimal: more than 38 significant digits")
	ErrOverflow  = errors.New("decimal: magnitude above 9.9E+125")
	ErrUnderflow = errors.New("decimal: magnitude below 1E-130")
)

// Append parses text, a number as clients write it ("-12.50", "1e3", "+.5"), and appends its form to dst.
func Append(dst, text []byte) ([]byte, error) { panic("not built") }

// AppendInt appends the form of n.
func AppendInt(dst []byte, n int64) []byte { panic("not built") }

// AppendText appends the number in plain notation as DynamoDB returns it: no exponent, no superfluous zeros, "0" for
// every zero. n is a form.
func AppendText(dst, n []byte) []byte { panic("not built") }

// Len returns the length of the form that b starts with, so that forms can be concatenated; 0 if b starts with none.
func Len(b []byte) int { panic("not built") }

// Size returns the bytes that DynamoDB counts for the number (facts: validation, Byte size of a value).
func Size(n []byte) int { panic("not built") }

// Int64 returns the number if it is an integer that an int64 holds.
func Int64(n []byte) (int64, bool) { panic("not built") }

// Add appends a+b to dst. It fails with ErrOverflow, ErrUnderflow or, where the exact sum needs more than 38 digits,
// ErrPrecision.
func Add(dst, a, b []byte) ([]byte, error) { panic("not built") }

// Sub appends a-b to dst; errors as Add's.
func Sub(dst, a, b []byte) ([]byte, error) { panic("not built") }
