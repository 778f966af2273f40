package sigv4

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// golden is testdata/golden.json: requests signed by AWS's Python SDK.
type golden struct {
	Time      string
	AccessKey string `json:"access_key"`
	Secret    string
	Cases     []struct {
		Name, Method, Path, Query, Body, Region, Service, Token string
		Headers                                                 map[string]string
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *golden) request(i int) *Request {
	c := &g.Cases[i]
	return &Request{Method: c.Method, Path: c.Path, RawQuery: c.Query, Body: []byte(c.Body),
		Header: func(name string) string { return c.Headers[name] }}
}

func mustTime(t testing.TB, s string) time.Time {
	t.Helper()
	at, ok := parseTime(s)
	if !ok {
		t.Fatalf("bad time %q", s)
	}
	return at
}

// verifier knows one key.
func verifier(id, secret string) *Verifier {
	return NewVerifier(Config{
		Secret:      func(k string) (string, bool) { return secret, k == id },
		ValidRegion: func(r string) bool { return strings.Count(r, "-") == 2 },
	})
}

func TestVerifyGolden(t *testing.T) {
	g := readGolden(t)
	now := mustTime(t, g.Time)
	for i, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			v := verifier(g.AccessKey, g.Secret)
			var want *Error
			if c.Token != "" {
				want = errToken // the signature is right: the token is looked at last
			}
			for _, when := range []string{"first", "from the cache"} {
				id, err := v.Verify(g.request(i), now, c.Service)
				if want != nil {
					if err != error(want) {
						t.Errorf("%s: error = %v, want %v", when, err, want)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%s: %v", when, err)
				}
				if wantID := (Identity{g.AccessKey, c.Region, c.Service}); id != wantID {
					t.Errorf("%s: identity = %+v, want %+v", when, id, wantID)
				}
			}
		})
	}
}

// TestTampering changes one thing at a time in each golden request.
func TestTampering(t *testing.T) {
	g := readGolden(t)
	now := mustTime(t, g.Time)
	changes := map[string]func(r *Request, h map[string]string){
		"body":   func(r *Request, _ map[string]string) { r.Body = append(r.Body, ' ') },
		"method": func(r *Request, _ map[string]string) { r.Method = "PUT" },
		"path":   func(r *Request, _ map[string]string) { r.Path = "/elsewhere" },
		"query":  func(r *Request, _ map[string]string) { r.RawQuery += "&x=1" },
		"host":   func(_ *Request, h map[string]string) { h["host"] = "evil.example" },
	}
	for i, c := range g.Cases {
		if c.Token != "" {
			continue
		}
		for name, change := range changes {
			if name == "body" && c.Headers["x-amz-content-sha256"] != "" {
				continue // it is unsigned
			}
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				headers := map[string]string{}
				for k, v := range c.Headers {
					headers[k] = v
				}
				r := g.request(i)
				r.Header = func(name string) string { return headers[name] }
				change(r, headers)
				v := verifier(g.AccessKey, g.Secret)
				if _, err := v.Verify(g.request(i), now, c.Service); err != nil {
					t.Fatal(err) // fills the cache
				}
				if _, err := v.Verify(r, now, c.Service); err != error(errMismatch) {
					t.Errorf("error = %v, want %v", err, errMismatch)
				}
			})
		}
	}
}

func TestWrongSecret(t *testing.T) {
	g := readGolden(t)
	v := verifier(g.AccessKey, "not the secret")
	if _, err := v.Verify(g.request(0), mustTime(t, g.Time), "dynamodb"); err != error(errMismatch) {
		t.Errorf("error = %v, want %v", err, errMismatch)
	}
	if v.keys.current.Load() != nil {
		t.Error("a key that has verified nothing was cached")
	}
}

// The request of the failure tests, as its header says it; a test replaces parts.
const (
	testTime = "20130609T100015Z"
	testAuth = "AWS4-HMAC-SHA256 Credential=AKID/20130609/us-east-1/dynamodb/aws4_request, " +
		"SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000"
)

