package grammetest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/grammetest"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// do sends a signed call with the client and returns status and body.
func do(t *testing.T, s *grammetest.Server, c *http.Client, url, op, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+op)
	req.Header.Set("X-Amz-Date", sigv4.FormatTime(time.Now()))
	req.Header.Set("Authorization", sigv4.Sign(&sigv4.Request{
		Method: "POST", Path: "/", Body: []byte(body),
		Header: func(name string) string {
			if name == "host" {
				return req.URL.Host
			}
			return req.Header.Get(name)
		},
	}, []string{"host", "x-amz-date", "x-amz-target"}, sigv4.Credentials{AccessKey: s.AccessKey, Secret: s.SecretKey}, s.Region, "dynamodb"))
	resp, err := c.Do(req)
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

const createT = `{"TableName":"tea","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],` +
	`"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`

func TestBothWaysIn(t *testing.T) {
	s := grammetest.New(t)
	if status, body := do(t, s, s.Client(), grammetest.Endpoint, "CreateTable", createT); status != 200 {
		t.Fatalf("CreateTable without a port: %d %s", status, body)
	}
	if first, again := s.URL(), s.URL(); first != again {
		t.Errorf("two URLs: %s and %s", first, again)
	}
	for _, way := range []struct {
		client *http.Client
		url    string
	}{{s.Client(), grammetest.Endpoint}, {s.Client(), s.URL()}, {http.DefaultClient, s.URL()}} {
		if status, body := do(t, s, way.client, way.url, "ListTables", "{}"); status != 200 || body != `{"TableNames":["tea"]}` {
			t.Errorf("ListTables at %s: %d %s", way.url, status, body)
		}
	}
}

func TestServersAreApart(t *testing.T) {
	one, other := grammetest.New(t), grammetest.New(t)
	do(t, one, one.Client(), grammetest.Endpoint, "CreateTable", createT)
	if _, body := do(t, other, other.Client(), grammetest.Endpoint, "ListTables", "{}"); body != `{"TableNames":[]}` {
		t.Errorf("the other has %s", body)
	}
}

func TestSignaturesAreVerified(t *testing.T) {
	s := grammetest.New(t)
	forged := &grammetest.Server{Region: s.Region, AccessKey: s.AccessKey, SecretKey: "wrong"}
	if status, body := do(t, forged, s.Client(), grammetest.Endpoint, "ListTables", "{}"); status != 400 || !strings.Contains(body, "InvalidSignatureException") {
		t.Errorf("%d %s", status, body)
	}
}

func TestClock(t *testing.T) {
	s := grammetest.New(t)
	s.Advance(24 * time.Hour)
	do(t, s, s.Client(), grammetest.Endpoint, "CreateTable", createT) // signed by the real clock
	_, body := do(t, s, s.Client(), grammetest.Endpoint, "DescribeTable", `{"TableName":"tea"}`)
	var out struct {
		Table struct{ CreationDateTime float64 }
	}
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatal(err)
	}
	if ahead := out.Table.CreationDateTime - float64(time.Now().Unix()); ahead < 23*3600 || ahead > 24*3600+1 {
		t.Errorf("the table was created %v s ahead, want a day", ahead)
	}
}

func TestOptions(t *testing.T) {
	s, err := grammetest.Open(func(c *gramme.Config) { c.Region = "eu-west-1" })
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := do(t, s, s.Client(), grammetest.Endpoint, "ListTables", "{}"); status != 400 {
		t.Errorf("another region: %d", status)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestCancelledContext(t *testing.T) {
	s := grammetest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", grammetest.Endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := s.Client().Do(req); err == nil {
		resp.Body.Close()
		t.Error("no error")
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		s, err := grammetest.Open()
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
