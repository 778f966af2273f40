package wire

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// HTTP is what REST reads and writes of an exchange beside the two bodies.
type HTTP interface {
	Label(name string) string   // of the path; "": none
	Query(name string) []string // the values of a parameter
	Header(name string) string  // "": none
	SetStatus(int)
	SetHeader(name, value string)
}

// REST speaks restJson1 for one exchange.
type REST struct{ HTTP HTTP }

// A located is a member that stands outside the JSON.
type located struct {
	field
	at api.Location
}

// Decode returns the input of op. An empty body holds no members; one that could hold none is not looked at.
func (r REST) Decode(op *api.Op, body []byte) (any, error) {
	in := op.New()
	v, fs := reflect.ValueOf(in).Elem(), structOf(op.In)
	if len(fs.list) > 0 && len(body) > 0 {
		if err := decodeMembers(body, fs, v); err != nil {
			return nil, err
		}
	}
	for i := range fs.located {
		if err := r.decodeLocated(&fs.located[i], v, body); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func decodeMembers(body []byte, fs *fields, v reflect.Value) error {
	d := decoders.Get().(*decoder)
	defer d.release(body)
	if !d.body(body, fs, v) {
		return api.Serialization("")
	}
	if d.wrong != "" {
		return api.Serialization(strings.ReplaceAll(d.wrong, modelPackage, ""))
	}
	return nil
}

// decodeLocated reads one member from where it stands.
func (r REST) decodeLocated(f *located, v reflect.Value, body []byte) error {
	m := v.Field(f.index)
	switch f.at.Place {
	case api.Payload:
		m.SetBytes(bytes.Clone(body))
	case api.InPath:
		return f.parse(m, r.HTTP.Label(f.at.Name))
	case api.InHeader:
		return f.parse(m, r.HTTP.Header(strings.ToLower(f.at.Name)))
	case api.InQuery:
		values := r.HTTP.Query(f.at.Name)
		if f.kind == list {
			m.Set(reflect.ValueOf(values))
		} else if len(values) > 0 {
			return f.parse(m, values[0])
		}
	}
	return nil
}

// parse sets a member, a scalar, from its text; no text is no value.
func (f *located) parse(m reflect.Value, s string) error {
	if s == "" {
		return nil
	}
	ok := true
	switch f.kind {
	case text:
		set(&f.shape, m, f.copy([]byte(s)))
	case integer:
		n, err := strconv.ParseInt(s, 10, 64)
		if ok = err == nil && f.holds(n); ok {
			set(&f.shape, m, n)
		}
	case boolean:
		b, err := strconv.ParseBool(s)
		if ok = err == nil; ok {
			set(&f.shape, m, b)
		}
	default:
		ok = false
	}
	if !ok {
		return api.Serialization("STRING_VALUE cannot be converted to " + f.class[strings.LastIndexByte(f.class, '.')+1:])
	}
	return nil
}

// AppendOutput appends the body of the answer out, a pointer to an op.Out (not nil), and sets its status and headers.
func (r REST) AppendOutput(dst []byte, op *api.Op, out any) []byte {
	r.HTTP.SetStatus(op.Bind.Status)
	v, fs := reflect.ValueOf(out).Elem(), structOf(op.Out)
	whole := false
	for i := range fs.located {
		f := &fs.located[i]
		m := v.Field(f.index)
		switch {
		case f.at.Place == api.Payload:
			dst, whole = append(dst, m.Bytes()...), true
		case !f.absent(m):
			r.encodeLocated(f, m)
		}
	}
	if whole || len(fs.list) == 0 {
		return dst
	}
	return append(fs.appendFields(append(dst, '{'), v), '}')
}

func (r REST) encodeLocated(f *located, m reflect.Value) {
	switch f.at.Place {
	case api.InStatus:
		r.HTTP.SetStatus(int(m.Elem().Int()))
	case api.InHeader:
		r.HTTP.SetHeader(f.at.Name, f.print(m.Elem()))
	}
}

// print returns a scalar as a header has it.
func (f *located) print(m reflect.Value) string {
	switch f.kind {
	case integer:
		return strconv.FormatInt(m.Int(), 10)
	case boolean:
		return strconv.FormatBool(m.Bool())
	}
	return m.String()
}

// AppendError appends the body of an error and sets its headers. Errors of the service itself say whose fault they are.
func (r REST) AppendError(dst []byte, e *api.Error) []byte {
	r.HTTP.SetHeader("x-amzn-ErrorType", e.Code)
	dst = append(dst, '{')
	if e.Space == api.SpaceModel {
		fault := "User"
		if e.Status >= 500 {
			fault = "Service"
		}
		dst = append(append(append(dst, `"Type":"`...), fault...), `",`...)
	}
	name := `"message":`
	if e.Upper {
		name = `"Message":`
	}
	dst = jsontok.AppendString(append(dst, name...), e.Message)
	if more := reflect.ValueOf(e.More); more.IsValid() && !more.IsNil() {
		dst = r.appendMore(append(dst, ','), more.Elem())
	}
	return append(dst, '}')
}

// appendMore appends further members of an error after a comma.
func (r REST) appendMore(dst []byte, v reflect.Value) []byte {
	fs := structOf(v.Type())
	for i := range fs.located {
		if f := &fs.located[i]; !f.absent(v.Field(f.index)) {
			r.encodeLocated(f, v.Field(f.index))
		}
	}
	n := len(dst)
	if dst = fs.appendFields(dst, v); len(dst) == n {
		dst = dst[:n-1]
	}
	return dst
}
