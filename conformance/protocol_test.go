package conformance

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var requestID = regexp.MustCompile(`^[0-9A-Z]{52}$`)

// Every answer has the protocol's headers, errors too.
func TestAnswerHeaders(t *testing.T) {
	t.Parallel()
	for operation, input := range map[string]string{
		"ListTables":    `{}`,
		"DescribeTable": `{"TableName": "no-such-table-at-all"}`,
		"Nonsense":      `{}`,
		"GetItem":       `{`,
	} {
		got := call(t, operation, input)
		if ct := got.header.Get("Content-Type"); ct != "application/x-amz-json-1.0" {
			t.Errorf("%s: Content-Type %s", operation, ct)
		}
		if id := got.header.Get("X-Amzn-Requestid"); !requestID.MatchString(id) {
			t.Errorf("%s: x-amzn-RequestId %q", operation, id)
		}
		sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(got.body)), 10)
		if crc := got.header.Get("X-Amz-Crc32"); crc != sum {
			t.Errorf("%s: x-amz-crc32 %s, of the body %s", operation, crc, sum)
		}
		if _, err := http.ParseTime(got.header.Get("Date")); err != nil {
			t.Errorf("%s: Date: %v", operation, err)
		}
		if allow := got.header.Get("Access-Control-Allow-Origin"); allow != "" {
			t.Errorf("%s: Access-Control-Allow-Origin %s, though there is no Origin", operation, allow)
		}
	}
}

// The type of an error has the prefix of its family.
func TestErrorEnvelope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ operation, input, want string }{
		{"DescribeTable", `{"TableName": "no-such-table-at-all"}`, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"},
		{"GetItem", `{"TableName": "no-such-table-at-all", "Key": {"pk": {}}}`, "com.amazon.coral.validate#ValidationException"},
		{"GetItem", `{"TableName": 1}`, "com.amazon.coral.service#SerializationException"},
		{"Nonsense", `{}`, "com.amazon.coral.service#UnknownOperationException"},
	} {
		got := call(t, c.operation, c.input)
		var e struct {
			Type string `json:"__type"`
		}
		if err := json.Unmarshal(got.body, &e); err != nil || got.status != 400 || e.Type != c.want {
			t.Errorf("%s: %d %s, want %s", c.operation, got.status, got.body, c.want)
		}
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	const body = `{}`
	for contentType, want := range map[string]int{
		"application/x-amz-json-1.0":                200,
		"application/x-amz-json-1.0; charset=utf-8": 200,
		"application/json":                          200,
		"text/plain":                                404,
	} {
		req := newRequest(t, body)
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
		req.Header.Set("Content-Type", contentType)
		if got := send(t, req, body); got.status != want {
			t.Errorf("%s: %d %s", contentType, got.status, got.body)
		}
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"", "ListTables", "DynamoDB_20120810", "DynamoDB_20120810.", "DynamoDB_20111205.ListTables", "DynamoDB_20120810.listTables"} {
		req := newRequest(t, `{}`)
		if target != "" {
			req.Header.Set("X-Amz-Target", target)
		}
		if got := send(t, req, `{}`); got.status != 400 || got.fault() != "UnknownOperationException" {
			t.Errorf("%q: %d %s", target, got.status, got.body)
		}
	}
}

// Requests may be compressed; the signature is of what is sent.
func TestCompressedRequest(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	if _, err := io.WriteString(w, `{"Limit": 1}`); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	req := newRequest(t, body.String())
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	req.Header.Set("Content-Encoding", "gzip")
	if got := send(t, req, body.String()); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// Long answers are compressed for who wants it.
func TestCompressedAnswer(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	put(t, table, item{"pk": str("a"), "v": str(strings.Repeat("x", 100<<10))})
	body := fmt.Sprintf(`{"TableName": %q, "Key": {"pk": {"S": "a"}}}`, table)
	req := newRequest(t, body)
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	req.Header.Set("Accept-Encoding", "gzip") // so the client does not decompress by itself
	got := send(t, req, body)
	if e := got.header.Get("Content-Encoding"); e != "gzip" {
		t.Fatalf("Content-Encoding %q, %d bytes", e, len(got.body))
	}
	r, err := gzip.NewReader(bytes.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if decode(t, plain).(map[string]any)["Item"] == nil {
		t.Errorf("%s", clip(string(plain)))
	}
	req = newRequest(t, body)
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	req.Header.Set("Accept-Encoding", "identity")
	if got := send(t, req, body); got.header.Get("Content-Encoding") != "" || got.fault() != "" {
		t.Errorf("compressed though it must not be: %v", got.header)
	}
}

// A body of more than 16 MiB is refused.
func TestBodyLimit(t *testing.T) {
	t.Parallel()
	body := `{"Padding": "` + strings.Repeat("x", 16<<20) + `"}`
	req := newRequest(t, body)
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	sign(t, req, body)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return // refused too: the server closed the connection before all was sent
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	resp, err := http.Get(baseURL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := "healthy: " + resp.Request.URL.Host + " "; resp.StatusCode != 200 || string(text) != want {
		t.Errorf("%d %q, want %q", resp.StatusCode, text, want)
	}
}

// Requests that are not signed, or not by one who is known, are refused.
func TestSignatures(t *testing.T) {
	t.Parallel()
	if *endpointFlag != "" {
		t.Skip("a server started by hand may take any credentials")
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"no signature":      {func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException: Request is missing Authentication Token"},
		"another scheme":    {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, "MissingAuthenticationTokenException: Request is missing Authentication Token"},
		"unknown key":       {replaceIn("Authorization", "Credential=", "Credential=X"), "UnrecognizedClientException: The security token included in the request is invalid."},
		"wrong signature":   {replaceIn("Authorization", "Signature=", "Signature=0"), "InvalidSignatureException: "},
		"no signature part": {replaceIn("Authorization", "Signature=", "Sign="), "IncompleteSignatureException: "},
		"another operation": {func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDB_20120810.DescribeLimits") }, "InvalidSignatureException: "},
	} {
		req := newRequest(t, `{}`)
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
		sign(t, req, `{}`)
		c.change(req)
		if got := exchange(t, req); got.status != 400 || !strings.HasPrefix(got.fault(), c.want) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func replaceIn(header, old, new string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(header, strings.Replace(r.Header.Get(header), old, new, 1)) }
}
