package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

type callInput struct {
	Name    *string `aws:"required,max=20" at:"path:Name"`
	Kind    *string `at:"header:X-Kind"`
	Page    *int64  `at:"query:Page"`
	Payload []byte  `at:"payload"`
}

type callOutput struct {
	Status  *int64  `at:"status"`
	Kind    *string `at:"header:X-Kind"`
	Payload []byte  `at:"payload"`
}

// bellService is a service of the protocol REST beside the one of JSON.
func bellService() *api.Service {
	ring := api.Define("Ring", func(_ context.Context, _ *api.Call, in *callInput) (*callOutput, error) {
		switch *in.Name {
		case "throttle":
			return nil, api.Throttled("slowly")
		case "fail":
			return nil, errors.New("secret")
		}
		out := &callOutput{Kind: in.Kind, Payload: append([]byte(*in.Name+":"), in.Payload...)}
		if in.Page != nil {
			out.Status = in.Page
		}
		return out, nil
	})
	ring.Bind = api.Binding{Method: "POST", URI: "/2015-03-31/bells/{Name}/rings", Status: 201}
	mute := api.Define("Mute", func(context.Context, *api.Call, *callInput) (*api.Nothing, error) { return nil, nil })
	mute.Bind = api.Binding{Method: "DELETE", URI: "/2015-03-31/bells/{Name}", Status: 204}
	return &api.Service{Name: "bell", SigningName: "bell", Protocol: api.REST, NoPages: true, Ops: []*api.Op{ring, mute}}
}

// A restCall is one request to the bells.
type restCall struct {
	method, path, body string
	header             map[string]string
	secret             string // "-": not signed
}

