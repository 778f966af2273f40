package attr

import "github.com/grammedb/gramme/internal/lib/jsontok"

// A SentItem is a map of attribute values as a client sent it. Its JSON was well formed; whether it is a map of
// attribute values is told by Check, when its turn in the order of checks comes.
type SentItem struct {
	Item Item // nil: the member was absent
	err  *Error
}

// Check returns the first fault found in the values, nil if there is none.
func (s SentItem) Check() *Error { return s.err }

// A SentValue is one attribute value as a client sent it; see SentItem.
type SentValue struct {
	Value Value // nil: the member was absent
	err   *Error
}

// Check returns the first fault found in the value, nil if there is none.
func (s SentValue) Check() *Error { return s.err }

// An Error is a fault in an attribute value, with DynamoDB's text (facts: validation, Attribute values).
type Error struct {
	Text    string
	Name    string // the top-level attribute in whose value it was found
	Nesting bool   // the fault is that of levels beyond 32, which is reported bare where others are wrapped
}

func (e *Error) Error() string { return e.Text }

// A TypeError is a JSON value of a wrong type, which is a SerializationException with this text (facts: protocol, 6).
type TypeError string

func (e TypeError) Error() string { return string(e) }

// A Decoder decodes attribute values from JSON tokens into one growing buffer. What it returned stays valid.
type Decoder struct {
	buf []byte
}

// Grow makes room for n bytes, so that a request of a known length is decoded with one allocation.
func (d *Decoder) Grow(n int) { panic("not built") }

// Item decodes the object {"name": {"S": "..."}, ...} whose first token, k, was just read. It returns a TypeError for JSON of
// a wrong type (and then passes over the rest of the value); malformed JSON is left for the reader's Err.
func (d *Decoder) Item(r *jsontok.Reader, k jsontok.Kind) (SentItem, error) { panic("not built") }

// Value decodes the object {"S": "..."} whose first token, k, was just read; errors as Item's.
func (d *Decoder) Value(r *jsontok.Reader, k jsontok.Kind) (SentValue, error) { panic("not built") }

// AppendJSON appends {"S":"..."}.
func (v Value) AppendJSON(dst []byte) []byte { panic("not built") }

// AppendJSON appends {"name":{"S":"..."},...}.
func (it Item) AppendJSON(dst []byte) []byte { panic("not built") }

// ParseItem decodes an item from JSON text; for tests, tools and files.
func ParseItem(text string) (Item, error) { panic("not built") }

// ParseValue decodes a value from JSON text; for tests, tools and files.
func ParseValue(text string) (Value, error) { panic("not built") }
