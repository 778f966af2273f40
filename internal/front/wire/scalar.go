package wire

import (
	"bytes"
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// scalar decodes a text, number, boolean or timestamp into v.
func (d *decoder) scalar(s *shape, v reflect.Value, k jsontok.Kind) bool {
	switch k {
	case jsontok.Array:
		return d.mismatch("Unrecognized collection type class "+s.class, k)
	case jsontok.Object:
		return d.mismatch("Start of structure or map found where not expected", k)
	}
	b := d.tok.Bytes()
	switch s.kind {
	case text:
		if k != jsontok.String {
			return d.cannot(s, k)
		}
		set(s, v, s.copy(b))
	case integer:
		n, ok := parseInteger(b)
		if k != jsontok.Number || !ok || !s.holds(n) {
			return d.cannot(s, k)
		}
		set(s, v, n)
	case double:
		x, err := strconv.ParseFloat(string(b), 64)
		if k != jsontok.Number || err != nil {
			return d.cannot(s, k)
		}
		set(s, v, x)
	case boolean:
		return d.boolean(s, v, k)
	case blob:
		text := bytes.Clone(b)
		n, err := base64.StdEncoding.Decode(text, b)
		if k != jsontok.String || err != nil {
			return d.cannot(s, k)
		}
		v.SetBytes(text[:n])
	case timestamp:
		t, ok := parseTime(b)
		if k != jsontok.Number || !ok {
			return d.cannot(s, k)
		}
		set(s, v, t)
	}
	return true
}

// set stores a scalar in v, which is of T or of *T.
func set[T any](s *shape, v reflect.Value, x T) {
	if s.pointer {
		*v.Addr().Interface().(**T) = &x
	} else {
		*v.Addr().Interface().(*T) = x
	}
}

// copy returns b as a string; the values of an enumeration are shared.
func (s *shape) copy(b []byte) string {
	for _, e := range s.enum {
		if string(b) == e {
			return e
		}
	}
	return string(b)
}

// holds reports whether an integer of the shape can be n.
func (s *shape) holds(n int64) bool {
	return s.class == long || n == int64(int32(n))
}

// boolean decodes true, false, and the strings that the service takes for them.
func (d *decoder) boolean(s *shape, v reflect.Value, k jsontok.Kind) bool {
	switch k {
	case jsontok.True, jsontok.False:
		set(s, v, k == jsontok.True)
		return true
	case jsontok.String:
		switch string(d.tok.Bytes()) {
		case "true", "yes", "1":
			set(s, v, true)
		case "false", "no", "0":
			set(s, v, false)
		default:
			return d.mismatch("Unexpected token received from parser", k)
		}
		return true
	}
	return d.cannot(s, k)
}

// cannot notes that a scalar is of a wrong type.
func (d *decoder) cannot(s *shape, k jsontok.Kind) bool {
	var token string
	switch k {
	case jsontok.True:
		token = "TRUE_VALUE"
	case jsontok.False:
		token = "FALSE_VALUE"
	case jsontok.String:
		token = "STRING_VALUE"
	case jsontok.Number:
		token = "NUMBER_VALUE"
		if bytes.ContainsAny(d.tok.Bytes(), ".eE") {
			token = "DECIMAL_VALUE"
		}
	}
	name := s.class[strings.LastIndexByte(s.class, '.')+1:]
	return d.mismatch(token+" cannot be converted to "+name, k)
}

// parseInteger returns the integer part of a number.
func parseInteger(b []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		return n, true
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(x) >= 1<<63 {
		return 0, false
	}
	return int64(x), true
}

// latest is the last second that a timestamp can name: the end of the year 9999.
const latest = 253402300799

// parseTime returns the time that is a number of seconds after the epoch, to the millisecond.
func parseTime(b []byte) (time.Time, bool) {
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(x) > latest {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(x * 1000))).UTC(), true
}
