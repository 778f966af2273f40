package gateway

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/grammedb/gramme/internal/api"
)

// unknownOperation is the body of the answer to what is no call at all.
const unknownOperation = "<UnknownOperationException/>\n"

// greet answers all that is not a call, and reports whether x is one.
func (g *Gateway) greet(x *Exchange) bool {
	x.newRequestID()
	x.media = mediaType(x.Header("content-type"))
	origin := x.Header("origin")
	if why := g.refuse(x.Host, origin); why != "" {
		g.refused(x, why)
		return false
	}
	if origin != "" {
		x.Headers = append(x.Headers, corsFields...)
	}
	switch {
	case x.Length > int64(g.maxBody(x)):
		g.answerEmpty(x, 413)
	case x.Method == "POST" && g.isCall(x), g.hasAction(x), g.isREST(x):
		return true
	case x.Method == "GET" && x.Path == "/" && x.RawQuery == "":
		g.answerText(x, 200, "text/plain; charset=utf-8", "healthy: "+x.Host+" ")
	case x.Method == "OPTIONS" && origin != "":
		x.Headers = append(x.Headers, Field{"Access-Control-Max-Age", "172800"})
		x.allow("Access-Control-Allow-Methods", "access-control-request-method")
		x.allow("Access-Control-Allow-Headers", "access-control-request-headers")
		g.answerEmpty(x, 200)
	default:
		g.answerText(x, 404, "", unknownOperation)
	}
	return false
}

// corsFields come with every answer to a web page.
var corsFields = []Field{
	{"Access-Control-Allow-Origin", "*"},
	{"Access-Control-Expose-Headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-errortype,x-amz-crc32,Date"},
}

// allow answers a header of a preflight request in the field of that name.
func (x *Exchange) allow(field, requested string) {
	if value := x.Header(requested); value != "" {
		x.Headers = append(x.Headers, Field{field, strings.Clone(value)})
	}
}

// isCall reports whether a POST has the content type of a protocol. One without a body need not.
func (g *Gateway) isCall(x *Exchange) bool {
	return x.Length == 0 || x.media == typeJSON10 || x.media == typeJSON || g.isQuery(x)
}

// isQuery reports whether a call is one of a Query protocol. A form with a target is a call of a JSON protocol whose type is
// wrong.
func (g *Gateway) isQuery(x *Exchange) bool {
	return g.hasAction(x) || x.media == typeForm && len(g.routes.byAction) > 0 && x.Header("x-amz-target") == ""
}

// hasAction reports whether the query of a request is a call of a Query protocol, as it is when the request is presigned.
func (g *Gateway) hasAction(x *Exchange) bool {
	if x.RawQuery == "" || x.Path != "/" || x.Method != "GET" && x.Method != "POST" || len(g.routes.byAction) == 0 {
		return false
	}
	return strings.HasPrefix(x.RawQuery, "Action=") || strings.Contains(x.RawQuery, "&Action=")
}

// refuse says why a request must not be served, "" if it may be.
//
// Where any credentials are accepted, every web page that its user visits could call: from another origin, or from its own
// by letting its name point to this machine (DNS rebinding). So the origin must be local or allowed, and the host must
// be a name that no stranger can own.
func (g *Gateway) refuse(host, origin string) string {
	if !g.open {
		return ""
	}
	if name := hostname(host); !isPrivateName(name) && !slices.Contains(g.cfg.Hosts, name) {
		return "This server accepts any credentials, so it must be called by an IP address or a local name, not as '" + name +
			"'. Give it access keys (--key-file), or allow this name (--allow-host)."
	}
	if origin != "" && !g.allowedOrigin(origin) {
		return "This server accepts any credentials, so web pages from '" + origin +
			"' may not call it. Give it access keys (--key-file), or allow this origin (--cors-origin)."
	}
	return ""
}

// allowedOrigin reports whether pages of an origin are trusted.
func (g *Gateway) allowedOrigin(origin string) bool {
	return isLoopbackOrigin(origin) || slices.Contains(g.cfg.Origins, origin) || slices.Contains(g.cfg.Origins, "*")
}

func (g *Gateway) refused(x *Exchange, why string) {
	e := api.AccessDenied("%s", why)
	e.Status = 403
	g.answerError(x, g.routes.unknown, e)
}

// hostname returns a Host header without the port, in lower case.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// isPrivateName reports whether a host name is an address, or a name that is not in the public DNS: names without a dot,
// as containers have, and those under the suffixes that are set aside for private use. No host at all, as HTTP/1.0 may
// have, names nobody.
func isPrivateName(name string) bool {
	if !strings.Contains(name, ".") && !strings.Contains(name, ":") {
		return true
	}
	for _, suffix := range [...]string{".localhost", ".internal", ".local"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}

// isLoopbackOrigin reports whether an Origin header names a page of this machine.
func isLoopbackOrigin(origin string) bool {
	_, host, ok := strings.Cut(origin, "://")
	if !ok {
		return false // "null" of sandboxed pages and files is anybody
	}
	name := hostname(host)
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}
