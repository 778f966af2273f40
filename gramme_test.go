package gramme_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grammedb/gramme"
)

// A caller calls a handler with any credentials, from a region.
type caller struct {
	handler http.Handler
	region  string
}

func (c caller) call(op, body string) (int, string) {
	req := httptest.NewRequest("POST", "http://localhost/", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+op)
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=me/20260101/"+c.region+"/dynamodb/aws4_request, SignedHeaders=host, Signature=00")
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// mustCall fails the test unless the call succeeds.
func (c caller) mustCall(t *testing.T, op, body string) string {
	t.Helper()
	status, answer := c.call(op, body)
	if status != 200 {
		t.Fatalf("%s: %d %s", op, status, answer)
	}
	return answer
}

const createTable = `{"TableName":"tea","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],` +
	`"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`

func open(t *testing.T, cfg gramme.Config) *gramme.DB {
	t.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	db, err := gramme.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestOpenAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for round := range 3 {
		db := open(t, gramme.Config{Dir: dir})
		c := caller{db.Handler(), "us-east-1"}
		if round == 0 {
			c.mustCall(t, "CreateTable", createTable)
		}
		c.mustCall(t, "PutItem", fmt.Sprintf(`{"TableName":"tea","Item":{"id":{"S":"%d"}}}`, round))
		want := fmt.Sprintf(`{"Count":%d,"ScannedCount":%[1]d}`, round+1)
		if got := c.mustCall(t, "Scan", `{"TableName":"tea","Select":"COUNT"}`); got != want {
			t.Errorf("round %d: %s, want %s", round, got, want)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRegionsAreNamespaces(t *testing.T) {
	for _, one := range []bool{false, true} {
		db := open(t, gramme.Config{Memory: true, OneRegion: one})
		caller{db.Handler(), "eu-west-1"}.mustCall(t, "CreateTable", createTable)
		want := `{"TableNames":[]}`
		if one {
			want = `{"TableNames":["tea"]}`
		}
		if got := (caller{db.Handler(), "ap-south-1"}).mustCall(t, "ListTables", "{}"); got != want {
			t.Errorf("one region: %v: another sees %s", one, got)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	held := open(t, gramme.Config{Dir: file})
	defer held.Close()
	for _, tt := range []struct {
		cfg  gramme.Config
		want string
	}{
		{gramme.Config{}, "neither a data directory nor memory"},
		{gramme.Config{Memory: true, Region: "us east 1"}, `"us east 1" cannot be the name of a region`},
		{gramme.Config{Memory: true, Keys: []gramme.Key{{ID: "A", Secret: "1"}, {ID: "A", Secret: "2"}}}, "given twice"},
		{gramme.Config{Dir: file}, "in use by another gramme"},
	} {
		db, err := gramme.Open(context.Background(), tt.cfg)
		if err == nil || !strings.HasPrefix(err.Error(), "gramme: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error = %v, want %q", err, tt.want)
		}
		if db != nil {
			t.Error("a database all the same")
		}
	}
}

// TestOpenFailsTouchesNothing: in a directory that is not ours, or in which another process works, nothing is removed.
func TestOpenFailsTouchesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "functions", "precious")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := gramme.Config{Dir: dir, Functions: true, Keys: []gramme.Key{{ID: "id", Secret: "secret"}}}
	if db, err := gramme.Open(context.Background(), cfg); err == nil {
		t.Error("it opens", db.Close())
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestRun(t *testing.T) {
	db := open(t, gramme.Config{Dir: t.TempDir()})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx, ln) }()
	resp, err := http.Get("http://" + ln.Addr().String() + "/_gramme/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gramme_store_disk_bytes ", "gramme_store_wal_bytes_total ", "gramme_request_seconds_count{", "go_goroutines ", "go_build_info{"} {
		if !strings.Contains(string(text), "\n"+name) {
			t.Errorf("the metrics lack %s", name)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := errors.Join(<-done, db.Close()); err != nil {
		t.Error(err)
	}
}

func TestCallerIdentity(t *testing.T) {
	db := open(t, gramme.Config{Memory: true})
	defer db.Close()
	req := httptest.NewRequest("POST", "http://localhost/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00")
	w := httptest.NewRecorder()
	db.Handler().ServeHTTP(w, req)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "<Arn>arn:aws:iam::000000000000:user/me</Arn>") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
