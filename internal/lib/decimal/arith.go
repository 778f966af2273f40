package decimal

// Add appends a+b to dst. It fails with ErrOverflow, ErrUnderflow or, where the exact sum needs more than 38 digits,
// ErrPrecision.
func Add(dst, a, b []byte) ([]byte, error) {
	var x, y number
	x.take(a)
	y.take(b)
	return appendSum(dst, &x, &y)
}

// Sub appends a-b to dst; errors as Add's.
func Sub(dst, a, b []byte) ([]byte, error) {
	var x, y number
	x.take(a)
	y.take(b)
	y.neg = !y.neg
	return appendSum(dst, &x, &y)
}

// appendSum appends the form of x+y, which it may change.
func appendSum(dst []byte, x, y *number) ([]byte, error) {
	switch {
	case x.n == 0:
		return y.appendForm(dst)
	case y.n == 0:
		return x.appendForm(dst)
	case x.exp < y.exp:
		x, y = y, x
	}
	// With places counted from x's first digit, y's digits take the places from gap on. If they end beyond the 39th, the
	// sum keeps y's last digit, and at most the first of its own places is empty, so it has more than 38.
	gap := x.exp - y.exp
	if gap+y.n > maxDigits+1 {
		return dst, ErrPrecision
	}
	s := sum{exp: x.exp + 1, neg: x.neg}
	copy(s.d[1:], x.d[:x.n])
	if x.neg == y.neg {
		s.add(y.d[:y.n], 1+gap)
	} else {
		s.sub(y.d[:y.n], 1+gap)
	}
	return s.appendForm(dst)
}

// A sum is a number ±0.d[0]d[1]... × 10^exp under work: d[0] takes a carry, and the digits at either end may be 0.
type sum struct {
	neg bool
	exp int
	d   [maxDigits + 2]byte
}

// add adds the digits of which the first stands at place at.
func (s *sum) add(digits []byte, at int) {
	carry := byte(0)
	for i := at + len(digits) - 1; i >= at || carry > 0; i-- {
		v := s.d[i] + carry
		if i >= at {
			v += digits[i-at]
		}
		carry = 0
		if v > 9 {
			v, carry = v-10, 1
		}
		s.d[i] = v
	}
}

// sub subtracts the digits of which the first stands at place at.
func (s *sum) sub(digits []byte, at int) {
	borrow := byte(0)
	for i := at + len(digits) - 1; i > 0 && (i >= at || borrow > 0); i-- {
		v := 10 + s.d[i] - borrow
		if i >= at {
			v -= digits[i-at]
		}
		borrow = 1
		if v > 9 {
			v, borrow = v-10, 0
		}
		s.d[i] = v
	}
	if borrow > 0 {
		s.negate()
	}
}

// negate makes of digits that stand for 1-s, a difference that went below zero, those of s.
func (s *sum) negate() {
	s.neg = !s.neg
	borrow := byte(0)
	for i := len(s.d) - 1; i > 0; i-- {
		v := 10 - s.d[i] - borrow
		borrow = 1
		if v == 10 {
			v, borrow = 0, 0
		}
		s.d[i] = v
	}
}

// appendForm appends the form of s.
func (s *sum) appendForm(dst []byte) ([]byte, error) {
	first, end := 0, len(s.d)
	for first < end && s.d[first] == 0 {
		first++
	}
	for first < end && s.d[end-1] == 0 {
		end--
	}
	x := number{neg: s.neg, exp: s.exp - first, n: end - first}
	copy(x.d[:], s.d[first:end])
	return x.appendForm(dst)
}
