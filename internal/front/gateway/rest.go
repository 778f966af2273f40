package gateway

import (
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/grammedb/gramme/internal/api"
)

// A template is the method and the path of an operation of a REST service.
type template struct {
	*route
	method   string
	segments []segment
}

// A segment is a part of a path between slashes: a text, or a label for any.
type segment struct{ text, label string }

func newTemplate(r *route) template {
	t := template{route: r, method: r.op.Bind.Method}
	for s := range strings.SplitSeq(trimSlashes(r.op.Bind.URI), "/") {
		if label, ok := strings.CutPrefix(s, "{"); ok {
			t.segments = append(t.segments, segment{label: strings.TrimSuffix(label, "}")})
		} else {
			t.segments = append(t.segments, segment{text: s})
		}
	}
	return t
}

// trimSlashes removes the slash in front of a path and one at its end, which older SDKs send.
func trimSlashes(path string) string { return strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/") }

// A label is a named part of a path.
type label struct{ name, value string }

// match reports whether a path, given as its segments, is one of the template's, and returns what stands for the labels.
func (t *template) match(method string, path []string) (labels []label, ok bool) {
	if method != t.method || len(path) != len(t.segments) {
		return nil, false
	}
	for i, s := range t.segments {
		if s.label == "" {
			if s.text != path[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(path[i])
		if err != nil || value == "" {
			return nil, false
		}
		labels = append(labels, label{s.label, value})
	}
	return labels, true
}

// isREST reports whether a request goes to a REST service. Their paths begin with the date of a version.
func (g *Gateway) isREST(x *Exchange) bool {
	return len(x.Path) > len("/2015-03-31/") && len(g.routes.byPath) > 0 && hasDate(x.Path) && x.Method != "OPTIONS"
}

// hasDate reports whether a path begins like /2015-03-31/. REQUIRES: it is longer than that.
func hasDate(path string) bool {
	for i, want := range []byte("/0000-00-00/") {
		if c := path[i]; c != want && (want != '0' || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// routeREST finds the operation of a path. REST services name requests by UUIDs.
func (g *Gateway) routeREST(x *Exchange) (*route, error) {
	x.RequestID = uuid.NewString()
	path := strings.Split(trimSlashes(x.Path), "/")
	for i := range g.routes.byPath {
		t := &g.routes.byPath[i]
		labels, ok := t.match(x.Method, path)
		if !ok {
			continue
		}
		x.labels = labels
		if t.service.NoPages && x.Header("origin") != "" {
			return t.route, api.AccessDenied("This service answers no web page.")
		}
		return t.route, nil
	}
	return g.routes.nowhere, api.UnknownOperation()
}

// restCodec makes the codec of an exchange.
func (cfg *Config) restCodec(x *Exchange) Codec { return cfg.REST((*RESTExchange)(x)) }

// A RESTExchange shows a codec of api.REST what it reads and writes beside the bodies.
type RESTExchange Exchange

// Label returns a part of the path, "" if there is none of that name.
func (x *RESTExchange) Label(name string) string {
	for _, l := range x.labels {
		if l.name == name {
			return l.value
		}
	}
	return ""
}

// Query returns the values of a parameter. Malformed ones are left out.
func (x *RESTExchange) Query(name string) []string {
	if x.RawQuery == "" {
		return nil
	}
	values, _ := url.ParseQuery(strings.Clone(x.RawQuery))
	return values[name]
}

// Header returns a header of the request, given in lower case.
func (x *RESTExchange) Header(name string) string { return x.Request.Header(name) }

// SetStatus sets the status of the answer.
func (x *RESTExchange) SetStatus(status int) { x.status = status }

// SetHeader adds a header to the answer. What a header cannot hold becomes a blank.
func (x *RESTExchange) SetHeader(name, value string) {
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
	x.Headers = append(x.Headers, Field{name, value})
}

// restError returns e, which may befall every call, as REST services tell it.
func restError(e *api.Error) *api.Error {
	named := *e
	switch e.Code {
	case "AccessDeniedException":
		named.Status = 403
	case "UnknownOperationException":
		named.Status = 404
	case "InternalServerError":
		named = api.Error{Space: api.SpaceModel, Code: "ServiceException", Status: 500, Upper: true,
			Message: "An error occurred and the request cannot be processed."}
	case "ThrottlingException":
		named = api.Error{Space: api.SpaceModel, Code: "TooManyRequestsException", Status: 429, Message: e.Message}
	}
	return &named
}
