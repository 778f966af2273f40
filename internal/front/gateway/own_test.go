package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// get asks for a path of our own.
func (e *endpoint) get(t *testing.T, path, origin string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequest("GET", e.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestOwnPaths(t *testing.T) {
	down := errors.New("the disk is full")
	ready := error(nil)
	cfg := Config{Keys: withKey(t), Ready: func() error { return ready }}
	onAll(t, cfg, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		for _, tt := range []struct {
			path, origin string
			ready        error
			status       int
			body         string
		}{
			{path: "/_gramme/health", status: 200, body: "ok\n"},
			{path: "/_gramme/ready", status: 200, body: "ready\n"},
			{path: "/_gramme/ready", ready: down, status: 503, body: "the disk is full\n"},
			{path: "/_gramme/health", ready: down, status: 200, body: "ok\n"},
			{path: "/_gramme/health", origin: "http://localhost:3000", status: 200, body: "ok\n"},
			{path: "/_gramme/health", origin: "https://evil.com", status: 403, body: "Web pages from 'https://evil.com' may not read this.\n"},
			{path: "/_gramme/nothing", status: 404, body: "404 page not found\n"},
			{path: "/_gramme/pprof/", status: 404, body: "404 page not found\n"},
		} {
			ready = tt.ready
			if status, body := e.get(t, tt.path, tt.origin); status != tt.status || body != tt.body {
				t.Errorf("%s from %q: %d %q, want %d %q", tt.path, tt.origin, status, body, tt.status, tt.body)
			}
		}
	})
}

func TestOwnPathsAreGuarded(t *testing.T) {
	onAll(t, Config{}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		req, err := http.NewRequest("GET", e.url+"/_gramme/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "evil.com"
		resp, err := e.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 403 {
			t.Errorf("status = %d, want 403", resp.StatusCode)
		}
	})
}

// TestWhoReadsMetrics: health is for everybody; metrics and profiles are for whoever may know what tables there are.
func TestWhoReadsMetrics(t *testing.T) {
	const here, elsewhere = "127.0.0.1:5000", "192.0.2.7:5000"
	for _, tt := range []struct {
		name              string
		cfg               Config
		peer, host, token string
		want              int
	}{
		{"no keys", Config{}, elsewhere, "10.0.0.1:8000", "", 200},
		{"keys, from here", Config{Keys: withKey(t)}, here, "localhost:8000", "", 200},
		{"keys, from here by IPv6", Config{Keys: withKey(t)}, "[::1]:5000", "[::1]:8000", "", 200},
		{"keys, a page of another name", Config{Keys: withKey(t)}, here, "evil.com", "", 403},
		{"keys, from elsewhere", Config{Keys: withKey(t)}, elsewhere, "10.0.0.1:8000", "", 403},
		{"token", Config{Keys: withKey(t), MetricsToken: "t"}, elsewhere, "db.example", "Bearer t", 200},
		{"wrong token", Config{Keys: withKey(t), MetricsToken: "t"}, elsewhere, "db.example", "Bearer u", 401},
		{"no token", Config{Keys: withKey(t), MetricsToken: "t"}, elsewhere, "db.example", "", 401},
		{"no token, from here", Config{Keys: withKey(t), MetricsToken: "t"}, here, "localhost", "", 401},
		{"token, no keys", Config{MetricsToken: "t"}, here, "localhost", "", 401},
	} {
		tt.cfg.Pprof = true
		g := newGateway(tt.cfg, io.Discard)
		for path, want := range map[string]int{"metrics": tt.want, "pprof/": tt.want, "health": 200, "ready": 200} {
			r := httptest.NewRequest("GET", "/_gramme/"+path, nil)
			r.RemoteAddr, r.Host = tt.peer, tt.host
			if tt.token != "" {
				r.Header.Set("Authorization", tt.token)
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s: %s: %d %s, want %d", tt.name, path, w.Code, w.Body, want)
			}
		}
	}
}

func TestProfiles(t *testing.T) {
	onAll(t, Config{Pprof: true}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		for path, want := range map[string]string{
			"/_gramme/pprof/":                  "goroutine",
			"/_gramme/pprof/goroutine?debug=1": "goroutine profile:",
			"/_gramme/pprof/cmdline":           "gateway",
		} {
			if status, body := e.get(t, path, ""); status != 200 || !strings.Contains(body, want) {
				t.Errorf("%s: %d %.100q", path, status, body)
			}
		}
	})
}

func TestMetrics(t *testing.T) {
	onAll(t, Config{Keys: withKey(t)}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		for _, body := range []string{hello, hello, `{}`, `{"Text":"x","How":"panic"}`} {
			e.do(t, call{body: body})
		}
		e.do(t, call{target: "Echo_1.Sing"})
		_, text := e.get(t, "/_gramme/metrics", "")
		for _, line := range []string{
			`gramme_request_seconds_count{operation="Say",service="echo"} 4`,
			`gramme_request_seconds_count{operation="unknown",service="unknown"} 1`,
			`gramme_request_errors_total{code="ValidationException",operation="Say",service="echo"} 1`,
			`gramme_request_errors_total{code="InternalServerError",operation="Say",service="echo"} 1`,
			`gramme_request_errors_total{code="UnknownOperationException",operation="unknown",service="unknown"} 1`,
			`gramme_panics_total 1`,
			`gramme_requests_refused_total 0`,
		} {
			if !strings.Contains(text, line+"\n") {
				name, _, _ := strings.Cut(line, "{")
				t.Errorf("the metrics lack %s; they have\n%s", line, strings.Join(regexp.MustCompile(`(?m)^`+name+`.*$`).FindAllString(text, -1), "\n"))
			}
		}
	})
}
