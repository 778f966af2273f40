package gateway

import (
	"errors"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// signing says what signatures are accepted.
func (g *Gateway) signing() sigv4.Config {
	cfg := sigv4.Config{ValidRegion: g.validRegion}
	if !g.open {
		cfg.Secret = g.cfg.Keys.Secret
	}
	return cfg
}

// maxRegion bounds the name of a region.
const maxRegion = 64

// validRegion takes the region that the server is for. A server for every region takes any name that could be one:
// regions are namespaces, and people call them "local" and "ddblocal" too.
func (g *Gateway) validRegion(region string) bool {
	if g.cfg.Region != "" && !g.cfg.OneRegion {
		return region == g.cfg.Region
	}
	return IsRegion(region)
}

// IsRegion reports whether a text can be the name of a region.
func IsRegion(region string) bool {
	if region == "" || len(region) > maxRegion {
		return false
	}
	for i := range len(region) {
		c := region[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// signed returns x as a signature covers it.
func (g *Gateway) signed(x *Exchange) *sigv4.Request {
	return &sigv4.Request{Method: x.Method, Path: x.Path, RawQuery: x.RawQuery, Header: x.Header, Body: x.in}
}

// authenticate finds out who sent x.
func (g *Gateway) authenticate(x *Exchange, r *route) (sigv4.Identity, error) {
	now := x.begun
	if g.authNow != nil {
		now = g.authNow()
	}
	id, err := g.signer.Verify(g.signed(x), now, r.service.SigningName)
	if err == nil {
		return id, nil
	}
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return id, err
	}
	return id, r.faults.of(e)
}

// faults is how a protocol names what is wrong with a signature.
type faults int

const (
	jsonFaults faults = iota
	queryFaults
	restFaults
)

func (f faults) of(e *sigv4.Error) *api.Error {
	if f == queryFaults {
		return queryFault(e)
	}
	code := map[sigv4.Reason]string{
		sigv4.Missing:    "MissingAuthenticationTokenException",
		sigv4.Incomplete: "IncompleteSignatureException",
		sigv4.Invalid:    "InvalidSignatureException",
		sigv4.UnknownKey: "UnrecognizedClientException",
	}[e.Reason]
	unknown := api.Unauthenticated(code, "%s", e.Message)
	if f == restFaults {
		unknown.Status = 403
	}
	return unknown
}

func queryFault(e *sigv4.Error) *api.Error {
	switch e.Reason {
	case sigv4.Missing:
		return queryError("MissingAuthenticationToken", 403, e.Message)
	case sigv4.Incomplete:
		return queryError("IncompleteSignature", 400, e.Message)
	case sigv4.UnknownKey:
		return queryError("InvalidClientTokenId", 403, e.Message)
	}
	return queryError("SignatureDoesNotMatch", 403, e.Message)
}

// named returns e, which may befall every call, under the name that the protocol has for it.
func (f faults) named(e *api.Error) *api.Error {
	switch f {
	case jsonFaults:
		return e
	case restFaults:
		return restError(e)
	}
	switch e.Code {
	case "AccessDeniedException":
		return queryError("AccessDenied", 403, e.Message)
	case "InternalServerError":
		return queryError("InternalFailure", 500, e.Message)
	case "ThrottlingException":
		return queryError("Throttling", 400, e.Message)
	}
	return e
}

func queryError(code string, status int, text string) *api.Error {
	return &api.Error{Code: code, Status: status, Message: text}
}
