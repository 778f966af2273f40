package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/iam"
)

const (
	hello      = `{"Text":"hello"}`
	helloBack  = `{"Said":"hello","Region":"us-east-1","Caller":"arn:aws:iam::000000000000:user/AKIDEXAMPLE","Host":"%HOST%"}`
	unknownOp  = `{"__type":"com.amazon.coral.service#UnknownOperationException"}`
	notJSON    = `{"__type":"com.amazon.coral.service#SerializationException"}`
	noToken    = `{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}`
	internal   = `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"Internal server error"}`
	mismatched = `{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"The request signature we calculated does not match ` +
		`the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}`
)

// TestCalls has one line for each thing that can come of a call. The order of the service's checks shows in those with two
// faults.
func TestCalls(t *testing.T) {
	tests := []struct {
		name   string
		call   call
		status int
		body   string
		typ    string // Content-Type; "": application/x-amz-json-1.0, "-": none
		log    string
	}{
		{name: "success", call: call{body: hello}, status: 200, body: helloBack},
		{name: "no answer body", call: call{target: "Echo_1.Hush", body: hello}, status: 200, body: ""},
		{name: "plain JSON type", call: call{body: hello, contentType: "application/json"}, status: 200, body: helloBack, typ: "application/json"},
		{name: "charset", call: call{body: hello, contentType: "application/x-amz-json-1.0; charset=utf-8"}, status: 200, body: helloBack},
		{name: "any path", call: call{body: hello, path: "/x/y"}, status: 200, body: helloBack},
		{name: "identity encoding", call: call{body: hello, headers: map[string]string{"Content-Encoding": "identity"}}, status: 200, body: helloBack},

		{name: "unknown type", call: call{body: hello, contentType: "text/plain"}, status: 404, body: unknownOperation, typ: "-"},
		{name: "no type", call: call{body: hello, contentType: "-"}, status: 404, body: unknownOperation, typ: "-"},
		{name: "no type and no body", call: call{contentType: "-", target: "Echo_1.Sing"}, status: 400, body: unknownOp},
		{name: "unknown type and no body", call: call{contentType: "text/plain", target: "Echo_1.Sing"}, status: 400, body: unknownOp},
		{name: "form where there are none, no body", call: call{contentType: typeForm, unsigned: true}, status: 400, body: noToken},
		{name: "PUT", call: call{method: "PUT", body: hello}, status: 404, body: unknownOperation, typ: "-"},
		{name: "DELETE", call: call{method: "DELETE"}, status: 404, body: unknownOperation, typ: "-"},
		{name: "HEAD", call: call{method: "HEAD"}, status: 404, body: "", typ: "-"},

		{name: "unknown operation", call: call{target: "Echo_1.Sing", body: hello}, status: 400, body: unknownOp},
		{name: "unknown service", call: call{target: "Other_1.Say", body: hello}, status: 400, body: unknownOp},
		{name: "no target", call: call{target: "-", body: hello}, status: 400, body: unknownOp},
		{name: "unknown operation, unsigned", call: call{target: "Echo_1.Sing", body: hello, unsigned: true}, status: 400, body: unknownOp},
		{name: "unknown operation, no JSON", call: call{target: "Echo_1.Sing", body: "{"}, status: 400, body: notJSON},
		{name: "unsigned", call: call{body: hello, unsigned: true}, status: 400, body: noToken},
		{name: "unsigned, no JSON", call: call{body: "{", unsigned: true}, status: 400, body: notJSON},
		{name: "unsigned, no body", call: call{unsigned: true}, status: 400, body: noToken},
		{name: "unsigned, wrong JSON types", call: call{body: `{"Text":1}`, unsigned: true}, status: 400, body: noToken},
		{name: "wrong secret", call: call{body: hello, secret: "wrong"}, status: 400, body: mismatched},
		{name: "wrong secret, no JSON", call: call{body: "nope", secret: "wrong"}, status: 400, body: notJSON},

		{name: "empty body", call: call{}, status: 400, body: notJSON},
		{name: "no JSON", call: call{body: "{"}, status: 400, body: notJSON},
		{name: "no object", call: call{body: "[]"}, status: 400, body: notJSON},
		{name: "wrong JSON type", call: call{body: `{"Text":1}`}, status: 400,
			body: `{"__type":"com.amazon.coral.service#SerializationException","Message":"NUMBER_VALUE cannot be converted to String"}`},
		{name: "constraint", call: call{body: `{}`}, status: 400,
			body: `{"__type":"com.amazon.coral.validate#ValidationException","message":"1 validation error detected: ` +
				`Value null at 'text' failed to satisfy constraint: Member must not be null"}`},
		{name: "error of the operation", call: call{body: `{"Text":"x","How":"fail"}`}, status: 400,
			body: `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}`},
		{name: "error that the service translates", call: call{body: `{"Text":"x","How":"translate"}`}, status: 400,
			body: `{"__type":"com.amazon.coral.availability#ThrottlingException","message":"I am tired"}`},
		{name: "error that nobody knows", call: call{body: `{"Text":"x","How":"internal"}`}, status: 500, body: internal, log: "secret detail"},
		{name: "panic", call: call{body: `{"Text":"x","How":"panic"}`}, status: 500, body: internal, log: "cannot say that"},

		{name: "unknown encoding", call: call{body: hello, headers: map[string]string{"Content-Encoding": "br"}}, status: 500, body: internal},
		{name: "invalid UTF-8, unsigned", call: call{body: "{\"Text\":\"\xff\"}", unsigned: true}, status: 400, body: notJSON},
		{name: "deeper than the decoder reads, unsigned", call: call{body: `{"a":` + strings.Repeat("[", 1001) + strings.Repeat("]", 1001) + `}`, unsigned: true},
			status: 400, body: notJSON},
		{name: "deep JSON", call: call{body: strings.Repeat(`{"a":`, 100_000), unsigned: true}, status: 400, body: notJSON},
	}
	onAll(t, Config{Keys: withKey(t)}, func(t *testing.T, e *endpoint, logged *syncBuffer) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				a := e.do(t, tt.call)
				a.check(t, tt.status, strings.Replace(tt.body, "%HOST%", strings.TrimPrefix(e.url, "http://"), 1))
				typ := map[string]string{"": typeJSON10, "-": ""}
				want, ok := typ[tt.typ]
				if !ok {
					want = tt.typ
				}
				if got := a.Header.Get("Content-Type"); got != want {
					t.Errorf("Content-Type = %q, want %q", got, want)
				}
				if !strings.Contains(logged.String(), tt.log) {
					t.Errorf("the log lacks %q", tt.log)
				}
			})
		}
		if got := e.do(t, call{body: hello}); got.StatusCode != 200 {
			t.Errorf("afterwards: %d %s", got.StatusCode, got.body)
		}
	})
}