func (c restCall) send(t *testing.T, e *endpoint) answer {
	t.Helper()
	req, err := http.NewRequest(c.method, e.url+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	key := sigv4.Credentials{AccessKey: testKey.ID, Secret: testKey.Secret + c.secret}
	if c.secret != "-" {
		req.Header.Set("X-Amz-Date", sigv4.FormatTime(time.Now()))
		req.Header.Set("Authorization", sigv4.Sign(&sigv4.Request{
			Method: c.method, Path: req.URL.EscapedPath(), RawQuery: req.URL.RawQuery, Body: []byte(c.body),
			Header: func(name string) string {
				if name == "host" {
					return req.Host
				}
				return req.Header.Get(name)
			},
		}, []string{"host", "x-amz-date"}, key, "us-east-1", "bell"))
	}
	return e.send(t, req)
}

func restConfig(t *testing.T) Config {
	return Config{
		Services: []*api.Service{echoService(), bellService()},
		Keys:     withKey(t),
		REST:     func(x *RESTExchange) Codec { return wire.REST{HTTP: x} },
	}
}

func TestREST(t *testing.T) {
	const ring = "/2015-03-31/bells/door/rings"
	for _, tt := range []struct {
		name      string
		call      restCall
		status    int
		errorType string
		body      string // prefix
	}{
		{"payload", restCall{method: "POST", path: ring, body: "\x00\xff"}, 201, "", "door:\x00\xff"},
		{"large payload", restCall{method: "POST", path: ring, body: strings.Repeat("x", maxBody+1)}, 201, "", "door:xxx"},
		{"slash at the end", restCall{method: "POST", path: ring + "/", body: "x"}, 201, "", "door:x"},
		{"status", restCall{method: "POST", path: ring + "?Page=202"}, 202, "", "door:"},
		{"header", restCall{method: "POST", path: ring, header: map[string]string{"X-Kind": "soft"}}, 201, "", "door:"},
		{"JSON type", restCall{method: "POST", path: ring, header: map[string]string{"Content-Type": "application/json"}}, 201, "", "door:"},
		{"label with escapes", restCall{method: "POST", path: "/2015-03-31/bells/arn%3Aa%2Fb/rings"}, 201, "", "arn:a/b:"},
		{"no body", restCall{method: "DELETE", path: "/2015-03-31/bells/door"}, 204, "", ""},
		{"constraint", restCall{method: "DELETE", path: "/2015-03-31/bells/" + strings.Repeat("d", 21)}, 400, "ValidationException",
			`{"message":"1 validation error detected: Value 'ddddddddddddddddddddd' at 'name' failed to satisfy constraint: Member must have length less than or equal to 20"}`},
		{"query of a wrong type", restCall{method: "POST", path: ring + "?Page=x"}, 400, "SerializationException", `{"Message":"STRING_VALUE cannot`},
		{"unknown path", restCall{method: "POST", path: "/2015-03-31/whistles"}, 404, "UnknownOperationException", `{"message":""}`},
		{"unknown method", restCall{method: "PUT", path: ring}, 404, "UnknownOperationException", `{"message":""}`},
		{"no version", restCall{method: "POST", path: "/bells/door/rings", body: "x", header: map[string]string{"Content-Type": "text/plain"}}, 404, "", unknownOperation},
		{"throttled", restCall{method: "POST", path: "/2015-03-31/bells/throttle/rings"}, 429, "TooManyRequestsException", `{"Type":"User","message":"slowly"}`},
		{"internal", restCall{method: "POST", path: "/2015-03-31/bells/fail/rings"}, 500, "ServiceException",
			`{"Type":"Service","Message":"An error occurred and the request cannot be processed."}`},
		{"unsigned", restCall{method: "POST", path: ring, secret: "-"}, 403, "MissingAuthenticationTokenException", `{"message":"Request is missing Authentication Token"}`},
		{"wrong secret", restCall{method: "POST", path: ring, secret: "wrong"}, 403, "InvalidSignatureException", `{"message":"The request signature`},
		{"web page", restCall{method: "POST", path: ring, header: map[string]string{"Origin": "http://localhost"}}, 403, "AccessDeniedException",
			`{"Message":"This service answers no web page."}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onAll(t, restConfig(t), func(t *testing.T, e *endpoint, _ *syncBuffer) {
				a := tt.call.send(t, e)
				if a.StatusCode != tt.status || !strings.HasPrefix(a.body, tt.body) || a.Header.Get("x-amzn-ErrorType") != tt.errorType {
					t.Errorf("%d %s %q, want %d %s %q", a.StatusCode, a.Header.Get("x-amzn-ErrorType"), a.body, tt.status, tt.errorType, tt.body)
				}
				if a.Header.Get("X-Kind") != tt.call.header["X-Kind"] {
					t.Errorf("X-Kind: %q", a.Header.Get("X-Kind"))
				}
			})
		})
	}
}

// TestRESTOverload: a call that is refused before it is looked at is refused in its own protocol.
func TestRESTOverload(t *testing.T) {
	cfg := restConfig(t)
	cfg.MaxWait, cfg.Budget = time.Millisecond, 10
	e := run(t, newGateway(cfg, io.Discard), ServerConfig{})
	a := restCall{method: "POST", path: "/2015-03-31/bells/door/rings", body: "a body over the budget"}.send(t, e)
	if a.StatusCode != 429 || a.Header.Get("x-amzn-ErrorType") != "TooManyRequestsException" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// FuzzTemplate: whatever a path is, a match has every label, and the path can be made again from it.
func FuzzTemplate(f *testing.F) {
	for _, path := range []string{"/2015-03-31/bells/door/rings", "/2015-03-31/bells/a%2Fb/rings/", "//", "/2015-03-31/bells/%/rings", "/2015-03-31/bells//rings"} {
		f.Add("POST", path)
	}
	var ts []template
	for _, op := range bellService().Ops {
		ts = append(ts, newTemplate(&route{op: op}))
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		segments := strings.Split(trimSlashes(path), "/")
		for _, tpl := range ts {
			labels, ok := tpl.match(method, segments)
			if !ok {
				continue
			}
			made := tpl.op.Bind.URI
			for _, l := range labels {
				if l.value == "" {
					t.Fatalf("%s: label %s is empty", path, l.name)
				}
				made = strings.Replace(made, "{"+l.name+"}", url.PathEscape(l.value), 1)
			}
			again, ok := tpl.match(method, strings.Split(trimSlashes(made), "/"))
			if !ok || len(again) != len(labels) || again[0] != labels[0] {
				t.Fatalf("%s: made again %s: %v, want %v", path, made, again, labels)
			}
		}
	})
}
