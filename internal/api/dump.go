package api

import (
	"encoding/base64"
	"reflect"
	"strconv"
	"time"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/decimal"
)

var (
	sentItem  = reflect.TypeFor[attr.SentItem]()
	sentValue = reflect.TypeFor[attr.SentValue]()
	timestamp = reflect.TypeFor[time.Time]()
)

// maxDump is how many bytes of a value a message repeats: a request of megabytes is not sent back.
const maxDump = 16 << 10

// dump prints a value as the service does, which is written in Java: [a, b], {k=v}, KeySchemaElement(attributeName=a, ...).
func dump(v reflect.Value) string {
	b := appendDump(nil, v)
	if len(b) > maxDump {
		b = append(b[:maxDump], "..."...)
	}
	return string(b)
}

func appendDump(b []byte, v reflect.Value) []byte {
	if len(b) > maxDump {
		return b
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, "null"...)
		}
		return appendDump(b, v.Elem())
	case reflect.String:
		return append(b, v.String()...)
	case reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Float64:
		return strconv.AppendFloat(b, v.Float(), 'g', -1, 64)
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Slice:
		return dumpList(b, v)
	case reflect.Map:
		return dumpMap(b, v)
	}
	switch x := v.Interface().(type) {
	case attr.SentItem:
		return dumpItem(b, x.Item)
	case attr.SentValue:
		return dumpValue(b, x.Value)
	case time.Time:
		return x.UTC().AppendFormat(b, "Mon Jan 02 15:04:05 UTC 2006")
	}
	return dumpStruct(b, v)
}

func dumpList(b []byte, v reflect.Value) []byte {
	if v.IsNil() {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendDump(b, v.Index(i))
	}
	return append(b, ']')
}

func dumpMap(b []byte, v reflect.Value) []byte {
	if v.IsNil() {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for i, k := range sortedKeys(v) {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(append(b, k.String()...), '=')
		b = appendDump(b, v.MapIndex(k))
	}
	return append(b, '}')
}

func dumpStruct(b []byte, v reflect.Value) []byte {
	b = append(append(b, v.Type().Name()...), '(')
	for i, f := range Fields(v.Type()) {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(append(b, lowerFirst(f.Name)...), '=')
		b = appendDump(b, v.Field(f.Index))
	}
	return append(b, ')')
}

func dumpItem(b []byte, it attr.Item) []byte {
	if it == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	first := true
	for name, v := range it.All() {
		if !first {
			b = append(b, ", "...)
		}
		first = false
		b = append(append(b, name...), '=')
		b = dumpValue(b, v)
	}
	return append(b, '}')
}

// dumpValue prints a value as in "AttributeValue: {N:2}".
func dumpValue(b []byte, v attr.Value) []byte {
	if v == nil || len(b) > maxDump {
		return append(b, "null"...)
	}
	b = append(append(b, "AttributeValue: {"...), v.Type().String()...)
	return append(dumpContent(append(b, ':'), v), '}')
}

func dumpContent(b []byte, v attr.Value) []byte {
	switch v.Type() {
	case attr.S:
		return append(b, v.Bytes()...)
	case attr.N:
		return decimal.AppendText(b, v.Bytes())
	case attr.B:
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	case attr.BOOL:
		return strconv.AppendBool(b, v.Bool())
	case attr.NULL:
		return append(b, "true"...)
	case attr.M:
		return dumpItem(b, v.Item())
	}
	elem := dumpValue
	if v.Type() != attr.L {
		elem = dumpContent // the members of a set are bare
	}
	b = append(b, '[')
	first := true
	for e := range v.Elems() {
		if !first {
			b = append(b, ", "...)
		}
		first = false
		b = elem(b, e)
	}
	return append(b, ']')
}
