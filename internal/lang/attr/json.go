package attr

import (
	"encoding/base64"
	"errors"

	"github.com/grammedb/gramme/internal/lib/decimal"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// AppendJSON appends {"S":"..."}.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.Type() {
	case S:
		dst = append(dst, `{"S":`...)
	case N:
		dst = append(dst, `{"N":`...)
	case B:
		dst = append(dst, `{"B":`...)
	case BOOL:
		if v.Bool() {
			return append(dst, `{"BOOL":true}`...)
		}
		return append(dst, `{"BOOL":false}`...)
	case NULL:
		return append(dst, `{"NULL":true}`...)
	case SS:
		dst = append(dst, `{"SS":`...)
	case NS:
		dst = append(dst, `{"NS":`...)
	case BS:
		dst = append(dst, `{"BS":`...)
	case L:
		dst = append(dst, `{"L":`...)
	case M:
		dst = v.Item().AppendJSON(append(dst, `{"M":`...))
		return append(dst, '}')
	default:
		return append(dst, "null"...)
	}
	return append(v.appendContent(dst), '}')
}

// appendContent appends the JSON of a scalar's content, a set's members or a list's elements, without their types but
// for the elements.
func (v Value) appendContent(dst []byte) []byte {
	switch t := v.Type(); t {
	case S:
		return jsontok.AppendString(dst, v.content())
	case N:
		dst = decimal.AppendText(append(dst, '"'), v.content())
		return append(dst, '"')
	case B:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), v.content())
		return append(dst, '"')
	}
	dst = append(dst, '[')
	for e, rest := Value(nil), v.content(); len(rest) > 0; {
		if e != nil {
			dst = append(dst, ',')
		}
		if e, rest = cutValue(rest); v.Type() == L {
			dst = e.AppendJSON(dst)
		} else {
			dst = e.appendContent(dst)
		}
	}
	return append(dst, ']')
}

// AppendJSON appends {"name":{"S":"..."},...}.
func (it Item) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	var name []byte
	var v Value
	for rest := []byte(it); len(rest) > 0; {
		if v != nil {
			dst = append(dst, ',')
		}
		name, v, rest = cutAttribute(rest)
		dst = append(jsontok.AppendString(dst, name), ':')
		dst = v.AppendJSON(dst)
	}
	return append(dst, '}')
}

// ParseItem decodes an item from JSON text; for tests, tools and files. What a client would be told is an *Error or a
// TypeError.
func ParseItem(text string) (Item, error) {
	var r jsontok.Reader
	var d Decoder
	r.Reset([]byte(text))
	s, err := d.Item(&r, r.Next())
	if err := verdict(&r, s.Check(), err); err != nil {
		return nil, err
	}
	return s.Item, nil
}

// ParseValue decodes a value from JSON text; for tests, tools and files. Errors are as ParseItem's.
func ParseValue(text string) (Value, error) {
	var r jsontok.Reader
	var d Decoder
	r.Reset([]byte(text))
	s, err := d.Value(&r, r.Next())
	if err := verdict(&r, s.Check(), err); err != nil {
		return nil, err
	}
	return s.Value, nil
}

// verdict puts the errors of decoding a whole text into their order: malformed text, wrong JSON types, faults.
func verdict(r *jsontok.Reader, fault *Error, wrong error) error {
	if r.Next() != jsontok.EOF {
		if err := r.Err(); err != nil {
			return err
		}
		return errors.New("attr: text after the value")
	}
	if wrong != nil {
		return wrong
	}
	if fault != nil {
		return fault
	}
	return nil
}
