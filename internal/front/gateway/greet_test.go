package gateway

import (
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/iam"
)

func TestHealth(t *testing.T) {
	onAll(t, Config{Keys: withKey(t)}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		host := strings.TrimPrefix(e.url, "http://")
		get := call{method: "GET", contentType: "-", target: "-", unsigned: true}
		e.do(t, get).check(t, 200, "healthy: "+host+" ")
		get.path = "/other"
		e.do(t, get).check(t, 404, unknownOperation)
	})
}

func TestCORS(t *testing.T) {
	const origin = "https://console.example"
	keys := withKey(t)
	for _, tt := range []struct {
		name    string
		keys    *iam.Keys
		origins []string
		call    call
		status  int
		want    map[string]string // "": not there
	}{
		{name: "no origin", keys: keys, call: call{body: hello}, status: 200,
			want: map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Expose-Headers": ""}},
		{name: "call", keys: keys, call: call{body: hello}.from(origin), status: 200,
			want: map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": corsFields[1].Value, "Access-Control-Max-Age": ""}},
		{name: "failure", keys: keys, call: call{body: "{"}.from(origin), status: 400,
			want: map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": ""}},
		{name: "health", keys: keys, call: call{method: "GET", contentType: "-"}.from(origin), status: 200,
			want: map[string]string{"Access-Control-Allow-Origin": "*"}},
		{name: "preflight", keys: keys, call: preflight().from(origin), status: 200, want: map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Max-Age": "172800",
			"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "authorization,x-amz-target", "Content-Type": ""}},
		{name: "preflight that asks for nothing", keys: keys, call: call{method: "OPTIONS", contentType: "-"}.from(origin), status: 200, want: map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Max-Age": "172800", "Access-Control-Allow-Methods": "", "Access-Control-Allow-Headers": ""}},
		{name: "preflight without origin", keys: keys, call: preflight(), status: 404,
			want: map[string]string{"Access-Control-Allow-Methods": "", "Access-Control-Max-Age": ""}},

		{name: "any credentials, stranger", call: call{body: hello}.from(origin), status: 403,
			want: map[string]string{"Access-Control-Allow-Origin": ""}},
		{name: "any credentials, stranger's preflight", call: preflight().from(origin), status: 403,
			want: map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": ""}},
		{name: "any credentials, stranger asks for health", call: call{method: "GET", contentType: "-"}.from(origin), status: 403},
		{name: "any credentials, allowed", origins: []string{origin}, call: call{body: hello}.from(origin), status: 200,
			want: map[string]string{"Access-Control-Allow-Origin": "*"}},
		{name: "any credentials, local page", call: call{body: hello}.from("http://localhost:3000"), status: 200,
			want: map[string]string{"Access-Control-Allow-Origin": "*"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onAll(t, Config{Keys: tt.keys, Origins: tt.origins}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
				a := e.do(t, tt.call)
				if a.StatusCode != tt.status {
					t.Errorf("status = %d, want %d: %s", a.StatusCode, tt.status, a.body)
				}
				for name, want := range tt.want {
					if got := a.Header.Get(name); got != want {
						t.Errorf("%s = %q, want %q", name, got, want)
					}
				}
			})
		})
	}
}

func (c call) from(origin string) call {
	headers := map[string]string{"Origin": origin}
	for k, v := range c.headers {
		headers[k] = v
	}
	c.headers = headers
	return c
}

func preflight() call {
	return call{method: "OPTIONS", contentType: "-", target: "-", unsigned: true, headers: map[string]string{
		"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-amz-target"}}
}

// TestRefuse is about who may call a server that accepts any credentials.
func TestRefuse(t *testing.T) {
	g := newGateway(Config{Origins: []string{"https://console.example"}, Hosts: []string{"db.example"}}, nil)
	for _, tt := range []struct {
		host, origin string
		ok           bool
	}{
		{host: "localhost:8000", ok: true},
		{host: "LOCALHOST", ok: true},
		{host: "localhost.:8000", ok: true},
		{host: "127.0.0.1:8000", ok: true},
		{host: "127.0.0.1", ok: true},
		{host: "10.1.2.3:8000", ok: true},
		{host: "[::1]:8000", ok: true},
		{host: "[::1]", ok: true},
		{host: "[fe80::1%25eth0]:8000", ok: true},
		{host: "", ok: true},
		{host: "dynamodb:8000", ok: true}, // a container
		{host: "app.localhost:8000", ok: true},
		{host: "host.docker.internal:8000", ok: true},
		{host: "gramme.data.svc.cluster.local:8000", ok: true},
		{host: "db.example:8000", ok: true},
		{host: "other.example:8000"},
		{host: "evil.com"},
		{host: "127.0.0.1.evil.com:8000"},
		{host: "localhost.evil.com"},
		{host: "127.0.0.1:8000@evil.com:80"},
		{host: "a:b:c"},

		{host: "localhost", origin: "http://localhost:3000", ok: true},
		{host: "localhost", origin: "https://localhost", ok: true},
		{host: "localhost", origin: "http://app.localhost", ok: true},
		{host: "localhost", origin: "http://127.0.0.1:5173", ok: true},
		{host: "localhost", origin: "http://[::1]:5173", ok: true},
		{host: "localhost", origin: "https://console.example", ok: true},
		{host: "localhost", origin: "http://console.example"}, // another scheme
		{host: "localhost", origin: "https://console.example.evil.com"},
		{host: "localhost", origin: "https://evil.com"},
		{host: "localhost", origin: "http://10.1.2.3"},
		{host: "localhost", origin: "http://dynamodb"},
		{host: "localhost", origin: "null"},
		{host: "localhost", origin: "file://"},
	} {
		why := g.refuse(tt.host, tt.origin)
		if (why == "") != tt.ok {
			t.Errorf("host %q, origin %q: %q, want ok = %v", tt.host, tt.origin, why, tt.ok)
		}
	}
	guarded := newGateway(Config{Keys: withKey(t)}, nil)
	if why := guarded.refuse("evil.com", "https://evil.com"); why != "" {
		t.Errorf("with keys: %s", why)
	}
}

func TestRefusalSaysWhatToDo(t *testing.T) {
	onAll(t, Config{}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		e.do(t, call{body: hello, host: "evil.com:8000"}).check(t, 403, `{"__type":"com.amazon.coral.service#AccessDeniedException",`+
			`"Message":"This server accepts any credentials, so it must be called by an IP address or a local name, not as 'evil.com'. `+
			`Give it access keys (--key-file), or allow this name (--allow-host)."}`)
		e.do(t, call{body: hello}.from("https://evil.com")).check(t, 403, `{"__type":"com.amazon.coral.service#AccessDeniedException",`+
			`"Message":"This server accepts any credentials, so web pages from 'https://evil.com' may not call it. `+
			`Give it access keys (--key-file), or allow this origin (--cors-origin)."}`)
	})
}
