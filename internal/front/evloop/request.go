package evloop

import (
	"bytes"
	"strconv"
	"strings"
	"unsafe"
)

// A Request is one that has come whole. All of it is valid until its Answer has been sent.
type Request struct {
	Host string
	Body []byte
	// Get returns the value of the header of a name in lower case, "" if there is none. Of the headers that a request has once the first
	// counts; values of others are joined by commas.
	Get func(name string) string

	fields [maxFields]field
	n      int
	size   int // of head and body; 0: not known yet
}

type field struct{ name, value string }

const (
	maxFields = 48
	maxHead   = 16 << 10
)

// newRequest returns an empty Request.
func newRequest() *Request {
	r := new(Request)
	r.Get = r.get
	return r
}

// A verdict is what parse finds.
type verdict int

const (
	whole   verdict = iota // a request and nothing behind it
	partial                // the beginning of one
	strange                // something for a server that knows more, or for an error
)

// requestLine is the only one that is served here.
const requestLine = "POST / HTTP/1.1\r\n"

var endOfHead = []byte("\r\n\r\n")

// parse reads a request from all of b and keeps views of it. It takes what needs no interpretation, and calls everything else strange.
func (r *Request) parse(b []byte) verdict {
	r.size = 0
	if len(b) < len(requestLine) {
		if strings.HasPrefix(requestLine, view(b)) {
			return partial
		}
		return strange
	}
	if view(b[:len(requestLine)]) != requestLine {
		return strange
	}
	end := bytes.Index(b, endOfHead)
	if end < 0 {
		if len(b) > maxHead {
			return strange
		}
		return partial
	}
	length, ok := r.parseHead(b[len(requestLine) : end+2])
	if !ok || end > maxHead {
		return strange
	}
	r.size = end + len(endOfHead) + length
	switch {
	case len(b) < r.size:
		return partial
	case len(b) > r.size:
		return strange
	}
	r.Body = b[r.size-length:]
	return whole
}

// parseHead reads the lines of headers and returns the length of the body.
func (r *Request) parseHead(lines []byte) (length int, ok bool) {
	if bytes.IndexByte(lines, 0) >= 0 {
		return 0, false
	}
	r.Host, length = "", -1
	n, returns := 0, bytes.Count(lines, carriageReturn)
	for ; len(lines) > 0; n++ {
		end := bytes.IndexByte(lines, '\n')
		if end < 1 || lines[end-1] != '\r' || n == maxFields {
			return 0, false
		}
		f := &r.fields[n]
		if *f, ok = cutField(lines[:end-1]); !ok || !r.note(f, &length) {
			return 0, false
		}
		lines = lines[end+1:]
	}
	r.n = n
	return length, length >= 0 && r.Host != "" && returns == n // each ends a line
}

var carriageReturn = []byte("\r")

// cutField takes a line apart. It refuses names that are not tokens.
func cutField(line []byte) (field, bool) {
	colon := 0
	for colon < len(line) && isToken[line[colon]] {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		return field{}, false
	}
	from, to := colon+1, len(line)
	for from < to && isBlank(line[from]) {
		from++
	}
	for from < to && isBlank(line[to-1]) {
		to--
	}
	return field{view(line[:colon]), view(line[from:to])}, true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// note looks at a header that says how the request is to be read, and reports whether it is one to be served here.
func (r *Request) note(f *field, length *int) bool {
	name, value := f.name, f.value
	switch len(name) {
	case len("Host"):
		if equalFold(name, "host") {
			if r.Host != "" {
				return false
			}
			r.Host = value
		}
	case len("Content-Length"):
		if equalFold(name, "content-length") {
			n, err := strconv.ParseUint(value, 10, 31)
			if err != nil || *length >= 0 {
				return false
			}
			*length = int(n)
		}
	case len("Connection"):
		return !equalFold(name, "connection") || equalFold(value, "keep-alive")
	case len("Expect"):
		return !equalFold(name, "expect")
	case len("Upgrade"):
		return !equalFold(name, "upgrade") && !equalFold(name, "trailer")
	case len("Transfer-Encoding"):
		return !equalFold(name, "transfer-encoding")
	}
	return true
}

func (r *Request) get(name string) string {
	for i := range r.fields[:r.n] {
		if f := &r.fields[i]; len(f.name) == len(name) && equalFold(f.name, name) {
			if once(name) {
				return f.value
			}
			return r.join(f.value, name, i+1)
		}
	}
	return ""
}

// join adds the values of further headers of a name.
func (r *Request) join(value, name string, from int) string {
	for i := range r.fields[from:r.n] {
		if f := &r.fields[from+i]; equalFold(f.name, name) {
			value += "," + f.value
		}
	}
	return value
}

// once reports whether a request has a header once.
func once(name string) bool {
	switch name {
	case "accept-encoding", "authorization", "content-encoding", "content-length", "content-type", "host", "origin",
		"x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-target":
		return true
	}
	return false
}

// equalFold reports whether name is lower, which is in lower case and ASCII, but for the case of its letters.
func equalFold(name, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c != lower[i] && (c < 'A' || c > 'Z' || c|0x20 != lower[i]) {
			return false
		}
	}
	return true
}

// isToken are the bytes of names (RFC 9110, 5.6.2).
var isToken = func() (is [256]bool) {
	for c := range is {
		is[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > 0 && strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0
	}
	return is
}()

// view returns b as a string without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
