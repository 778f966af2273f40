package decimal

// maxShort is the longest text that appendShort takes.
const maxShort = 18

// appendShort appends the form of a number that is written as most are: a few digits, perhaps with a point among them, without a sign
// or an exponent. To all others it says no, and Append reads them digit by digit. It is three times as fast.
func appendShort(dst, text []byte) ([]byte, bool) {
	if len(text) > maxShort {
		return dst, false
	}
	var d [maxShort + 1]byte  // the digits from the first that counts on, and a 0
	n, exp, point := 0, 0, -1 // how many there are; the place of the point seen from the first
	for i, c := range text {
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if c -= '0'; c > 9 {
			return dst, false
		}
		if d[n] = c; c|byte(n) != 0 {
			n++
			if point < 0 {
				exp++
			}
		} else if point >= 0 {
			exp-- // a zero behind the point and before the digits that count
		}
	}
	for n > 0 && d[n-1] == 0 {
		n--
	}
	d[n] = 0
	if n == 0 {
		if len(text) == 0 || len(text) == 1 && point == 0 {
			return dst, false
		}
		return append(dst, zero), true
	}
	dst = append(dst, positive, byte(exp-minExp))
	for i := 0; i < n; i += 2 {
		pair := 2 * (10*d[i] + d[i+1])
		if i+2 < n {
			pair++
		}
		dst = append(dst, pair)
	}
	return dst, true
}
