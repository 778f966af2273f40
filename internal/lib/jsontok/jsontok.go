// Package jsontok reads and writes the tokens of JSON text (RFC 8259) and knows nothing of what they mean.
package jsontok

// A Kind is what a token is, named by its first character.
type Kind byte

// The kinds of tokens.
const (
	Bad    Kind = 0 // malformed text; see Err
	EOF    Kind = 'e'
	Null   Kind = 'n'
	False  Kind = 'f'
	True   Kind = 't'
	String Kind = '"' // also the name of an object's member
	Number Kind = '0'
	Object Kind = '{' // names and values follow alternately up to EndObject
	EndObj Kind = '}'
	Array  Kind = '['
	EndArr Kind = ']'
)

// MaxDepth is how deep arrays and objects may nest; deeper text is malformed.
const MaxDepth = 1000

// A Reader reads the tokens of one JSON text. Commas and colons are checked and passed over, so tokens come in
// grammatical order only; the text must be one value with white space around it at most. The zero Reader reads nothing; Reset it.
type Reader struct {
	buf []byte
	pos int
}

// Reset makes r read b from its start. b must not change while it is read.
func (r *Reader) Reset(b []byte) { panic("not built") }

// Next reads a token. After Bad it stays Bad; after the value's end it is EOF.
func (r *Reader) Next() Kind { panic("not built") }

// Bytes returns the content of the String just read, unescaped, or the text of the Number just read. It aliases the
// input where nothing had to be unescaped and is valid until the next call of Next.
func (r *Reader) Bytes() []byte { panic("not built") }

// Skip passes over the rest of the value whose first token, k, was just read. It needs no stack.
func (r *Reader) Skip(k Kind) bool { panic("not built") }

// Err says what was malformed once Next returned Bad.
func (r *Reader) Err() error { panic("not built") }

// Valid reports whether b is one well-formed JSON value.
func Valid(b []byte) bool { panic("not built") }

// AppendString appends s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
func AppendString[T ~string | ~[]byte](dst []byte, s T) []byte { panic("not built") }