type failure struct {
	name    string
	auth    string // "-": none
	date    string // X-Amz-Date; "-": none
	query   string
	headers map[string]string
	reason  Reason
	text    string
	lenient bool // also told when any credentials are accepted
}

// replace makes an Authorization header out of testAuth.
func replace(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(testAuth) }

var failures = []failure{
	{name: "no header", auth: "-", reason: Missing, text: "Request is missing Authentication Token", lenient: true},
	{name: "another scheme", auth: "Basic dXNlcjpwYXNz", reason: Missing, text: "Request is missing Authentication Token", lenient: true},
	{name: "older scheme", auth: "AWS3-HTTPS AWSAccessKeyId=a", reason: Missing, text: "Request is missing Authentication Token", lenient: true},
	{name: "both forms", query: "X-Amz-Algorithm=x", reason: Invalid, lenient: true,
		text: "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
	{name: "not a pair", auth: "AWS4-HMAC-SHA256 Credential=a, hello", reason: Incomplete, lenient: true,
		text: "'hello' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Credential=a, hello'."},
	{name: "scheme alone", auth: "AWS4-", date: "-", reason: Incomplete, lenient: true,
		text: "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
			"Authorization header requires 'SignedHeaders' parameter. " +
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-"},
	{name: "credential alone", auth: "AWS4-HMAC-SHA256 Credential=a", reason: Incomplete, lenient: true,
		text: "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " +
			"Authorization=AWS4-HMAC-SHA256 Credential=a"},
	{name: "no date", date: "-", reason: Incomplete, lenient: true,
		text: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=" + testAuth},
	{name: "date malformed", date: "201", reason: Incomplete, lenient: true,
		text: "Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601"},
	{name: "date of the right length", date: "20130609T250015Z", reason: Incomplete, lenient: true,
		text: "Date must be in ISO-8601 'basic format'. Got '20130609T250015Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
	{name: "expired", auth: replace("20130609", "20130301"), date: "20130301T000000Z", reason: Invalid,
		text: "Signature expired: 20130301T000000Z is now earlier than 20130609T094515Z (20130609T100015Z - 15 min.)"},
	{name: "just expired", date: "20130609T094514Z", reason: Invalid,
		text: "Signature expired: 20130609T094514Z is now earlier than 20130609T094515Z (20130609T100015Z - 15 min.)"},
	{name: "oldest allowed", date: "20130609T094515Z", reason: Invalid, text: errMismatch.Message},
	{name: "newest allowed", date: "20130609T101515Z", reason: Invalid, text: errMismatch.Message},
	{name: "ahead", date: "20130609T101516Z", reason: Invalid,
		text: "Signature not yet current: 20130609T101516Z is still later than 20130609T101515Z (20130609T100015Z + 15 min.)"},
	{name: "host not signed", auth: replace("host;", "hosts;"), reason: Invalid, lenient: true,
		text: "'Host' must be a 'SignedHeader' in the AWS Authorization."},
	{name: "algorithm", auth: replace("SHA256", "SHA25"), reason: Incomplete, lenient: true,
		text: "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). "},
	{name: "four parts", auth: replace("/aws4_request", ""), reason: Incomplete, lenient: true,
		text: "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, " +
			"got 'AKID/20130609/us-east-1/dynamodb'"},
	{name: "six parts", auth: replace("aws4_request", "aws4_request/x"), reason: Incomplete, lenient: true,
		text: "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, " +
			"got 'AKID/20130609/us-east-1/dynamodb/aws4_request/x'"},
	{name: "everything in the scope", auth: replace("AKID/20130609/us-east-1/dynamodb/aws4_request", "a/b/c/d/e"), reason: Invalid, lenient: true,
		text: "Credential should be scoped to a valid region, not 'c'. " +
			"Credential should be scoped to correct service: 'dynamodb'. " +
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. " +
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: " +
			"'b' != '20130609', from '20130609T100015Z'."},
	{name: "no region", auth: replace("us-east-1", ""), reason: Invalid, lenient: true,
		text: "Credential should be scoped to a valid region, not ''. "},
	{name: "service", auth: replace("dynamodb", "sts"), reason: Invalid, lenient: true,
		text: "Credential should be scoped to correct service: 'dynamodb'. "},
	{name: "unknown key", auth: replace("AKID", "STRANGER"), reason: UnknownKey,
		text: "The security token included in the request is invalid."},
	{name: "wrong signature", reason: Invalid, text: errMismatch.Message},
	{name: "short signature", auth: replace(strings.Repeat("0", 64), "00"), reason: Invalid, text: errMismatch.Message},
	{name: "wrong signature and token", headers: map[string]string{"x-amz-security-token": "t"}, reason: Invalid, text: errMismatch.Message},

	{name: "presigned, nothing else", auth: "-", query: "X-Amz-Algorithm=AWS4-HMAC-SHA256", reason: Incomplete, lenient: true,
		text: "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. " +
			"AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. " +
			"Re-examine the query-string parameters."},
	{name: "presigned, expires", auth: "-", query: presigned + "&X-Amz-Date=" + testTime + "&X-Amz-Expires=604801", reason: Incomplete, lenient: true,
		text: "X-Amz-Expires must be a number of seconds from 1 to 604800, got '604801'"},
	{name: "presigned, too late", auth: "-", query: presigned + "&X-Amz-Date=20130609T095914Z&X-Amz-Expires=60", reason: Invalid,
		text: "Signature expired: 20130609T095914Z is now earlier than 20130609T095915Z (20130609T100015Z - 1 min.)"},
	{name: "presigned, seconds too late", auth: "-", query: presigned + "&X-Amz-Date=20130609T095914Z&X-Amz-Expires=10", reason: Invalid,
		text: "Signature expired: 20130609T095914Z is now earlier than 20130609T100005Z (20130609T100015Z - 10 sec.)"},
	{name: "presigned, in time", auth: "-", query: presigned + "&X-Amz-Date=20130603T100015Z&X-Amz-Expires=604800", reason: Invalid,
		text: "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: " +
			"'20130609' != '20130603', from '20130603T100015Z'.", lenient: true},
}

const presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20130609%2Fus-east-1%2Fdynamodb%2Faws4_request" +
	"&X-Amz-SignedHeaders=host&X-Amz-Signature=00"

func (f *failure) request() *Request {
	h := map[string]string{"host": "localhost:8000", "x-amz-date": testTime, "authorization": testAuth}
	for name, value := range map[string]string{"authorization": f.auth, "x-amz-date": f.date} {
		if value == "-" {
			delete(h, name)
		} else if value != "" {
			h[name] = value
		}
	}
	for name, value := range f.headers {
		h[name] = value
	}
	return &Request{Method: "POST", Path: "/", RawQuery: f.query, Header: func(n string) string { return h[n] }}
}

func TestFailures(t *testing.T) {
	now := mustTime(t, testTime)
	strict := verifier("AKID", "secret")
	lenient := NewVerifier(Config{ValidRegion: strict.cfg.ValidRegion})
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			_, err := strict.Verify(f.request(), now, "dynamodb")
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error = %v, want an *Error", err)
			}
			if e.Reason != f.reason || e.Message != f.text {
				t.Errorf("with keys:\n got %d %q\nwant %d %q", e.Reason, e.Message, f.reason, f.text)
			}
			_, err = lenient.Verify(f.request(), now, "dynamodb")
			if f.lenient && (err == nil || err.Error() != f.text) {
				t.Errorf("without keys:\n got %v\nwant %q", err, f.text)
			} else if !f.lenient && err != nil {
				t.Errorf("without keys: %v, want success", err)
			}
		})
	}
}

