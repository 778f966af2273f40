package wire

import (
	"reflect"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// maxMembers bounds the members of all lists and maps of a request together: a few bytes of JSON make a much larger struct.
const maxMembers = 100_000

// A decoder decodes one body. Its methods take the first token of a value, already read, and report whether the value
// was well formed. A value of a wrong type is noted and passed over, for malformed text after it counts more.
type decoder struct {
	tok    jsontok.Reader
	values attr.Decoder
	size   int    // of the body
	room   int    // for how many more members of lists and maps
	wrong  string // what was wrong with the first value of a wrong type
}

// maxKept is the longest body whose decoder is used again: a decoder keeps room for strings in proportion.
const maxKept = 1 << 20

// release makes d ready for another body. The values that were decoded keep their buffer.
func (d *decoder) release(body []byte) {
	if len(body) > maxKept {
		return
	}
	d.tok.Reset(nil)
	d.values.Reset()
	d.wrong = ""
	decoders.Put(d)
}

func (d *decoder) body(b []byte, fs *fields, v reflect.Value) bool {
	d.tok.Reset(b)
	d.size, d.room = len(b), maxMembers
	return d.tok.Next() == jsontok.Object && d.members(fs, v) && d.tok.Next() == jsontok.EOF
}

// members decodes the members of an object into the struct v.
func (d *decoder) members(fs *fields, v reflect.Value) bool {
	for {
		switch d.tok.Next() {
		case jsontok.EndObj:
			return true
		case jsontok.String:
		default:
			return false
		}
		f := fs.byName[string(d.tok.Bytes())]
		k := d.tok.Next()
		ok := false
		switch {
		case f == nil:
			ok = d.tok.Skip(k)
		case k == jsontok.Null:
			v.Field(f.index).SetZero()
			ok = true
		default:
			ok = d.value(&f.shape, v.Field(f.index), k)
		}
		if !ok {
			return false
		}
	}
}

// value decodes a value that is not null into v, which has the shape's Go type.
func (d *decoder) value(s *shape, v reflect.Value, k jsontok.Kind) bool {
	if k == jsontok.Bad {
		return false
	}
	switch s.kind {
	case structure:
		return d.structure(s, v, k)
	case list:
		return d.list(s, v, k)
	case dict:
		return d.dict(s, v, k)
	case sentItem:
		return d.item(s, v, k)
	case sentValue:
		return d.attribute(s, v, k)
	case item, items, value:
		return d.mismatch("Unexpected field type", k) // of outputs only
	}
	return d.scalar(s, v, k)
}

func (d *decoder) structure(s *shape, v reflect.Value, k jsontok.Kind) bool {
	switch k {
	case jsontok.Object:
	case jsontok.Array:
		return d.mismatch("Unrecognized collection type class "+s.class, k)
	default:
		return d.mismatch(s.noScalar(), k)
	}
	if s.pointer {
		p := reflect.New(s.goType)
		v.Set(p)
		v = p.Elem()
	} else {
		v.SetZero()
	}
	return d.members(s.fields, v)
}

func (d *decoder) list(s *shape, v reflect.Value, k jsontok.Kind) bool {
	switch k {
	case jsontok.Array:
	case jsontok.Object:
		return d.mismatch("Start of structure or map found where not expected", k)
	default:
		return d.mismatch(s.noScalar(), k)
	}
	v.SetZero()
	v.Grow(4)
	for ; ; d.room-- {
		switch k = d.tok.Next(); {
		case k == jsontok.EndArr:
			return true
		case d.room == 0:
			return false
		case k == jsontok.Null && s.elem.kind != sentValue:
			d.note(s.elem.noScalar())
			continue
		}
		v.Grow(1)
		v.SetLen(v.Len() + 1)
		if !d.value(s.elem, v.Index(v.Len()-1), k) {
			return false
		}
	}
}

func (d *decoder) dict(s *shape, v reflect.Value, k jsontok.Kind) bool {
	switch k {
	case jsontok.Object:
	case jsontok.Array:
		return d.mismatch("Unrecognized collection type "+s.class, k)
	default:
		return d.mismatch(s.noScalar(), k)
	}
	v.Set(reflect.MakeMap(s.goType))
	elem := reflect.New(s.goType.Elem()).Elem()
	for ; ; d.room-- {
		switch d.tok.Next() {
		case jsontok.EndObj:
			return true
		case jsontok.String:
		default:
			return false
		}
		if d.room == 0 {
			return false
		}
		name := string(d.tok.Bytes())
		elem.SetZero()
		if k = d.tok.Next(); k == jsontok.Null {
			continue
		}
		if !d.value(s.elem, elem, k) {
			return false
		}
		if m, ok := v.Interface().(map[string]string); ok {
			m[name] = elem.String()
		} else {
			v.SetMapIndex(reflect.ValueOf(name), elem)
		}
	}
}

// item decodes a map of attribute values. What is wrong with the values themselves is told later.
func (d *decoder) item(s *shape, v reflect.Value, k jsontok.Kind) bool {
	if !s.inField && k != jsontok.Object && k != jsontok.Array {
		return d.mismatch(s.noScalar(), k)
	}
	d.reserve()
	got, err := d.values.Item(&d.tok, k)
	*v.Addr().Interface().(*attr.SentItem) = got
	return d.passed(err)
}

// attribute decodes an attribute value.
func (d *decoder) attribute(s *shape, v reflect.Value, k jsontok.Kind) bool {
	d.reserve()
	decode := d.values.Value
	if !s.inField {
		decode = d.values.Element
	}
	got, err := decode(&d.tok, k)
	*v.Addr().Interface().(*attr.SentValue) = got
	return d.passed(err)
}

// passed notes the error of a decoder of attribute values and reports whether the text was well formed.
func (d *decoder) passed(err error) bool {
	if err != nil {
		d.note(err.Error())
	}
	return d.tok.Err() == nil
}

// reserve makes room for all values of the body at once, when the first is met.
func (d *decoder) reserve() {
	if d.size > 0 {
		d.values.Grow(d.size)
		d.size = 0
	}
}

// mismatch notes a value of a wrong type and passes over it.
func (d *decoder) mismatch(why string, k jsontok.Kind) bool {
	d.note(why)
	return d.tok.Skip(k)
}

func (d *decoder) note(why string) {
	if d.wrong == "" {
		d.wrong = why
	}
}

// noScalar says that a structure, list or map is wanted.
func (s *shape) noScalar() string {
	if s.inField {
		return "Unexpected field type"
	}
	return "Unexpected value type in payload"
}
