package wire

import (
	"bytes"
	"encoding/xml"
	"reflect"

	"github.com/grammedb/gramme/internal/api"
)

// Query speaks the AWS Query protocol, form in and XML out, for one exchange. It knows what the operations that are built need:
// inputs without parameters and outputs of strings.
type Query struct {
	Namespace string // of the answers' elements
	RequestID string
}

// Decode returns an empty input: no operation takes parameters, and unknown ones are ignored.
func (Query) Decode(op *api.Op, _ []byte) (any, error) { return op.New(), nil }

// AppendOutput appends the answer out, a pointer to an op.Out whose fields are *string.
func (q Query) AppendOutput(dst []byte, op *api.Op, out any) []byte {
	e := xmlWriter{bytes.NewBuffer(dst)}
	e.open(op.Name+"Response", q.Namespace)
	e.open(op.Name+"Result", "")
	v := reflect.ValueOf(out).Elem()
	for i := range v.NumField() {
		if s, ok := v.Field(i).Interface().(*string); ok && s != nil {
			e.element(v.Type().Field(i).Name, *s)
		}
	}
	e.close(op.Name + "Result")
	e.open("ResponseMetadata", "")
	e.element("RequestId", q.RequestID)
	e.close("ResponseMetadata")
	e.close(op.Name + "Response")
	return e.Bytes()
}

// AppendError appends an error.
func (q Query) AppendError(dst []byte, err *api.Error) []byte {
	kind := "Sender"
	if err.Status >= 500 {
		kind = "Receiver"
	}
	e := xmlWriter{bytes.NewBuffer(dst)}
	e.open("ErrorResponse", q.Namespace)
	e.open("Error", "")
	e.element("Type", kind)
	e.element("Code", err.Code)
	e.element("Message", err.Message)
	e.close("Error")
	e.element("RequestId", q.RequestID)
	e.close("ErrorResponse")
	return e.Bytes()
}

// An xmlWriter writes elements into memory, which never fails.
type xmlWriter struct{ *bytes.Buffer }

func (w xmlWriter) open(name, namespace string) {
	w.WriteString("<" + name)
	if namespace != "" {
		w.WriteString(` xmlns="`)
		_ = xml.EscapeText(w, []byte(namespace))
		w.WriteString(`"`)
	}
	w.WriteString(">")
}

func (w xmlWriter) close(name string) { w.WriteString("</" + name + ">\n") }

func (w xmlWriter) element(name, text string) {
	w.open(name, "")
	_ = xml.EscapeText(w, []byte(text))
	w.close(name)
}
