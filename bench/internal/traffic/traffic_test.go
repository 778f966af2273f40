package traffic

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
)

func TestMain(m *testing.M) {
	Serve()
	os.Exit(m.Run())
}

// to returns a client of a server.
func to(t *testing.T, h http.HandlerFunc) Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	e, err := client.ParseEndpoint(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return Client{Endpoint: e, Credentials: client.Credentials{AccessKey: "a", Secret: "b", Region: "us-east-1"}, Conns: 3}
}

// TestMeasure: every call that is answered is counted, steady or as fast as can be.
func TestMeasure(t *testing.T) {
	for name, run := range map[string]func(Client, context.Context, Request) (Latencies, error){
		"steady": func(c Client, ctx context.Context, r Request) (Latencies, error) {
			s, err := c.Steady(ctx, 10_000, r.Operation, [][]byte{r.Body(0, nil)})
			return s.Latencies, err
		},
		"closed": Client.Closed,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			var served atomic.Uint64
			c := to(t, func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) != `{"a":1}` || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetItem") {
					t.Errorf("%s %s", r.Header, body)
				}
				if served.Add(1) == 100 {
					stop()
				}
				_, _ = io.WriteString(w, "{}")
			})
			l, err := run(c, ctx, Request{"GetItem", func(_ int, b []byte) []byte { return append(b, `{"a":1}`...) }})
			if n := l.All().Count(); err != nil || n != served.Load() || n < 100 {
				t.Errorf("%d calls were counted and %d answered, %v", n, served.Load(), err)
			}
		})
	}
}

// TestFailure: an answer that is none of success is an error.
func TestFailure(t *testing.T) {
	c := to(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, "no such table")
	})
	if _, err := c.Call(t.Context(), "GetItem", "{}"); err == nil || !strings.Contains(err.Error(), "no such table") {
		t.Error(err)
	}
	if _, err := c.Closed(t.Context(), Request{"GetItem", func(_ int, b []byte) []byte { return append(b, "{}"...) }}); err == nil {
		t.Error("no error")
	}
	if _, err := c.Steady(t.Context(), 100, "GetItem", [][]byte{[]byte("{}")}); err == nil {
		t.Error("no error")
	}
}

func TestMedianSecond(t *testing.T) {
	l := Latencies{}
	for second, took := range []time.Duration{5, 1, 9} {
		l.add(time.Unix(int64(second), 0), took)
	}
	if got := l.MedianSecond(0.99); got != 5 {
		t.Errorf("%d", got)
	}
	if got := (Latencies{}).MedianSecond(0.99); got != 0 {
		t.Errorf("%d without calls", got)
	}
}

func TestStamp(t *testing.T) {
	var s sender
	body := []byte(`{"at":{"N":"` + Stamp + `"}}`)
	if got := string(s.stamped(body, time.Unix(1700000000, 5))); got != `{"at":{"N":"1700000000000000005"}}` || !strings.Contains(string(body), Stamp) {
		t.Errorf("%s from %s", got, body)
	}
}
