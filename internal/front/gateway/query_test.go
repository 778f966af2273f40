package gateway

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// whoService is a service of the Query protocol beside the one of JSON.
func whoService() *api.Service {
	type in struct{}
	type out struct{ Name *string }
	return &api.Service{
		Name: "who", SigningName: "who", Protocol: api.Query, XMLNamespace: "https://who.example/",
		Ops: []*api.Op{api.Define("WhoAmI", func(_ context.Context, c *api.Call, _ *in) (*out, error) {
			return &out{&c.Principal.AccessKey}, nil
		}), api.Define("Panic", func(context.Context, *api.Call, *in) (*out, error) {
			panic("who knows")
		}), api.Define("Forbid", func(context.Context, *api.Call, *in) (*out, error) {
			return nil, api.AccessDenied("No.")
		})},
	}
}

// xmlOf removes what differs from one answer to the next.
func xmlOf(a answer) string {
	s := strings.ReplaceAll(a.body, "\n", "")
	return strings.ReplaceAll(s, a.Header.Get("x-amzn-RequestId"), "ID")
}

func TestQueryProtocol(t *testing.T) {
	const (
		me       = `<WhoAmIResponse xmlns="https://who.example/"><WhoAmIResult><Name>AKIDEXAMPLE</Name></WhoAmIResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></WhoAmIResponse>`
		failHead = `<ErrorResponse xmlns="https://who.example/"><Error><Type>Sender</Type><Code>`
	)
	cfg := Config{
		Services: []*api.Service{echoService(), whoService()},
		Keys:     withKey(t),
		Query:    func(ns, id string) Codec { return wire.Query{Namespace: ns, RequestID: id} },
	}
	form := call{contentType: "application/x-www-form-urlencoded; charset=utf-8", target: "-", unsigned: true}
	for _, tt := range []struct {
		name    string
		method  string
		body    string // or the query of a GET
		service string // to sign for; "": not signed
		secret  string
		status  int
		want    string // prefix
	}{
		{"form", "POST", "Action=WhoAmI&Version=1", "who", "", 200, me},
		{"query", "GET", "Action=WhoAmI&Version=1", "who", "", 200, me},
		{"query, later", "GET", "Version=1&Action=WhoAmI", "who", "", 200, me},
		{"query of a POST", "POST?", "Action=WhoAmI&Version=1", "who", "", 200, me},
		{"unknown action", "POST", "Action=Sing&Version=1", "who", "", 400, failHead + "InvalidAction</Code><Message>Could not find operation Sing for version 1</Message>"},
		{"no action", "POST", "", "who", "", 400, failHead + "InvalidAction"},
		{"malformed", "POST", "Action=%zz", "who", "", 400, failHead + "MalformedQueryString"},
		{"unsigned", "POST", "Action=WhoAmI", "", "", 403, failHead + "MissingAuthenticationToken"},
		{"wrong secret", "POST", "Action=WhoAmI", "who", "wrong", 403, failHead + "SignatureDoesNotMatch"},
		{"for another service", "POST", "Action=WhoAmI", "else", "", 403, failHead + "SignatureDoesNotMatch</Code><Message>Credential should be scoped to correct service: &#39;who&#39;. "},
		{"panic", "POST", "Action=Panic", "who", "", 500,
			`<ErrorResponse xmlns="https://who.example/"><Error><Type>Receiver</Type><Code>InternalFailure</Code><Message>Internal server error</Message>`},
		{"forbidden", "POST", "Action=Forbid", "who", "", 403, failHead + "AccessDenied</Code><Message>No.</Message>"},
		{"GET without action", "GET", "Version=1", "who", "", 404, "<UnknownOperationException/>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onAll(t, cfg, func(t *testing.T, e *endpoint, _ *syncBuffer) {
				c := form
				c.method, c.body = tt.method, tt.body
				if tt.method != "POST" {
					c.method = strings.TrimSuffix(tt.method, "?")
					c.path, c.body, c.contentType = "/?"+tt.body, "", "-"
				}
				req := c.request(t, e.url)
				if tt.service != "" {
					signFor(req, c.body, tt.service, tt.secret)
				}
				a := e.send(t, req)
				if got := xmlOf(a); a.StatusCode != tt.status || !strings.HasPrefix(got, tt.want) {
					t.Errorf("%d %s, want %d %s", a.StatusCode, got, tt.status, tt.want)
				}
				if got := a.Header.Get("Content-Type"); a.StatusCode != 404 && got != typeXML {
					t.Errorf("Content-Type = %q", got)
				}
			})
		})
	}
}

