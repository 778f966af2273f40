package gateway

import (
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/lib/jsontok"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// The content types of the protocols.
const (
	typeJSON10 = "application/x-amz-json-1.0"
	typeJSON   = "application/json"
	typeForm   = "application/x-www-form-urlencoded"
	typeXML    = "text/xml"
)

// A route is where a request goes: an operation, with all that serving it needs and that need not be looked up again.
type route struct {
	service *api.Service // nil: no service was recognised
	op      *api.Op      // nil: no operation was
	codec   func(x *Exchange) Codec
	faults  faults // how the protocol names failures of authentication and routing
	seconds prometheus.Observer
	errors  *prometheus.CounterVec // by code
}

func (r *route) name() string {
	if r.op == nil {
		return "unknown"
	}
	return r.op.Name
}

// routes are all routes of a gateway.
type routes struct {
	byTarget map[string]*route            // X-Amz-Target
	byAction map[string]map[string]*route // signing name of a Query service, then Action
	byPath   []template                   // of REST services
	unknown  *route                       // of an unknown target
	noAction *route                       // of an unknown Action
	nowhere  *route                       // of an unknown path
}

func newRoutes(cfg Config, m *metrics) routes {
	rs := routes{byTarget: make(map[string]*route), byAction: make(map[string]map[string]*route)}
	json := func(x *Exchange) Codec { return cfg.JSON(&x.values) }
	unknown := route{}
	unknown.seconds, unknown.errors = m.operation("unknown", "unknown")
	rs.unknown, rs.noAction, rs.nowhere = new(unknown), new(unknown), new(unknown)
	rs.unknown.codec, rs.unknown.faults = json, jsonFaults
	rs.noAction.faults = queryFaults
	rs.nowhere.codec, rs.nowhere.faults = cfg.restCodec, restFaults
	for _, s := range cfg.Services {
		for _, op := range s.Ops {
			r := &route{service: s, op: op}
			r.seconds, r.errors = m.operation(s.Name, op.Name)
			switch s.Protocol {
			case api.JSON10:
				r.codec, r.faults = json, jsonFaults
				rs.byTarget[s.TargetPrefix+"."+op.Name] = r
				continue
			case api.REST:
				r.codec, r.faults = cfg.restCodec, restFaults
				rs.byPath = append(rs.byPath, newTemplate(r))
				continue
			}
			r.codec, r.faults = cfg.queryCodec(s.XMLNamespace), queryFaults
			rs.noAction.codec = r.codec
			if rs.byAction[s.SigningName] == nil {
				rs.byAction[s.SigningName] = make(map[string]*route)
			}
			rs.byAction[s.SigningName][op.Name] = r
		}
	}
	return rs
}

// queryCodec returns how a Query service's codec is made for an exchange.
func (cfg *Config) queryCodec(namespace string) func(*Exchange) Codec {
	return func(x *Exchange) Codec { return cfg.Query(namespace, x.RequestID) }
}

// action returns the route of an action of a service, or of any service that has it if there is no such service; nil if
// nobody has it.
func (rs *routes) action(service, action string) *route {
	if actions, ok := rs.byAction[service]; ok {
		return actions[action]
	}
	for _, actions := range rs.byAction {
		if r := actions[action]; r != nil {
			return r
		}
	}
	return nil
}

// route finds the operation that x asks for.
func (g *Gateway) route(x *Exchange) (*route, error) {
	if g.isREST(x) {
		return g.routeREST(x)
	}
	if g.isQuery(x) {
		return g.routeQuery(x)
	}
	if r, ok := g.routes.byTarget[x.Header("x-amz-target")]; ok {
		return r, nil
	}
	return g.routes.unknown, api.UnknownOperation()
}

// nowhere returns the route by which x is answered before it is known where it goes.
func (g *Gateway) nowhere(x *Exchange) *route {
	if g.isREST(x) {
		return g.routes.nowhere
	}
	if g.isQuery(x) {
		return g.routes.noAction
	}
	return g.routes.unknown
}

// routeQuery finds the operation of a Query protocol: the credential names the service, and the form the action.
func (g *Gateway) routeQuery(x *Exchange) (*route, error) {
	values, err := url.ParseQuery(string(x.body))
	if err != nil {
		return g.routes.noAction, queryError("MalformedQueryString", 400, "The query string is malformed.")
	}
	action := values.Get("Action")
	if r := g.routes.action(sigv4.Service(g.signed(x)), action); r != nil {
		return r, nil
	}
	return g.routes.noAction, queryError("InvalidAction", 400, "Could not find operation "+action+" for version "+values.Get("Version"))
}

// mediaType returns a Content-Type without its parameters.
func mediaType(s string) string {
	if s == typeJSON10 { // what nearly every request has
		return s
	}
	t, _, _ := strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// earlier returns what the service would have said first: a JSON body that cannot be read comes before everything that
// route and authenticate find.
func earlier(x *Exchange, r *route, err error) error {
	if r.faults == jsonFaults && len(x.body) > 0 && !jsontok.Valid(x.body) {
		return api.Serialization("")
	}
	return err
}
