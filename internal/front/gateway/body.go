package gateway

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/grammedb/gramme/internal/api"
)

// Failures that are answered without a body.
var (
	errTooLarge = errors.New("the body is too large, before or after decompression")
	errBroken   = errors.New("the body could not be read")
	errSlow     = errors.New("the body did not come in time")
)

// readBody lets x in and reads its body into x.in and x.body.
func (g *Gateway) readBody(ctx context.Context, x *Exchange) error {
	if err := g.receive(ctx, x); err != nil {
		return err
	}
	x.body = x.in
	if g.hasAction(x) {
		x.body = append(x.inflated[:0], x.RawQuery...)
		return nil
	}
	return g.inflate(ctx, x)
}

// receive reads the body as it comes and takes x's place among the requests that run. A small body has come with the
// headers; for one that is still on its way the place is taken afterwards, because clients may send as slowly as they like.
func (g *Gateway) receive(ctx context.Context, x *Exchange) (err error) {
	if x.Whole != nil {
		x.in, x.read = x.Whole, true
		return g.admit(ctx, x, x.Length)
	}
	if x.Request.Body == nil {
		x.Length = 0
	}
	here := x.Length >= 0 && x.Length <= prefetched
	if !here {
		x.in, err = g.readGrowing(ctx, x, x.in[:0], x.Request.Body, x.Length)
	} else if err = g.admit(ctx, x, x.Length); err == nil {
		x.in, err = readExactly(x.in[:0], x.Request.Body, int(x.Length))
	}
	if err != nil {
		return x.unread(err)
	}
	x.read = true
	if here {
		return nil
	}
	if x.Length > 0 && int64(len(x.in)) < x.Length {
		return errBroken
	}
	return g.admit(ctx, x, 0)
}

// unread says why the body could not be read.
func (x *Exchange) unread(err error) error {
	var refused *api.Error
	if err == errTooLarge || errors.As(err, &refused) {
		return err // and there is more to come
	}
	x.read = true
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSlow
	}
	return errBroken
}

// maxDiscard is how much of a body is read and thrown away so that the client gets to see why it was not wanted: most
// clients look at the answer only when they have sent everything.
const maxDiscard = maxRESTBody

// discard reads what is left of the body of a request that has been answered without it.
func (g *Gateway) discard(x *Exchange) {
	if x.read || x.Length == 0 || x.Length > maxDiscard || x.Request.Body == nil {
		return
	}
	g.finish(x) // others need not wait for that
	x.in = nil
	_, _ = io.CopyN(io.Discard, x.Request.Body, maxDiscard)
}

func readExactly(dst []byte, src io.Reader, n int) ([]byte, error) {
	if n == 0 {
		return dst, nil
	}
	if cap(dst) < n {
		dst = make([]byte, n)
	}
	dst = dst[:n]
	_, err := io.ReadFull(src, dst)
	return dst, err
}

// maxBody returns how large x's body may be.
func (g *Gateway) maxBody(x *Exchange) int {
	if g.isREST(x) {
		return maxRESTBody
	}
	return maxBody
}

// minRead is the room into which a body that is still on its way is first read.
const minRead = 8 << 10

// readGrowing reads src to its end into dst. It takes memory from the budget before it grows dst, which doubles: a client
// gets room for what it has sent, not for what it says it will send. The length of src is -1 where it is not known.
func (g *Gateway) readGrowing(ctx context.Context, x *Exchange, dst []byte, src io.Reader, length int64) ([]byte, error) {
	limit := g.maxBody(x)
	most := limit + 1
	if length >= 0 {
		most = int(length) + 1 // so that there is room to see the end
	}
	if err := g.reserve(ctx, x, int64(cap(dst))); err != nil {
		return dst, err
	}
	for {
		if len(dst) == cap(dst) {
			more := min(max(minRead, cap(dst)), most-cap(dst))
			if err := g.reserve(ctx, x, int64(more)); err != nil {
				return dst, err
			}
			dst = append(make([]byte, 0, cap(dst)+more), dst...)
		}
		n, err := src.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst, errTooLarge
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

// answerFailedBody answers the failures above; the connection ends with them. It reports whether err was one.
func (g *Gateway) answerFailedBody(x *Exchange, err error) bool {
	switch err {
	case errTooLarge:
		g.answerEmpty(x, 413)
	case errBroken:
		g.answerEmpty(x, 400)
	case errSlow:
		g.answerEmpty(x, 408)
	default:
		return false
	}
	return true
}