// signFor signs for a service of one's choice.
func signFor(req *http.Request, body, service, secret string) {
	if secret == "" {
		secret = testKey.Secret
	}
	req.Header.Set("X-Amz-Date", sigv4.FormatTime(time.Now()))
	req.Header.Set("Authorization", sigv4.Sign(&sigv4.Request{
		Method: req.Method, Path: "/", RawQuery: req.URL.RawQuery, Body: []byte(body),
		Header: func(name string) string {
			if name == "host" {
				return req.Host
			}
			return req.Header.Get(name)
		},
	}, []string{"host", "x-amz-date"}, sigv4.Credentials{AccessKey: testKey.ID, Secret: secret}, "us-east-1", service))
}

// TestUnknownKeyInQuery: the code is another than in JSON.
func TestUnknownKeyInQuery(t *testing.T) {
	keys, err := iam.NewKeys([]iam.Key{{ID: "SOMEBODY", Secret: "else"}})
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(Config{
		Services: []*api.Service{whoService()}, Keys: keys,
		Query: func(ns, id string) Codec { return wire.Query{Namespace: ns, RequestID: id} },
	}, io.Discard)
	e := run(t, g, ServerConfig{})
	c := call{contentType: typeForm, target: "-", body: url.Values{"Action": {"WhoAmI"}}.Encode(), unsigned: true}
	req := c.request(t, e.url)
	signFor(req, c.body, "who", "")
	if a := e.send(t, req); a.StatusCode != 403 || !strings.Contains(a.body, "<Code>InvalidClientTokenId</Code>") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// TestQueryOverload: a call that is refused before it is looked at is refused in its own protocol.
func TestQueryOverload(t *testing.T) {
	g := newGateway(Config{
		Services: []*api.Service{whoService()}, MaxWait: time.Millisecond, Budget: 10,
		Query: func(ns, id string) Codec { return wire.Query{Namespace: ns, RequestID: id} },
	}, io.Discard)
	e := run(t, g, ServerConfig{})
	a := e.do(t, call{contentType: typeForm, target: "-", body: "Action=WhoAmI&Version=1"})
	if a.StatusCode != 400 || !strings.Contains(a.body, "<Code>Throttling</Code>") || a.Header.Get("Content-Type") != typeXML {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// TestFormWithTarget: no client of a Query service sends a target, so what is wrong is the type.
func TestFormWithTarget(t *testing.T) {
	cfg := Config{
		Services: []*api.Service{echoService(), whoService()},
		Query:    func(ns, id string) Codec { return wire.Query{Namespace: ns, RequestID: id} },
	}
	onAll(t, cfg, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		e.do(t, call{contentType: typeForm, body: hello}).check(t, 404, unknownOperation)
		e.do(t, call{contentType: typeForm + "; charset=utf-8", body: hello}).check(t, 404, unknownOperation)
	})
}

// TestNoQueryService: where there is none, forms are no calls.
func TestNoQueryService(t *testing.T) {
	onAll(t, Config{}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		e.do(t, call{contentType: typeForm, body: "Action=WhoAmI"}).check(t, 404, unknownOperation)
		e.do(t, call{method: "GET", path: "/?Action=WhoAmI", contentType: "-"}).check(t, 404, unknownOperation)
	})
}
