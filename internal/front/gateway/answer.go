package gateway

import (
	"hash/crc32"

	"github.com/grammedb/gramme/internal/api"
)

// answer makes the Response of a call that succeeded.
func (g *Gateway) answer(x *Exchange, r *route, out any) {
	if r.op.Out != nil {
		x.out = r.codec(x).AppendOutput(x.out[:0], r.op, out)
	} else {
		x.out, x.status = x.out[:0], r.op.Bind.Status
	}
	g.finishAnswer(x, orDefault(x.status, 200), r.contentType(x), x.out)
}

// answerError makes the Response of a call that failed.
func (g *Gateway) answerError(x *Exchange, r *route, e *api.Error) {
	e = r.faults.named(e)
	r.errors.WithLabelValues(e.Code).Inc()
	x.out = r.codec(x).AppendError(x.out[:0], e)
	g.finishAnswer(x, e.Status, r.contentType(x), x.out)
}

func (g *Gateway) answerText(x *Exchange, status int, contentType, text string) {
	x.out = append(x.out[:0], text...)
	g.finishAnswer(x, status, contentType, x.out)
}

func (g *Gateway) answerEmpty(x *Exchange, status int) {
	g.finishAnswer(x, status, "", nil)
}

// finishAnswer compresses the body if it is large and the client allows it, and counts it against the budget: it is in
// memory until it is sent, but a request that has been carried out is never refused.
func (g *Gateway) finishAnswer(x *Exchange, status int, contentType string, body []byte) {
	x.Status, x.ContentType, x.Response.Body, x.Encoding = status, contentType, body, ""
	if len(body) > compressFrom {
		if enc := chooseEncoding(x.Header("accept-encoding")); enc != nil {
			x.deflated = enc.append(x.deflated[:0], body)
			x.Response.Body, x.Encoding = x.deflated, enc.name
		}
	}
	x.Checksum = crc32.ChecksumIEEE(x.Response.Body)
	g.admission.charge(int64(len(x.Response.Body)))
	x.held.bytes += int64(len(x.Response.Body))
}

// contentType returns the type of an answer: of the two that there are for JSON that of the request.
func (r *route) contentType(x *Exchange) string {
	switch {
	case r.faults == queryFaults:
		return typeXML
	case r.faults == restFaults && len(x.out) == 0:
		return ""
	case r.faults == restFaults, x.media == typeJSON:
		return typeJSON
	}
	return typeJSON10
}
