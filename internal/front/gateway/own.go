package gateway

import (
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ownPrefix is where everything lives that DynamoDB does not have.
const ownPrefix = "/_gramme/"

// isOwn reports whether a path is ours.
func isOwn(path string) bool { return strings.HasPrefix(path, ownPrefix) }

// ownHandler serves health, readiness, metrics and, when asked for, profiles. They need no signature.
func (g *Gateway) ownHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ownPrefix+"health", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET "+ownPrefix+"ready", g.ready)
	mux.Handle("GET "+ownPrefix+"metrics", promhttp.HandlerFor(g.cfg.Registry, promhttp.HandlerOpts{}))
	if g.cfg.Pprof {
		profiles := http.StripPrefix(strings.TrimSuffix(ownPrefix, "/"), http.HandlerFunc(serveProfile))
		mux.Handle("GET "+ownPrefix+"pprof/", profiles)
	}
	return g.guarded(mux)
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