func TestLenientIdentity(t *testing.T) {
	f := failure{auth: replace("AKID", "anything", ", ", ",")}
	id, err := NewVerifier(Config{}).Verify(f.request(), time.Now(), "dynamodb")
	if want := (Identity{"anything", "us-east-1", "dynamodb"}); err != nil || id != want {
		t.Errorf("identity = %+v, %v; want %+v", id, err, want)
	}
}

func TestDateHeader(t *testing.T) {
	now := mustTime(t, testTime)
	for _, date := range []string{testTime, "Sun, 09 Jun 2013 10:00:15 GMT"} {
		// The string to sign has the basic format, whatever the header's.
		h := map[string]string{"host": "localhost:8000", "x-amz-date": testTime, "date": date}
		r := &Request{Method: "POST", Path: "/", Header: func(n string) string { return h[n] }}
		h["authorization"] = Sign(r, []string{"date", "host"}, Credentials{"AKID", "secret"}, "us-east-1", "dynamodb")
		delete(h, "x-amz-date")
		if _, err := verifier("AKID", "secret").Verify(r, now, "dynamodb"); err != nil {
			t.Errorf("Date: %s: %v", date, err)
		}
	}
}

// TestSign makes the golden signatures again.
func TestSign(t *testing.T) {
	g := readGolden(t)
	for i, c := range g.Cases {
		want := c.Headers["authorization"]
		if want == "" {
			continue // presigned
		}
		s, err := parse(g.request(i))
		if err != nil {
			t.Fatal(err)
		}
		got := Sign(g.request(i), strings.Split(s.signedHeaders, ";"), Credentials{g.AccessKey, g.Secret}, c.Region, c.Service)
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.Name, got, want)
		}
	}
}

