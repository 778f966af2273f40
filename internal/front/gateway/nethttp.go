package gateway

import (
	"net/http"
	"strconv"
	"strings"
)

// ServeHTTP serves a request of net/http: for tests, and for programs that embed the database.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isOwn(r.URL.Path) {
		g.own.ServeHTTP(w, r)
		return
	}
	x := g.Acquire()
	defer g.Release(x)
	x.Request = Request{
		Method:   r.Method,
		Path:     r.URL.EscapedPath(),
		RawQuery: r.URL.RawQuery,
		Host:     r.Host,
		Header:   func(name string) string { return netHeader(r, name) },
		Body:     r.Body,
		Length:   r.ContentLength,
	}
	g.serveRecovered(r.Context(), x)
	send(w, x)
}

// netHeader returns a header; several of one name are joined.
func netHeader(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		if r.ContentLength >= 0 {
			return strconv.FormatInt(r.ContentLength, 10)
		}
	}
	switch values := r.Header.Values(name); len(values) {
	case 0:
		return ""
	case 1:
		return values[0]
	default:
		return strings.Join(values, ",")
	}
}

func send(w http.ResponseWriter, x *Exchange) {
	h := w.Header()
	h.Set("Server", ServerName)
	if x.ContentType != "" {
		h.Set("Content-Type", x.ContentType)
	} else {
		h["Content-Type"] = nil // do not guess one
	}
	if x.Encoding != "" {
		h.Set("Content-Encoding", x.Encoding)
	}
	h.Set("x-amzn-RequestId", strings.Clone(x.RequestID)) // sent when x has been given back
	h.Set("x-amz-crc32", strconv.FormatUint(uint64(x.Checksum), 10))
	h.Set("Content-Length", strconv.Itoa(len(x.Response.Body)))
	for _, f := range x.Headers {
		h.Set(f.Name, f.Value)
	}
	w.WriteHeader(x.Status)
	_, _ = w.Write(x.Response.Body) // a client that is gone needs no answer
}