// TestAuthenticationFailures checks that each kind of failure has its code; the texts are sigv4's.
func TestAuthenticationFailures(t *testing.T) {
	onAll(t, Config{Keys: withKey(t)}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		for _, tt := range []struct {
			name string
			call call
			code string
		}{
			{"nothing", call{unsigned: true}, "MissingAuthenticationTokenException"},
			{"parts", call{unsigned: true, headers: map[string]string{"Authorization": "AWS4-HMAC-SHA256 x"}}, "IncompleteSignatureException"},
			{"time", call{at: time.Now().Add(-16 * time.Minute)}, "InvalidSignatureException"},
			{"key", call{unsigned: true, headers: map[string]string{
				"X-Amz-Date": "20260101T000000Z",
				"Authorization": "AWS4-HMAC-SHA256 Credential=X/" + time.Now().UTC().Format("20060102") +
					"/us-east-1/echo/aws4_request, SignedHeaders=host, Signature=00"}}, "InvalidSignatureException"},
		} {
			tt.call.body = hello
			var got struct {
				Type string `json:"__type"`
			}
			a := e.do(t, tt.call)
			if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.StatusCode != 400 {
				t.Errorf("%s: %d %q", tt.name, a.StatusCode, a.body)
			}
			if got.Type != "com.amazon.coral.service#"+tt.code {
				t.Errorf("%s: %s, want %s", tt.name, got.Type, tt.code)
			}
		}
	})
}

