package gateway

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/grammedb/gramme/internal/api"
)

// inflate undoes the Content-Encoding of x.in. What cannot be undone is an internal error: so the service says.
func (g *Gateway) inflate(ctx context.Context, x *Exchange) error {
	var src io.Reader
	var err error
	switch strings.ToLower(x.Header("content-encoding")) {
	case "", "identity":
		return nil
	case "gzip":
		src, err = newGzipMembers(x.in)
	case "deflate":
		src, err = zlib.NewReader(bytes.NewReader(x.in))
	default:
		return api.Internal()
	}
	if err != nil {
		return api.Internal()
	}
	x.inflated, err = g.readGrowing(ctx, x, x.inflated[:0], src, -1)
	if _, refused := err.(*api.Error); err != nil && err != errTooLarge && !refused {
		return api.Internal()
	}
	x.body = x.inflated
	return err
}

// gzipMembers reads the gzip members of a body one after the other. What follows the last and is no member is passed over.
type gzipMembers struct {
	src  *bufio.Reader
	zr   *gzip.Reader
	done bool
}

func newGzipMembers(body []byte) (io.Reader, error) {
	src := bufio.NewReader(bytes.NewReader(body))
	zr, err := gzip.NewReader(src)
	if err != nil {
		return nil, err
	}
	zr.Multistream(false)
	return &gzipMembers{src: src, zr: zr}, nil
}

func (m *gzipMembers) Read(p []byte) (int, error) {
	if m.done {
		return 0, io.EOF
	}
	n, err := m.zr.Read(p)
	if err != io.EOF {
		return n, err
	}
	if m.zr.Reset(m.src) != nil {
		m.done = true
		return n, io.EOF
	}
	m.zr.Multistream(false)
	return n, nil
}

// An encoding compresses answers.
type encoding struct {
	name    string
	writers sync.Pool // of compressor
}

// A compressor is a gzip or zlib writer.
type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

// gzipEncoding and zlibEncoding are the encodings there are. They compress fast rather than well: clients are near.
var (
	gzipEncoding = &encoding{name: "gzip", writers: sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for unknown levels only
		return w
	}}}
	zlibEncoding = &encoding{name: "deflate", writers: sync.Pool{New: func() any {
		w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
		return w
	}}}
)

// append appends body, compressed, to dst.
func (e *encoding) append(dst, body []byte) []byte {
	w := e.writers.Get().(compressor)
	defer e.writers.Put(w)
	buf := bytes.NewBuffer(dst)
	w.Reset(buf)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return buf.Bytes()
}

// chooseEncoding returns the encoding that an Accept-Encoding header prefers, nil for none.
func chooseEncoding(accept string) *encoding {
	if accept == "" || accept == "identity" {
		return nil
	}
	q := map[string]float64{}
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		q[strings.ToLower(strings.TrimSpace(name))] = quality(params)
	}
	weight := func(name string) float64 {
		if w, ok := q[name]; ok {
			return w
		}
		return q["*"]
	}
	gz, zl := weight("gzip"), weight("deflate")
	switch plain, named := q["identity"]; {
	case named && plain > max(gz, zl), max(gz, zl) <= 0:
		return nil
	case zl > gz:
		return zlibEncoding
	}
	return gzipEncoding
}

// quality reads "q=0.5"; 1 if there is none, 0 if it is malformed.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		w, err := strconv.ParseFloat(value, 64)
		if err != nil || w < 0 || w > 1 {
			return 0
		}
		return w
	}
	return 1
}
