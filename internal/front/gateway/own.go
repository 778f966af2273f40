package gateway

import (
	"crypto/subtle"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ownPrefix is where everything lives that DynamoDB does not have.
const ownPrefix = "/_gramme/"

// isOwn reports whether a path is ours.
func isOwn(path string) bool { return strings.HasPrefix(path, ownPrefix) }

// ownHandler serves health, readiness, metrics and, when asked for, profiles. None needs a signature, which those who ask for them do not
// know how to make.
func (g *Gateway) ownHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ownPrefix+"health", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET "+ownPrefix+"ready", g.ready)
	mux.Handle("GET "+ownPrefix+"metrics", g.private(promhttp.HandlerFor(g.cfg.Registry, promhttp.HandlerOpts{})))
	if g.cfg.Pprof {
		profiles := http.StripPrefix(strings.TrimSuffix(ownPrefix, "/"), http.HandlerFunc(serveProfile))
		mux.Handle("GET "+ownPrefix+"pprof/", g.private(profiles))
	}
	return g.guarded(mux)
}

// private keeps strangers from what tells the names of tables. The token opens it; where there is none, so does being on this machine,
// unless the tables are open to all anyway.
func (g *Gateway) private(h http.Handler) http.Handler {
	want := []byte("Bearer " + g.cfg.MetricsToken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case g.cfg.MetricsToken == "" && !g.open && !fromHere(r):
			writeText(w, http.StatusForbidden, "Only this machine may read this. Others need a token, which is given to the server by --metrics-token.\n")
		case g.cfg.MetricsToken != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1:
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeText(w, http.StatusUnauthorized, "Send the token that the server was given by --metrics-token, as Authorization: Bearer TOKEN.\n")
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// fromHere reports whether a request is from this machine, and not by a web page that has its own name point here.
func fromHere(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && isPrivateName(hostname(r.Host))
}

func (g *Gateway) ready(w http.ResponseWriter, _ *http.Request) {
	if g.cfg.Ready != nil {
		if err := g.cfg.Ready(); err != nil {
			writeText(w, http.StatusServiceUnavailable, err.Error()+"\n")
			return
		}
	}
	writeText(w, http.StatusOK, "ready\n")
}

// serveProfile serves /pprof/…; the package of the standard library expects another prefix.
func serveProfile(w http.ResponseWriter, r *http.Request) {
	switch name := strings.TrimPrefix(r.URL.Path, "/pprof/"); name {
	case "profile":
		pprof.Profile(w, r)
	case "trace":
		pprof.Trace(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "cmdline":
		pprof.Cmdline(w, r)
	case "":
		writeText(w, http.StatusOK, "profile trace symbol cmdline allocs block goroutine heap mutex threadcreate\n")
	default:
		pprof.Handler(name).ServeHTTP(w, r)
	}
}

// guarded refuses whom the chain would refuse, and web pages that are not of this machine: metrics are not secret, but
// nobody's page needs them.
func (g *Gateway) guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		why := g.refuse(r.Host, origin)
		if why == "" && origin != "" && !g.allowedOrigin(origin) {
			why = "Web pages from '" + origin + "' may not read this."
		}
		if why != "" {
			writeText(w, http.StatusForbidden, why+"\n")
			return
		}
		h.ServeHTTP(w, r)
	})
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a client that is gone needs no answer
}