func TestUnknownKey(t *testing.T) {
	keys, err := iam.NewKeys([]iam.Key{{ID: "SOMEBODY", Secret: "else"}})
	if err != nil {
		t.Fatal(err)
	}
	onAll(t, Config{Keys: keys}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		e.do(t, call{body: hello}).check(t, 400, `{"__type":"com.amazon.coral.service#UnrecognizedClientException",`+
			`"message":"The security token included in the request is invalid."}`)
	})
}

// TestAnyCredentials: without keys any signature does, but it must have its form.
func TestAnyCredentials(t *testing.T) {
	onAll(t, Config{}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		if a := e.do(t, call{body: hello, secret: "wrong", at: time.Unix(0, 0)}); a.StatusCode != 200 {
			t.Errorf("wrong signature: %d %s", a.StatusCode, a.body)
		}
		e.do(t, call{body: hello, unsigned: true}).check(t, 400, noToken)
	})
}

func TestRegions(t *testing.T) {
	for _, tt := range []struct {
		name        string
		cfg         Config
		region      string
		status      int
		actsIn, msg string
	}{
		{"every region", Config{}, "eu-west-1", 200, "eu-west-1", ""},
		{"names people use", Config{}, "local", 200, "local", ""},
		{"not a name", Config{}, "a.b", 400, "", "Credential should be scoped to a valid region, not 'a.b'. "},
		{"one's own", Config{Region: "eu-west-1"}, "eu-west-1", 200, "eu-west-1", ""},
		{"another's", Config{Region: "eu-west-1"}, "us-east-1", 400, "", "Credential should be scoped to a valid region, not 'us-east-1'. "},
		{"all are one", Config{OneRegion: true}, "eu-west-1", 200, "us-east-1", ""},
		{"all are that one", Config{OneRegion: true, Region: "ap-south-1"}, "eu-west-1", 200, "ap-south-1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onAll(t, tt.cfg, func(t *testing.T, e *endpoint, _ *syncBuffer) {
				a := e.do(t, call{body: hello, unsigned: true, headers: map[string]string{
					"X-Amz-Date":    "20260101T000000Z",
					"Authorization": "AWS4-HMAC-SHA256 Credential=me/20260101/" + tt.region + "/echo/aws4_request, SignedHeaders=host, Signature=00"}})
				var got struct{ Region, Message string }
				if err := json.Unmarshal([]byte(a.body), &got); err != nil {
					t.Fatal(err)
				}
				if a.StatusCode != tt.status || got.Region != tt.actsIn || got.Message != tt.msg {
					t.Errorf("%d %s", a.StatusCode, a.body)
				}
			})
		})
	}
}

// TestRepeatedHeaders: values of one header are joined in the canonical request.
func TestRepeatedHeaders(t *testing.T) {
	onAll(t, Config{Keys: withKey(t)}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		c := call{body: hello, unsigned: true, headers: map[string]string{"X-Amz-Target": "Echo_1.Say"}}
		req := c.request(t, e.url)
		req.Header["X-Amz-Note"] = []string{"one", "two"}
		signWith(req, c.body, "host", "x-amz-date", "x-amz-note", "x-amz-target")
		resp, err := e.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("status = %d", resp.StatusCode)
		}
	})
}

func TestRequestIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		var x Exchange
		x.newRequestID()
		id := strings.Clone(x.RequestID)
		if len(id) != requestIDLen || seen[id] {
			t.Fatalf("bad or repeated id %q", id)
		}
		seen[id] = true
	}
}

var _ http.Handler = (*Gateway)(nil)
