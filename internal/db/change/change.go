// Package change is the record of one change of one item: what a write appends to its table's log, in the commit that makes the
// change. Streams, replicas, backups and triggers read nothing else.
//
//	format(1) parts(1) stamp(8) origin(2) [type principal] [size length old] [size new]
//
// format is 1. parts says which of the three optional parts are there: 1 the old image, 2 the new one, 4 the user. stamp and origin are
// those of the item's row (package row); for a removal, which leaves no row, those that it would have had. type and principal are
// the user, each behind its length. size is what DynamoDB counts for an image, and length the bytes of the old one; the new one reaches
// to the end. Sizes and lengths are uvarints, images attr.Items with the key attributes in them: the key needs no part of its own.
package change

import (
	"encoding/binary"
	"fmt"

	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
)

const (
	format = 1
	fixed  = 1 + 1 + 8 + 2
)

// The optional parts.
const (
	hasOld byte = 1 << iota
	hasNew
	hasUser
)

// A Record is one change of one item.
type Record struct {
	Stamp            row.Stamp
	User             *User     // nil: a client
	Old, New         attr.Item // whole items; nil: there was, there is none
	OldSize, NewSize int       // in bytes as DynamoDB counts them, 0 if there is none
}

// A User is who made a change that no client asked for.
type User struct{ Type, Principal string }

// TTL is the user of a deletion by time to live.
var TTL = &User{Type: "Service", Principal: "dynamodb.amazonaws.com"}

// An Event is what became of an item, spelled as in the API.
type Event string

// The events.
const (
	Insert Event = "INSERT"
	Modify Event = "MODIFY"
	Remove Event = "REMOVE"
)

// Event returns what became of the item.
func (r *Record) Event() Event {
	switch {
	case r.Old == nil:
		return Insert
	case r.New == nil:
		return Remove
	}
	return Modify
}

// Image returns the new image or, of a removal, the old one. Either holds the key.
func (r *Record) Image() attr.Item {
	if r.New != nil {
		return r.New
	}
	return r.Old
}

// MaxLen returns the most bytes that Append appends.
func (r *Record) MaxLen() int {
	n := fixed + 3*binary.MaxVarintLen32 + len(r.Old) + len(r.New)
	if r.User != nil {
		n += 2*binary.MaxVarintLen32 + len(r.User.Type) + len(r.User.Principal)
	}
	return n
}

// Append appends the stored form.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, format, r.parts())
	dst = binary.BigEndian.AppendUint64(dst, r.Stamp.Time)
	dst = binary.BigEndian.AppendUint16(dst, r.Stamp.Origin)
	if r.User != nil {
		dst = appendSized(dst, r.User.Type)
		dst = appendSized(dst, r.User.Principal)
	}
	if r.Old != nil {
		dst = appendSized(binary.AppendUvarint(dst, uint64(r.OldSize)), r.Old)
	}
	if r.New != nil {
		dst = append(binary.AppendUvarint(dst, uint64(r.NewSize)), r.New...)
	}
	return dst
}

func (r *Record) parts() (p byte) {
	if r.Old != nil {
		p |= hasOld
	}
	if r.New != nil {
		p |= hasNew
	}
	if r.User != nil {
		p |= hasUser
	}
	return p
}

func appendSized[T ~string | ~[]byte](dst []byte, b T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// Decode reads a stored record, whose images alias b. It fails with kv.ErrCorrupt.
func Decode(b []byte) (Record, error) {
	if len(b) < fixed || b[0] != format || b[1] > hasOld|hasNew|hasUser || b[1]&(hasOld|hasNew) == 0 {
		return Record{}, fmt.Errorf("change record of %d bytes: %w", len(b), kv.ErrCorrupt)
	}
	r := Record{Stamp: row.Stamp{Time: binary.BigEndian.Uint64(b[2:]), Origin: binary.BigEndian.Uint16(b[10:])}}
	d := decoder{rest: b[fixed:]}
	if b[1]&hasUser != 0 {
		r.User = &User{Type: string(d.sized()), Principal: string(d.sized())}
	}
	if b[1]&hasOld != 0 {
		r.OldSize = d.number()
		r.Old = d.sized()
	}
	if b[1]&hasNew != 0 {
		r.NewSize = d.number()
		r.New, d.rest = d.rest, nil
	}
	if d.bad || len(d.rest) > 0 {
		return Record{}, fmt.Errorf("change record of %d bytes does not end where it should: %w", len(b), kv.ErrCorrupt)
	}
	return r, nil
}

// A decoder cuts numbers and texts off rest. Once something is missing it is bad and returns nothing.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() int {
	n, w := binary.Uvarint(d.rest)
	if w <= 0 || n > 1<<31 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[w:]
	return int(n)
}

func (d *decoder) sized() []byte {
	n := d.number()
	if n > len(d.rest) {
		d.bad, d.rest = true, nil
	}
	if d.bad {
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}
