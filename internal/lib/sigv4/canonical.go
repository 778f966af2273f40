package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// A canon is the memory in which one canonical request is written and hashed.
type canon struct {
	buf []byte
	sum []byte
}

var canons = sync.Pool{New: func() any { return new(canon) }}

// maxKept bounds the buffer that goes back to the pool: a query or a header may be large once.
const maxKept = 64 << 10

// sign returns the signature of the request, valid until the canon is used again.
func (c *canon) sign(r *Request, s *signature, k *signingKey) []byte {
	c.buf = appendCanonical(c.buf[:0], r, s)
	hash := sha256.Sum256(c.buf)
	c.buf = append(c.buf[:0], algorithm+"\n"...)
	c.buf = append(c.buf, s.date...)
	c.buf = append(c.buf, '\n')
	c.buf = append(c.buf, s.credential[strings.IndexByte(s.credential, '/')+1:]...)
	c.buf = append(c.buf, '\n')
	c.buf = hex.AppendEncode(c.buf, hash[:])
	c.sum = k.sum(c.sum[:0], c.buf)
	if cap(c.buf) > maxKept {
		c.buf = nil
	}
	return c.sum
}

// matches compares, in constant time, a signature in hexadecimal with sum.
func (c *canon) matches(signature string, sum []byte) bool {
	c.buf = hex.AppendEncode(c.buf[:0], sum)
	n := len(c.buf)
	c.buf = append(c.buf, signature...)
	return subtle.ConstantTimeCompare(c.buf[:n], c.buf[n:]) == 1
}

// maxCanonical bounds a canonical request. A server's limits keep requests far below it, but a header may be named many times
// over in SignedHeaders. Nothing signed is that long, so what is left out then makes no difference.
const maxCanonical = 256 << 10

// appendCanonical appends the canonical request: method, path, query, headers, names of headers, hash of the body.
func appendCanonical(dst []byte, r *Request, s *signature) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, '\n')
	dst = appendPath(dst, r.Path)
	dst = append(dst, '\n')
	dst = appendQuery(dst, r.RawQuery, s.presigned)
	dst = append(dst, '\n')
	for names := s.signedHeaders; names != "" && len(dst) < maxCanonical; {
		var name string
		name, names, _ = strings.Cut(names, ";")
		dst = append(dst, name...)
		dst = append(dst, ':')
		dst = appendValue(dst, r.Header(name))
		dst = append(dst, '\n')
	}
	dst = append(dst, '\n')
	dst = append(dst, s.signedHeaders...)
	dst = append(dst, '\n')
	if r.Header("x-amz-content-sha256") == unsignedPayload {
		return append(dst, unsignedPayload...)
	}
	hash := sha256.Sum256(r.Body)
	return hex.AppendEncode(dst, hash[:])
}

// appendValue appends a header's value without outer blanks, and with one space for each inner run of blanks.
func appendValue(dst []byte, v string) []byte {
	if !strings.Contains(v, "  ") && !strings.ContainsRune(v, '\t') {
		return append(dst, strings.Trim(v, " ")...)
	}
	for i, word := range strings.Fields(v) {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, word...)
	}
	return dst
}

// appendPath appends the path normalised (no empty, "." and ".." segments) and with its escapes escaped once more.
func appendPath(dst []byte, path string) []byte {
	if path == "/" || path == "" {
		return append(dst, '/')
	}
	var kept []string
	for seg := range strings.SplitSeq(path, "/") {
		switch seg {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, seg)
		}
	}
	for _, seg := range kept {
		dst = append(dst, '/')
		dst = appendEscaped(dst, seg)
	}
	if len(kept) == 0 || strings.HasSuffix(path, "/") {
		dst = append(dst, '/')
	}
	return dst
}

// appendQuery appends the parameters sorted by name, then value; without X-Amz-Signature if the query is presigned.
func appendQuery(dst []byte, raw string, presigned bool) []byte {
	if raw == "" {
		return dst
	}
	type param struct{ name, value string }
	var params []param
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if pair == "" || presigned && name == "X-Amz-Signature" {
			continue
		}
		params = append(params, param{reescape(name), reescape(value)})
	}
	slices.SortFunc(params, func(a, b param) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	for i, p := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p.name...)
		dst = append(dst, '=')
		dst = append(dst, p.value...)
	}
	return dst
}

// reescape undoes the escapes of a query's part and makes them again in the canonical way. A part with a malformed escape
// stays as it is.
func reescape(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return string(appendEscaped(nil, plain))
}

// appendEscaped appends s with every byte escaped but the unreserved ones of RFC 3986.
func appendEscaped(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}
