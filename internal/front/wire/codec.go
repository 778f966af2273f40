// Package wire turns the bytes of AWS's protocols into the inputs of operations, and their outputs into bytes. It walks
// over the structs that package api describes; nothing is written by hand for one operation.
package wire

import (
	"reflect"
	"sync"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// A Codec speaks awsJson 1.0. The zero Codec is ready, and safe for concurrent use.
type Codec struct {
	// Values, unless it is nil, is memory that Decode uses again for the attribute values of each input. They are valid until the next
	// one is decoded.
	Values *[]byte
}

// Decode returns the input of op, an op.New(), that body holds. Unknown members are passed over and a member that is
// null is absent; of members with one name the last counts. Every error is an *api.Error: a SerializationException,
// without text if body is no JSON object, otherwise with that of the first value of a wrong type. body is not kept.
func (c Codec) Decode(op *api.Op, body []byte) (any, error) {
	d := decoders.Get().(*decoder)
	defer d.release(body)
	if c.Values != nil {
		d.values.Use(*c.Values)
		defer func() { *c.Values = d.values.Buffer() }()
	}
	in := op.New()
	if !d.body(body, structOf(op.In), reflect.ValueOf(in).Elem()) {
		return nil, api.Serialization("")
	}
	if d.wrong != "" {
		return nil, api.Serialization(d.wrong)
	}
	return in, nil
}

// AppendOutput appends the answer out, a pointer to an op.Out; nothing for an operation whose answer has no body.
func (Codec) AppendOutput(dst []byte, op *api.Op, out any) []byte {
	if op.Out == nil {
		return dst
	}
	dst = append(dst, '{')
	if v := reflect.ValueOf(out); v.IsValid() && !v.IsNil() {
		dst = structOf(op.Out).appendFields(dst, v.Elem())
	}
	return append(dst, '}')
}

// AppendError appends an error with its further members.
func (Codec) AppendError(dst []byte, e *api.Error) []byte {
	dst = append(dst, `{"__type":`...)
	dst = jsontok.AppendString(dst, e.Space+"#"+e.Code)
	if e.Message != "" {
		name := `,"message":`
		if e.Upper {
			name = `,"Message":`
		}
		dst = jsontok.AppendString(append(dst, name...), e.Message)
	}
	if v := reflect.ValueOf(e.More); v.IsValid() && !v.IsNil() {
		dst = append(dst, ',')
		n := len(dst)
		if dst = structOf(v.Type().Elem()).appendFields(dst, v.Elem()); len(dst) == n {
			dst = dst[:n-1]
		}
	}
	return append(dst, '}')
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}
