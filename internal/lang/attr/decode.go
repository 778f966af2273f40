package attr

import (
	"bytes"
	"encoding/base64"
	"slices"

	"github.com/grammedb/gramme/internal/lib/decimal"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// A Decoder decodes attribute values from JSON tokens into one growing buffer. What it returned stays valid. A Decoder
// that has been used keeps its scratch space: it is worth reusing, after Reset.
type Decoder struct {
	buf   []byte
	spans []span // of the sets and maps being decoded, those of the innermost last
	spare []byte // what arrange copies from

	// Of the value that is being decoded for the caller:
	fault  *Error    // the first
	faults int       // how many there were
	wrong  TypeError // the first
}

// Grow makes room for n bytes, so that a request of a known length is decoded with one allocation.
func (d *Decoder) Grow(n int) { d.buf = slices.Grow(d.buf, n) }

// Reset leaves the buffer to what was returned from it and keeps the scratch space.
func (d *Decoder) Reset() { d.buf = nil }

// Use makes d decode into b, from its start: what had been decoded into it is lost.
func (d *Decoder) Use(b []byte) { d.buf = b[:0] }

// Buffer returns the buffer that d decodes into, which may have grown.
func (d *Decoder) Buffer() []byte { return d.buf }

// appended makes b, which has been appended to the buffer, the buffer. Mostly it is in the same memory: a store of the pointer would be work
// for a garbage collector that runs.
func (d *Decoder) appended(b []byte) {
	if cap(b) == cap(d.buf) {
		d.buf = d.buf[:len(b)]
		return
	}
	d.buf = b
}

// Item decodes the object {"name": {"S": "..."}, ...} whose first token, k, was just read. It returns a TypeError for JSON of
// a wrong type (and then passes over the rest of the value); malformed JSON is left for the reader's Err. null is no item.
func (d *Decoder) Item(r *jsontok.Reader, k jsontok.Kind) (SentItem, error) {
	if k == jsontok.Null {
		return SentItem{}, nil
	}
	d.fault, d.faults, d.wrong = nil, 0, ""
	d.Grow(1) // so that an empty item is not nil
	start := len(d.buf)
	if k == jsontok.Object {
		d.attributes(r, 1)
	} else {
		d.mismatch(r, k, &mapShape)
	}
	end := len(d.buf)
	return SentItem{d.buf[start:end:end], d.fault}, d.err()
}

// Value decodes the object {"S": "..."}, the member of a structure, whose first token, k, was just read; errors as Item's.
// null is no value.
func (d *Decoder) Value(r *jsontok.Reader, k jsontok.Kind) (SentValue, error) {
	return d.sole(r, k, &fieldShape)
}

// Element is Value for the element of a list or of a map, of which null is an empty value and not none.
func (d *Decoder) Element(r *jsontok.Reader, k jsontok.Kind) (SentValue, error) {
	return d.sole(r, k, &elementShape)
}

func (d *Decoder) sole(r *jsontok.Reader, k jsontok.Kind, want *shape) (SentValue, error) {
	if k == jsontok.Null && want == &fieldShape {
		return SentValue{}, nil
	}
	d.fault, d.faults, d.wrong = nil, 0, ""
	start := len(d.buf)
	d.value(r, k, 1, want)
	end := len(d.buf)
	return SentValue{d.buf[start:end:end], d.fault}, d.err()
}

func (d *Decoder) err() error {
	if d.wrong == "" {
		return nil
	}
	return d.wrong
}

// fail notes a fault.
func (d *Decoder) fail(text string) {
	d.faults++
	if d.fault == nil {
		d.fault = &Error{Text: text, Nesting: text == tooNested}
	}
}

// mismatch notes that the value with the first token k is not of the shape that is wanted, and passes over it.
func (d *Decoder) mismatch(r *jsontok.Reader, k jsontok.Kind, want *shape) {
	if k == jsontok.Bad {
		d.faults++
		return
	}
	d.reject(want.mismatch(k, r.Bytes()))
	r.Skip(k)
}

func (d *Decoder) reject(e TypeError) {
	d.faults++
	if d.wrong == "" {
		d.wrong = e
	}
}

// attributes decodes the members of an object up to its end as those of an item, whose values are at the given level.
func (d *Decoder) attributes(r *jsontok.Reader, level int) {
	content, outer := len(d.buf), len(d.spans)
	for {
		name, tag, tagged := r.TaggedMember()
		if !tagged {
			if r.Next() != jsontok.String {
				break
			}
			name = r.Bytes()
		}
		s := span{first: leading(name), start: uint32(len(d.buf))}
		d.appended(appendName(d.buf, name))
		s.keyEnd = uint32(len(d.buf))
		s.key = s.keyEnd - uint32(len(name))
		sound := d.fault == nil
		if len(name) == 0 {
			d.fail(emptyName)
		} else if len(name) > MaxName {
			d.fail(longName)
		}
		if tagged {
			d.tagged(r, tag, level)
		} else {
			d.value(r, r.Next(), level, &elementShape)
		}
		d.keep(s)
		if level == 1 && sound && d.fault != nil {
			d.fault.Name = string(d.key(&s))
		}
	}
	if entries := d.spans[outer:]; !d.ascending(entries) {
		d.sort(entries)
		d.arrange(content, entries)
	}
	d.spans = d.spans[:outer]
}

// maxEntries bounds the entries of the sets and maps around and in a value: each takes a span, which is far more than its text.
// An item of 400 KB has room for fewer.
const maxEntries = 400 << 10

// keep keeps an entry that has just been decoded, or drops it if there are too many.
func (d *Decoder) keep(s span) {
	if len(d.spans) < maxEntries {
		s.end = uint32(len(d.buf))
		d.spans = append(d.spans, s)
		return
	}
	d.buf = d.buf[:s.start]
	d.fail(tooLarge)
}

// tagged is value for an object {"X":"text"} that was read in one step, as most are.
func (d *Decoder) tagged(r *jsontok.Reader, tag byte, level int) {
	start, faults := len(d.buf), d.faults
	switch {
	case level > MaxLevels:
		d.fail(tooNested)
	case tag == 'S':
		d.appended(append(appendHead(d.buf, S, len(r.Bytes())), r.Bytes()...))
	case tag == 'N':
		d.number(r.Bytes())
	case tag == 'B', tag == 'L', tag == 'M':
		d.content(r, jsontok.String, ParseType([]byte{tag}), level)
	default:
		d.fail(noType)
	}
	if d.faults > faults {
		d.buf = append(d.buf[:start], byte(NULL))
	}
}

// value decodes an object {"S": "..."} as a value. A faulty value becomes NULL, so that what is around it is well formed.
func (d *Decoder) value(r *jsontok.Reader, k jsontok.Kind, level int, want *shape) {
	start, faults := len(d.buf), d.faults
	switch {
	case k == jsontok.Null:
		d.fail(noType)
	case k != jsontok.Object:
		d.mismatch(r, k, want)
	case level > MaxLevels:
		d.fail(tooNested)
		r.Skip(k)
	default:
		d.typed(r, level)
	}
	if d.faults > faults {
		d.buf = append(d.buf[:start], byte(NULL))
	}
}

// typed decodes the members of an object up to its end, of which one must name a type. null stands for an absent member,
// others are of no interest. What is wrong with a content is told before that there is more than one.
func (d *Decoder) typed(r *jsontok.Reader, level int) {
	start, found, many := len(d.buf), Missing, false
	for r.Next() == jsontok.String {
		t := ParseType(r.Bytes())
		k := r.Next()
		if t == Missing || k == jsontok.Null {
			r.Skip(k)
			continue
		}
		many = many || found != Missing && found != t
		found = t
		d.buf = d.buf[:start]
		d.content(r, k, t, level)
	}
	switch {
	case found == Missing:
		d.fail(noType)
	case many:
		d.fail(manyTypes)
	}
}

// content decodes what stands beside the name of the type t.
func (d *Decoder) content(r *jsontok.Reader, k jsontok.Kind, t Type, level int) {
	switch t {
	case S, N, B:
		d.scalar(r, k, t)
	case BOOL:
		if d.boolean(r, k) {
			d.buf = append(d.buf, byte(BOOL), 1)
		} else {
			d.buf = append(d.buf, byte(BOOL), 0)
		}
	case NULL:
		if faults := d.faults; !d.boolean(r, k) && d.faults == faults {
			d.fail(falseNull)
		}
		d.buf = append(d.buf, byte(NULL))
	case M:
		if k != jsontok.Object {
			d.mismatch(r, k, &mapShape)
			return
		}
		d.appended(open(d.buf, M))
		content := len(d.buf)
		d.attributes(r, level+1)
		d.appended(seal(d.buf, content))
	default:
		if k != jsontok.Array {
			d.mismatch(r, k, &listShape)
			return
		}
		d.appended(open(d.buf, t))
		content := len(d.buf)
		if t == L {
			d.elements(r, level+1)
		} else {
			d.set(r, t)
		}
		d.appended(seal(d.buf, content))
	}
}

// elements decodes the elements of an array up to its end as values.
func (d *Decoder) elements(r *jsontok.Reader, level int) {
	for k := r.Next(); k != jsontok.EndArr && k != jsontok.Bad; k = r.Next() {
		d.value(r, k, level, &elementShape)
	}
}

// set decodes the elements of an array up to its end as members of a set of type t and sorts them.
func (d *Decoder) set(r *jsontok.Reader, t Type) {
	content, outer, faults := len(d.buf), len(d.spans), d.faults
	for k := r.Next(); k != jsontok.EndArr && k != jsontok.Bad; k = r.Next() {
		if k == jsontok.Null {
			d.fail(nullMember(t))
			continue
		}
		start := len(d.buf)
		if d.scalar(r, k, t.Elem()); d.faults > faults {
			continue
		}
		content, end := Value(d.buf[start:]).content(), uint32(len(d.buf))
		d.keep(span{leading(content), uint32(start), end - uint32(len(content)), end, end})
	}
	if d.faults == faults {
		d.finishSet(t, content, d.spans[outer:])
	}
	d.spans = d.spans[:outer]
}

// finishSet checks and sorts the members, whose encoding starts at content.
func (d *Decoder) finishSet(t Type, content int, members []span) {
	if len(members) == 0 {
		d.fail(emptySet(t))
		return
	}
	if d.ascending(members) {
		return
	}
	d.sort(members)
	for i := range members[1:] {
		if bytes.Equal(d.key(&members[i]), d.key(&members[i+1])) {
			d.fail(duplicates(t, slices.Collect(elems(d.buf[content:]))))
			return
		}
	}
	d.arrange(content, members)
}

// scalar decodes an S, N or B from the value whose first token is k.
func (d *Decoder) scalar(r *jsontok.Reader, k jsontok.Kind, t Type) {
	switch {
	case k != jsontok.String && t == B:
		d.mismatch(r, k, &blobShape)
	case k != jsontok.String:
		d.mismatch(r, k, &stringShape)
	case t == S:
		d.appended(append(appendHead(d.buf, S, len(r.Bytes())), r.Bytes()...))
	case t == N:
		d.number(r.Bytes())
	default:
		d.binary(r.Bytes())
	}
}

func (d *Decoder) number(text []byte) {
	buf := open(d.buf, N)
	content := len(buf)
	buf, err := decimal.Append(buf, text)
	if err != nil {
		d.fail(numberFault(err, text))
	}
	d.appended(seal(buf, content))
}

// base64Strict refuses padding bits that are not 0.
var base64Strict = base64.StdEncoding.Strict()

func (d *Decoder) binary(text []byte) {
	if len(text)%4 != 0 {
		d.reject(wrongLength(text))
		return
	}
	n := len(text)/4*3 - (len(text) - len(bytes.TrimRight(text, "=")))
	d.buf = appendHead(d.buf, B, n)
	content := len(d.buf)
	d.buf = slices.Grow(d.buf, len(text)/4*3)
	// The decoder passes over line breaks, which then are missing from the length.
	if got, err := base64Strict.Decode(d.buf[content:cap(d.buf)], text); err != nil || got != n {
		d.reject(wrongBase64(text))
		n = 0
	}
	d.buf = d.buf[:content+n]
}

// boolean decodes true or false, which may be said in other words.
func (d *Decoder) boolean(r *jsontok.Reader, k jsontok.Kind) bool {
	switch k {
	case jsontok.True:
		return true
	case jsontok.False:
		return false
	case jsontok.String:
		switch string(r.Bytes()) {
		case "true", "yes", "1":
			return true
		case "false", "no", "0":
			return false
		}
		d.reject("Unexpected token received from parser")
		return false
	}
	d.mismatch(r, k, &booleanShape)
	return false
}
