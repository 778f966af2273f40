package gateway

import (
	"io"
	"math/rand/v2"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Request is what a client sent. Its strings are valid until the Exchange is given back.
type Request struct {
	Method   string
	Path     string // as sent, with its escapes
	RawQuery string
	Host     string
	// Header returns the value of the header of that name, given in lower case; several values are joined by commas.
	Header func(name string) string
	Body   io.Reader // nil: none
	Whole  []byte    // the body where it is in memory already, instead of Body; not written to
	Length int64     // of Body; -1: not known
}

// A Response is what the chain answers. Its Body is valid until the Exchange is given back.
type Response struct {
	Status      int
	ContentType string // "": no such header
	Encoding    string // Content-Encoding; "": no such header
	RequestID   string
	Checksum    uint32  // CRC-32 of Body
	Headers     []Field // beside those that every answer has
	Body        []byte
}

// A Field is one header of a Response.
type Field struct{ Name, Value string }

// An Exchange is one request on its way through the chain, with the memory that it needs.
type Exchange struct {
	Request
	Response

	media    string  // the type of the body, without parameters
	in       []byte  // the body as it came: what the signature covers
	inflated []byte  // the body after decompression
	body     []byte  // one of them, or the query: what the operation gets
	values   []byte  // the attribute values in it
	out      []byte  // the answer
	deflated []byte  // the answer after compression
	labels   []label // of the path, in a REST protocol
	status   int     // of the answer, where the protocol says one; 0: 200
	begun    time.Time
	id       [requestIDLen]byte // RequestID
	call     api.Call
	arena    attr.Arena // for the items of the answer
	held     claim      // of the server's limits
	read     bool       // the client's bytes have all been read
}

// maxKeptBuffer bounds the buffers that an exchange keeps for the next request.
const maxKeptBuffer = 64 << 10

// Acquire returns an empty Exchange; Release gives it back.
func (g *Gateway) Acquire() *Exchange { return g.exchanges.Get().(*Exchange) }

// Release gives x back when its answer has been sent. Nothing of it may be used afterwards.
func (g *Gateway) Release(x *Exchange) {
	g.finish(x)
	x.arena.Reset()
	if x.Whole != nil {
		x.in = nil // the adapter's
	}
	*x = Exchange{in: kept(x.in), inflated: kept(x.inflated), values: kept(x.values), out: kept(x.out), deflated: kept(x.deflated), arena: x.arena}
	g.exchanges.Put(x)
}

func kept(b []byte) []byte {
	if cap(b) > maxKeptBuffer {
		return nil
	}
	return b[:0]
}

// requestIDLen is the length of x-amzn-RequestId: 32 random bytes in base 32.
const requestIDLen = 52

// newRequestID gives x a request id.
func (x *Exchange) newRequestID() {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
	for i := 0; i < len(x.id); {
		for r, n := rand.Uint64(), 0; n < 12 && i < len(x.id); n++ { // 12 digits of 5 bits in 64
			x.id[i] = digits[r&31]
			r >>= 5
			i++
		}
	}
	x.RequestID = view(x.id[:])
}
