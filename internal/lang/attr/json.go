package attr

import (
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/grammedb/gramme/internal/lib/decimal"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// AppendJSON appends {"S":"..."}.
func (v Value) AppendJSON(dst []byte) []byte {
	if len(v) == 0 {
		return append(dst, "null"...)
	}
	from, to := extent(v)
	return appendTyped(dst, v.Type(), v[from:to])
}

// appendTyped appends the value of that type and content with its type.
func appendTyped(dst []byte, t Type, content []byte) []byte {
	switch t {
	case S:
		dst = jsontok.AppendBytes(append(dst, `{"S":`...), content)
	case N:
		dst = appendNumber(append(dst, `{"N":`...), content)
	case B:
		dst = appendBase64(append(dst, `{"B":`...), content)
	case BOOL:
		dst = strconv.AppendBool(append(dst, `{"BOOL":`...), content[0] == 1)
	case NULL:
		dst = append(dst, `{"NULL":true`...)
	case L:
		dst = appendElements(append(dst, `{"L":`...), content)
	case M:
		dst = Item(content).AppendJSON(append(dst, `{"M":`...))
	default:
		dst = append(append(append(dst, `{"`...), t.String()...), `":`...)
		dst = appendMembers(dst, t.Elem(), content)
	}
	return append(dst, '}')
}

func appendNumber(dst, content []byte) []byte {
	return append(decimal.AppendText(append(dst, '"'), content), '"')
}

func appendBase64(dst, content []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), content), '"')
}

// appendElements appends those of a list.
func appendElements(dst, content []byte) []byte {
	dst = append(dst, '[')
	for rest := content; len(rest) > 0; {
		from, to := extent(rest)
		dst = append(appendTyped(dst, Type(rest[0]), rest[from:to]), ',')
		rest = rest[to:]
	}
	return closed(dst, ']')
}

// appendMembers appends those of a set, without their type t.
func appendMembers(dst []byte, t Type, content []byte) []byte {
	dst = append(dst, '[')
	for rest := content; len(rest) > 0; {
		from, to := extent(rest)
		switch t {
		case S:
			dst = jsontok.AppendBytes(dst, rest[from:to])
		case N:
			dst = appendNumber(dst, rest[from:to])
		case B:
			dst = appendBase64(dst, rest[from:to])
		}
		dst = append(dst, ',')
		rest = rest[to:]
	}
	return closed(dst, ']')
}

// AppendJSON appends {"name":{"S":"..."},...}.
func (it Item) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for rest := []byte(it); len(rest) > 0; {
		n, w := length(rest)
		name := rest[w : w+n]
		rest = rest[w+n:]
		from, to := extent(rest)
		switch t, content := Type(rest[0]), rest[from:to]; t {
		case S:
			dst = append(jsontok.AppendContent(jsontok.AppendTagged(dst, name, 'S'), content), `"},`...)
		case N:
			dst = append(decimal.AppendText(jsontok.AppendTagged(dst, name, 'N'), content), `"},`...)
		default:
			dst = append(appendTyped(append(jsontok.AppendBytes(dst, name), ':'), t, content), ',')
		}
		rest = rest[to:]
	}
	return closed(dst, '}')
}

// closed puts the end of a list or object in the place of the comma after its last member, if it has any.
func closed(dst []byte, end byte) []byte {
	if last := len(dst) - 1; dst[last] == ',' {
		dst[last] = end
		return dst
	}
	return append(dst, end)
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