// TestCanonicalRequestIsBounded names one long header many times over.
func TestCanonicalRequestIsBounded(t *testing.T) {
	long := strings.Repeat("y", 8<<10)
	r := &Request{Method: "POST", Path: "/", Header: func(string) string { return long }}
	s := &signature{signedHeaders: "host" + strings.Repeat(";x", 4000)}
	if got, most := len(appendCanonical(nil, r, s)), maxCanonical+2*len(long)+2*len(s.signedHeaders); got > most {
		t.Errorf("%d bytes, want at most %d", got, most)
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c keyCache
	for i := range 3 * maxKeys {
		c.add(strings.Repeat("k", i), &signingKey{})
	}
	if n := len(*c.current.Load()); n > maxKeys {
		t.Errorf("the cache holds %d keys, want at most %d", n, maxKeys)
	}
	if c.get(strings.Repeat("k", 3*maxKeys-1)) == nil {
		t.Error("the newest key is not in the cache")
	}
}

func TestVerifyDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	g := readGolden(t)
	now := mustTime(t, g.Time)
	v := verifier(g.AccessKey, g.Secret)
	r := g.request(0)
	n := testing.AllocsPerRun(100, func() {
		if _, err := v.Verify(r, now, "dynamodb"); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkVerify(b *testing.B) {
	g := readGolden(b)
	now := mustTime(b, g.Time)
	v := verifier(g.AccessKey, g.Secret)
	r := g.request(0)
	r.Body = []byte(g.Cases[0].Body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, now, "dynamodb"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestParseTime holds parseTime against the standard library's reading of the format.
func TestParseTime(t *testing.T) {
	check := func(s string) {
		t.Helper()
		want, err := time.Parse(timeFormat, s)
		ok := err == nil && len(s) == len(timeFormat)
		if got, gotOK := parseTime(s); gotOK != ok || ok && !got.Equal(want) {
			t.Errorf("parseTime(%q) = %v, %v; want %v, %v", s, got, gotOK, want, ok)
		}
	}
	const valid = "20240229T235959Z"
	for _, s := range []string{valid, "", "20230229T000000Z", "20231301T000000Z", "20230001T000000Z", "20230100T000000Z", "20230132T000000Z",
		"20230101T240000Z", "20230101T006000Z", "20230101T000060Z", "00000101T000000Z", "20240229T235959.1Z", "+0240229T235959Z"} {
		check(s)
	}
	for i := range len(valid) {
		for _, c := range []byte("0123456789TZ-/: \x00\xff") {
			b := []byte(valid)
			b[i] = c
			check(string(b))
		}
	}
}
