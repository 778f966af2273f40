package gateway

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// TestAuthenticationTexts sends each failure of the service's list, in its order, over HTTP. Every request has the faults of
// the lines below its own as well, as far as that is possible: the first one is told.
func TestAuthenticationTexts(t *testing.T) {
	const (
		space  = "com.amazon.coral.service#"
		scheme = "AWS4-HMAC-SHA256 "
		badEnd = "SignedHeaders=x, Signature=00"
	)
	now := sigv4.FormatTime(time.Now())
	day := now[:8]
	old := "20130301T000000Z"
	signedBy := func(credential string) string {
		return scheme + "Credential=" + credential + ", SignedHeaders=host, Signature=00"
	}
	e := run(t, newGateway(Config{Keys: withKey(t)}, io.Discard), ServerConfig{})
	for _, tt := range []struct {
		name, query, auth, date string
		code, text              string
	}{
		{"both forms", "?X-Amz-Algorithm=x", "Basic x", "", "InvalidSignatureException",
			"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"another scheme", "", "Basic x", "", "MissingAuthenticationTokenException", "Request is missing Authentication Token"},
		{"no pair", "", "AWS4-X Credential=a,b", "201", "IncompleteSignatureException",
			"'b' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-X Credential=a,b'."},
		{"no parts", "", "AWS4-X ", "", "IncompleteSignatureException",
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' " +
				"or a 'Date' header. Authorization=AWS4-X"},
		{"no parts in the query", "?X-Amz-Algorithm=x", "", "", "IncompleteSignatureException",
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. " +
				"AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. " +
				"Re-examine the query-string parameters."},
		{"date", "", "AWS4-X Credential=a, " + badEnd, "201", "IncompleteSignatureException",
			"Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"clock", "", "AWS4-X Credential=a, " + badEnd, old, "InvalidSignatureException", "Signature expired: 20130301T000000Z is now earlier than "},
		{"clock ahead", "", "AWS4-X Credential=a, " + badEnd, "21000101T000000Z", "InvalidSignatureException",
			"Signature not yet current: 21000101T000000Z is still later than "},
		{"host", "", "AWS4-X Credential=a, " + badEnd, now, "InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization."},
		{"algorithm", "", "AWS4-X Credential=a,SignedHeaders=host,Signature=0", now, "IncompleteSignatureException",
			"Unsupported AWS 'algorithm': 'AWS4-X' (only AWS4-HMAC-SHA256 for now). "},
		{"credential", "", signedBy("a/b/c/d"), now, "IncompleteSignatureException",
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d'"},
		{"scope", "", signedBy("a/b/c.c/d/e"), now, "InvalidSignatureException",
			"Credential should be scoped to a valid region, not 'c.c'. Credential should be scoped to correct service: 'echo'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in Credential scope does not match " +
				"YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '" + day + "', from '" + now + "'."},
		{"key", "", signedBy("a/" + day + "/us-east-1/echo/aws4_request"), now, "UnrecognizedClientException",
			"The security token included in the request is invalid."},
		{"signature", "", signedBy(testKey.ID + "/" + day + "/us-east-1/echo/aws4_request"), now, "InvalidSignatureException",
			"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing " +
				"method. Consult the service documentation for details."},
	} {
		headers := map[string]string{}
		for name, value := range map[string]string{"Authorization": tt.auth, "X-Amz-Date": tt.date} {
			if value != "" {
				headers[name] = value
			}
		}
		a := e.do(t, call{body: hello, path: "/" + tt.query, unsigned: true, headers: headers})
		want := `{"__type":"` + space + tt.code + `","message":"` + tt.text
		if a.StatusCode != 400 || !strings.HasPrefix(a.body, want) || !strings.Contains(tt.name, "clock") && a.body != want+`"}` {
			t.Errorf("%s:\n got %d %s\nwant 400 %s", tt.name, a.StatusCode, a.body, want)
		}
	}
}

// TestSessionToken: no key has sessions, so a request with a token fails although its signature is right, and also if the token
// is signed. Where any credentials are accepted, any token is.
func TestSessionToken(t *testing.T) {
	onAll(t, Config{Keys: withKey(t)}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		for _, signed := range [][]string{{"host", "x-amz-date"}, {"host", "x-amz-date", "x-amz-security-token"}} {
			req := call{body: hello, unsigned: true, headers: map[string]string{"X-Amz-Security-Token": "t"}}.request(t, e.url)
			signWith(req, hello, signed...)
			e.send(t, req).check(t, 400, `{"__type":"com.amazon.coral.service#UnrecognizedClientException",`+
				`"message":"The security token included in the request is invalid"}`)
		}
	})
	onAll(t, Config{}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		if a := e.do(t, call{body: hello, headers: map[string]string{"X-Amz-Security-Token": "t"}}); a.StatusCode != 200 {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
}

// TestCanonicalForms signs what clients, proxies and libraries write in different ways.
func TestCanonicalForms(t *testing.T) {
	onAll(t, Config{Keys: withKey(t)}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		for _, tt := range []struct{ name, path, header, value string }{
			{"blanks in a value", "/", "X-Amz-Note", "a   b \t c"},
			{"empty value", "/", "X-Amz-Note", ""},
			{"non-ASCII value", "/", "X-Amz-Note", "é"},
			{"path", "/a/b", "X-Amz-Note", "n"},
			{"path with escapes", "/a%20b/%C3%A9", "X-Amz-Note", "n"},
			{"path to be normalised", "/a/./b//c/../", "X-Amz-Note", "n"},
			{"query", "/?b=2&a=%20x&a=1&c", "X-Amz-Note", "n"},
		} {
			req := call{body: hello, path: tt.path, unsigned: true, headers: map[string]string{tt.header: tt.value}}.request(t, e.url)
			signWith(req, hello, "content-type", "host", "x-amz-date", "x-amz-note", "x-amz-target")
			if a := e.send(t, req); a.StatusCode != 200 {
				t.Errorf("%s: %d %s", tt.name, a.StatusCode, a.body)
			}
			req = call{body: hello, path: tt.path, unsigned: true, headers: map[string]string{tt.header: tt.value}}.request(t, e.url)
			signWith(req, hello, "content-type", "host", "x-amz-date", "x-amz-note", "x-amz-target")
			req.Header.Set(tt.header, tt.value+"!")
			e.send(t, req).check(t, 400, mismatched)
		}
	})
}
