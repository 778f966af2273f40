package decimal

// Append parses text, a number as clients write it ("-12.50", "1e3", "+.5"), and appends its form to dst. Zeros before the
// first and after the last other digit are not significant. A zero is held to the same exponents as its last digit would
// be if it were a 1: "0e126" overflows, "0.0e126" does not.
func Append(dst, text []byte) ([]byte, error) {
	if dst, ok := appendShort(dst, text); ok {
		return dst, nil
	}
	return appendLong(dst, text)
}

// appendLong is Append for every text.
func appendLong(dst, text []byte) ([]byte, error) {
	var x number
	if err := x.parse(text); err != nil {
		return dst, err
	}
	return x.appendForm(dst)
}

// parse reads [+-] digits [. digits] [e [+-] digits], with a digit at least before the e.
func (x *number) parse(text []byte) error {
	i := 0
	if x.neg = len(text) > 0 && text[0] == '-'; x.neg || len(text) > 0 && text[0] == '+' {
		i++
	}
	first, point := i, -1
	zeros := 0 // read since the last digit that counts
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if c -= '0'; c > 9 {
			break
		}
		if c == 0 {
			zeros++
			continue
		}
		if x.n == 0 {
			zeros = 0
			x.exp = -i // the place of the first digit that counts; made a distance to the point below
		}
		x.put(zeros, c)
		zeros = 0
	}
	if i == first || i == first+1 && point == first {
		return ErrSyntax
	}
	return x.scale(text, i, point)
}

// put adds zeros and then the digit c to x. From the 39th digit on they are only counted.
func (x *number) put(zeros int, c byte) {
	if x.n += zeros; x.n < maxDigits {
		x.d[x.n] = c
	}
	x.n++
}

// scale sets the exponent of x, whose digits end before text[end] and have their point at text[point] if not negative.
func (x *number) scale(text []byte, end, point int) error {
	shift, ok := exponent(text[end:])
	if !ok {
		return ErrSyntax
	}
	fraction := 0
	if point < 0 {
		point = end
	} else {
		fraction = end - point - 1
	}
	if x.n == 0 {
		switch e := shift - fraction; {
		case e >= maxExp:
			return ErrOverflow
		case e < minExp-1:
			return ErrUnderflow
		}
		x.neg = false
		return nil
	}
	if x.exp += point; x.exp < 0 { // the first digit stands after the point, whose own place does not count
		x.exp++
	}
	x.exp += shift
	return nil
}

// exponent parses nothing or an e with a number. A value of no use is not held exactly, only that it is large.
func exponent(text []byte) (int, bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0]|0x20 != 'e' {
		return 0, false
	}
	text = text[1:]
	neg := false
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		neg = text[0] == '-'
		text = text[1:]
	}
	e := 0
	for _, c := range text {
		if c -= '0'; c > 9 {
			return 0, false
		}
		if e < 1<<40 { // beyond what the length of any text can make up for
			e = 10*e + int(c)
		}
	}
	if neg {
		e = -e
	}
	return e, len(text) > 0
}
