package wire

import (
	"encoding/base64"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// appendFields appends the members of the struct v that are present, with commas between them.
func (fs *fields) appendFields(dst []byte, v reflect.Value) []byte {
	start := len(dst)
	for i := range fs.list {
		f := &fs.list[i]
		m := v.Field(f.index)
		if f.shape.absent(m) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = f.shape.append(append(dst, f.key...), m)
	}
	return dst
}

func (s *shape) absent(v reflect.Value) bool {
	switch s.kind {
	case sentItem:
		return !v.Addr().Interface().(*attr.SentItem).Present()
	case sentValue:
		return !v.Addr().Interface().(*attr.SentValue).Present()
	}
	return v.IsNil()
}

// append appends a value that is present.
func (s *shape) append(dst []byte, v reflect.Value) []byte {
	if s.pointer {
		v = v.Elem()
	}
	switch s.kind {
	case text:
		return jsontok.AppendString(dst, v.String())
	case integer:
		return strconv.AppendInt(dst, v.Int(), 10)
	case double:
		return appendDouble(dst, v.Float())
	case boolean:
		return strconv.AppendBool(dst, v.Bool())
	case timestamp:
		return appendTime(dst, *v.Addr().Interface().(*time.Time))
	case structure:
		return append(s.fields.appendFields(append(dst, '{'), v), '}')
	case list:
		return s.appendList(dst, v)
	case dict:
		return s.appendDict(dst, v)
	case blob:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes()), '"')
	case item:
		return attr.Item(v.Bytes()).AppendJSON(dst)
	case items:
		return appendItems(dst, *v.Addr().Interface().(*[]attr.Item))
	case value:
		return attr.Value(v.Bytes()).AppendJSON(dst)
	case sentItem:
		return v.Addr().Interface().(*attr.SentItem).Item.AppendJSON(dst)
	default:
		return v.Addr().Interface().(*attr.SentValue).Value.AppendJSON(dst)
	}
}

func (s *shape) appendList(dst []byte, v reflect.Value) []byte {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s.elem.append(dst, v.Index(i))
	}
	return append(dst, ']')
}

// appendItems appends a list of items, as Query, Scan and BatchGetItem answer with. It makes room for all of them at once, for what
// they commonly take.
func appendItems(dst []byte, list []attr.Item) []byte {
	stored := 0
	for _, it := range list {
		stored += len(it)
	}
	dst = append(slices.Grow(dst, stored+stored/2+2), '[')
	for i, it := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = it.AppendJSON(dst)
	}
	return append(dst, ']')
}

// appendDict appends a map in the order of its keys, so that equal answers have equal bytes.
func (s *shape) appendDict(dst []byte, v reflect.Value) []byte {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	elem := reflect.New(s.goType.Elem()).Elem()
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontok.AppendString(dst, k.String()), ':')
		elem.Set(v.MapIndex(k))
		dst = s.elem.append(dst, elem)
	}
	return append(dst, '}')
}

// appendDouble appends x as Java prints it: 1.0, 0.5, 1.0E7, 1.0E-4.
func appendDouble(dst []byte, x float64) []byte {
	if a := math.Abs(x); a == 0 || 1e-3 <= a && a < 1e7 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, x, 'f', -1, 64)
		if !slices.Contains(dst[start:], '.') {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'E', -1, 64), "E")
	dst = append(dst, mantissa...)
	if !strings.Contains(mantissa, ".") {
		dst = append(dst, ".0"...)
	}
	n, _ := strconv.Atoi(exponent)
	return strconv.AppendInt(append(dst, 'E'), int64(n), 10)
}

// appendTime appends the seconds since the epoch, to the millisecond.
func appendTime(dst []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		dst, ms = append(dst, '-'), -ms
	}
	dst = strconv.AppendInt(dst, ms/1000, 10)
	if ms %= 1000; ms == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
