package client

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/lib/sigv4"
)

var testCredentials = Credentials{AccessKey: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "us-east-1"}

func signerAt(t *testing.T, cred Credentials, at string) *Signer {
	t.Helper()
	s := NewSigner(cred, "127.0.0.1:8000", "")
	tm, err := time.Parse(amzDateLayout, at)
	if err != nil {
		t.Fatal(err)
	}
	s.SetTime(tm)
	return s
}

// The expected signature is botocore's for the same request.
func TestSignature(t *testing.T) {
	req := string(signerAt(t, testCredentials, "20240501T123456Z").Append(nil, "ListTables", []byte("{}")))
	const want = "Credential=AKIDEXAMPLE/20240501/us-east-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=b7ae0b4b5d4a5f4393450fe3ea2330afc655fc2a8555cfa61ed4b436e0afb466\r\n"
	if !strings.Contains(req, want) {
		t.Errorf("got %s", req)
	}
	if !strings.HasSuffix(req, "\r\nContent-Length: 2\r\n\r\n{}") {
		t.Errorf("wrong end: %q", req)
	}
}

// TestVerified: what is signed is accepted by the verifier of the server, with and without a session token.
func TestVerified(t *testing.T) {
	for _, token := range []string{"", "a/session+token=="} {
		cred := testCredentials
		cred.Token = token
		const at = "20260101T000000Z"
		text := signerAt(t, cred, at).Append(nil, "PutItem", []byte(`{"a":1}`))
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{"content-type", "host", "x-amz-date", "x-amz-target"}
		if token != "" {
			names = []string{"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
		}
		want := sigv4.Sign(&sigv4.Request{Method: "POST", Path: "/", Body: body, Header: func(name string) string {
			if name == "host" {
				return req.Host
			}
			return req.Header.Get(name)
		}}, names, sigv4.Credentials{AccessKey: cred.AccessKey, Secret: cred.Secret}, cred.Region, "dynamodb")
		if got := req.Header.Get("Authorization"); got != want {
			t.Errorf("token %q: got\n%s\nwant\n%s", token, got, want)
		}
	}
}

// A request that is signed again is the request of that later time, on another day too.
func TestResign(t *testing.T) {
	s := signerAt(t, testCredentials, "20240501T123456Z")
	body := []byte(`{"TableName":"t"}`)
	old := s.Append(nil, "DescribeTable", body)
	later := time.Unix(s.Second(), 0).Add(36 * time.Hour)
	s.SetTime(later)
	s.Resign(old, "DescribeTable", body)
	fresh := NewSigner(testCredentials, s.host, "")
	fresh.SetTime(later)
	if want := fresh.Append(nil, "DescribeTable", body); string(old) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", old, want)
	}
}

func TestSigningAllocatesNothing(t *testing.T) {
	s, body, out := signerAt(t, testCredentials, "20240501T123456Z"), make([]byte, 400), make([]byte, 0, 4096)
	out = s.Append(out[:0], "PutItem", body)
	if n := testing.AllocsPerRun(100, func() { out = s.Append(out[:0], "PutItem", body) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSign(b *testing.B) {
	s := NewSigner(testCredentials, "127.0.0.1:8000", "")
	s.SetTime(time.Now())
	body := make([]byte, 400)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = s.Append(out[:0], "PutItem", body)
	}
}
