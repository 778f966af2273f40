// Package jsontok reads and writes the tokens of JSON text (RFC 8259) and knows nothing of what they mean.
package jsontok

import "fmt"

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
	Object Kind = '{' // names and values follow alternately up to EndObj
	EndObj Kind = '}'
	Array  Kind = '['
	EndArr Kind = ']'
)

// MaxDepth is how deep arrays and objects may nest; deeper text is malformed.
const MaxDepth = 1000

// A state is what the grammar allows next.
type state byte

const (
	wantValue state = iota
	wantElem        // an array was just opened: a value or its end
	wantName        // an object was just opened: a name or its end
	wantMore        // a value has ended: a comma, the end of what it is in, or of the text
	failed
)

// A Reader reads the tokens of one JSON text. Commas and colons are checked and passed over, so tokens come in
// grammatical order only; the text must be one value with white space around it at most, strings must be valid UTF-8.
// Of the members of an object with one name all are read. The zero Reader has no text, which is malformed; Reset it.
//
// A Reader allocates nothing but room to unescape strings, which it keeps: it is worth reusing.
type Reader struct {
	buf   []byte
	pos   int
	start int    // content of the last String or Number, which ends before buf[end] ...
	end   int    // ... or, if end is negative, is all of room
	room  []byte // what strings are unescaped into
	why   string // the fault, once state is failed
	depth int
	state state
	inObj bool // the innermost open level is an object
	outer [MaxDepth/64 + 1]uint64
	// outer has a bit for each open level: whether the level around it is an object
}

// Reset makes r read b from its start. b must not change while it is read.
func (r *Reader) Reset(b []byte) {
	r.buf, r.pos, r.start, r.end, r.why = b, 0, 0, 0, ""
	r.depth, r.state, r.inObj = 0, wantValue, false
}

// Next reads a token. After Bad it stays Bad; after the value's end it is EOF.
func (r *Reader) Next() Kind {
	c := r.peek()
	switch r.state {
	case wantMore:
		return r.more(c)
	case wantName:
		if c == '}' {
			return r.close(EndObj)
		}
		return r.name(c)
	case wantElem:
		if c == ']' {
			return r.close(EndArr)
		}
	case failed:
		return Bad
	}
	return r.value(c)
}

// more reads what follows a value.
func (r *Reader) more(c byte) Kind {
	switch {
	case r.depth == 0:
		if r.pos == len(r.buf) {
			return EOF
		}
		return r.fail("text after the value")
	case c == ',':
		r.pos++
		if c = r.peek(); r.inObj {
			return r.name(c)
		}
		return r.value(c)
	case c == '}' && r.inObj:
		return r.close(EndObj)
	case c == ']' && !r.inObj:
		return r.close(EndArr)
	}
	return r.fail("no comma or end after a value")
}

// name reads the name of a member and the colon after it.
func (r *Reader) name(c byte) Kind {
	if c != '"' {
		return r.fail("no name of a member")
	}
	if !r.str() {
		return Bad
	}
	if r.peek() != ':' {
		return r.fail("no colon after a name")
	}
	r.pos++
	r.state = wantValue
	return String
}

// value reads the token that starts with c and begins a value.
func (r *Reader) value(c byte) Kind {
	r.state = wantMore
	switch c {
	case '"':
		if !r.str() {
			return Bad
		}
		return String
	case '{':
		return r.open(Object, wantName)
	case '[':
		return r.open(Array, wantElem)
	case 't':
		return r.literal("true", True)
	case 'f':
		return r.literal("false", False)
	case 'n':
		return r.literal("null", Null)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return r.number()
	}
	return r.fail("no value")
}

func (r *Reader) open(k Kind, s state) Kind {
	if r.depth == MaxDepth {
		return r.fail("nested too deep")
	}
	word, bit := r.depth/64, uint64(1)<<(r.depth%64)
	r.outer[word] &^= bit
	if r.inObj {
		r.outer[word] |= bit
	}
	r.depth++
	r.pos++
	r.inObj, r.state = k == Object, s
	return k
}

func (r *Reader) close(k Kind) Kind {
	r.depth--
	r.pos++
	r.inObj, r.state = r.outer[r.depth/64]>>(r.depth%64)&1 == 1, wantMore
	return k
}

func (r *Reader) literal(text string, k Kind) Kind {
	end := r.pos + len(text)
	if end > len(r.buf) || string(r.buf[r.pos:end]) != text {
		return r.fail("no value")
	}
	r.pos = end
	return k
}

// number reads [-] (0 | 1-9 digits) [. digits] [e [+-] digits].
func (r *Reader) number() Kind {
	b, i := r.buf, r.pos
	if b[i] == '-' {
		i++
	}
	whole := i
	i = digits(b, i)
	ok := i > whole && (b[whole] != '0' || i == whole+1)
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		i = digits(b, fraction)
		ok = ok && i > fraction
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exponent := i
		i = digits(b, exponent)
		ok = ok && i > exponent
	}
	if !ok {
		return r.fail("malformed number")
	}
	r.start, r.end, r.pos = r.pos, i, i
	return Number
}

// digits returns the index after the digits that start at i.
func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// peek passes over white space and returns the character after it, 0 at the end.
func (r *Reader) peek() byte {
	for i := r.pos; i < len(r.buf); i++ {
		switch c := r.buf[i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			r.pos = i
			return c
		}
	}
	r.pos = len(r.buf)
	return 0
}

func (r *Reader) fail(why string) Kind {
	r.state, r.why = failed, why
	return Bad
}

// Bytes returns the content of the String just read, unescaped, or the text of the Number just read. It aliases the
// input where nothing had to be unescaped and is valid until the next call of Next. An escaped half of a surrogate pair
// without the other reads as U+FFFD.
func (r *Reader) Bytes() []byte {
	if r.end < 0 {
		return r.room
	}
	return r.buf[r.start:r.end]
}

// Skip passes over the rest of the value whose first token, k, was just read, and reports whether all was well formed.
// It needs no stack.
func (r *Reader) Skip(k Kind) bool {
	if k == Object || k == Array {
		for outside := r.depth - 1; r.depth > outside; {
			if r.Next() == Bad {
				return false
			}
		}
	}
	return k != Bad && k != EOF
}

// Err says what was malformed once Next returned Bad; it is nil before.
func (r *Reader) Err() error {
	if r.state != failed {
		return nil
	}
	return fmt.Errorf("jsontok: %s at byte %d", r.why, r.pos)
}

// Valid reports whether b is one well-formed JSON value.
func Valid(b []byte) bool {
	var r Reader
	r.Reset(b)
	return r.Skip(r.Next()) && r.Next() == EOF
}
