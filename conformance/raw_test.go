package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A rawAnswer is what came back for a request that no SDK has touched.
type rawAnswer struct {
	status int
	header http.Header
	body   []byte
}

// call sends the operation with the JSON text as its input, signed.
func call(t testing.TB, operation, input string) rawAnswer {
	t.Helper()
	req := newRequest(t, input)
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	return send(t, req, input)
}

// newRequest returns a request of the protocol, without a target and not signed.
func newRequest(t testing.TB, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, baseURL(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	return req
}

func baseURL() string {
	if endpoint == "" {
		return "https://dynamodb." + cfg.Region + ".amazonaws.com/"
	}
	return strings.TrimSuffix(endpoint, "/") + "/"
}

// sign signs the request with the suite's credentials.
func sign(t testing.TB, req *http.Request, body string) {
	t.Helper()
	creds, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, req, hex.EncodeToString(sum[:]), "dynamodb", cfg.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// send signs the request and returns what came back.
func send(t testing.TB, req *http.Request, body string) rawAnswer {
	t.Helper()
	sign(t, req, body)
	return exchange(t, req)
}

// exchange sends the request as it is.
func exchange(t testing.TB, req *http.Request) rawAnswer {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rawAnswer{status: resp.StatusCode, header: resp.Header, body: got}
}

// fault returns "Type: message" of an error, and "" for a success.
func (a rawAnswer) fault() string {
	if a.status < 300 {
		return ""
	}
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // matches Message too
	}
	if json.Unmarshal(a.body, &e) != nil {
		return string(a.body)
	}
	_, name, _ := strings.Cut(e.Type, "#")
	if e.Message == "" {
		return name
	}
	return name + ": " + e.Message
}

// decode decodes JSON with numbers kept as they are written.
func decode(t testing.TB, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
