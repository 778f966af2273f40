package gateway

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// The service that the tests call.

type sayInput struct {
	Text *string `aws:"required,min=1,max=70000"`
	How  *string
}

type sayOutput struct {
	Said   *string
	Region *string
	Caller *string
	Host   *string
}

var errTired = errors.New("tired")

func say(_ context.Context, c *api.Call, in *sayInput) (*sayOutput, error) {
	how := ""
	if in.How != nil {
		how = *in.How
	}
	switch how {
	case "panic":
		panic("cannot say that")
	case "fail":
		return nil, api.Errorf("ConditionalCheckFailedException", "The conditional request failed")
	case "translate":
		return nil, errTired
	case "internal":
		return nil, errors.New("secret detail")
	}
	return &sayOutput{in.Text, &c.Region, &c.Principal.ARN, &c.Host}, nil
}

func echoService(more ...*api.Op) *api.Service {
	return &api.Service{
		Name: "echo", TargetPrefix: "Echo_1", SigningName: "echo",
		Ops: append([]*api.Op{
			api.Define("Say", say),
			api.Define("Hush", func(context.Context, *api.Call, *sayInput) (*api.Nothing, error) { return nil, nil }),
		}, more...),
		Translate: func(err error) *api.Error {
			if errors.Is(err, errTired) {
				return api.Throttled("I am tired")
			}
			return nil
		},
	}
}

var testKey = iam.Key{ID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}

func withKey(t testing.TB) *iam.Keys {
	t.Helper()
	keys, err := iam.NewKeys([]iam.Key{testKey})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// newGateway makes a gateway to the echo service that logs to out.
func newGateway(cfg Config, out io.Writer) *Gateway {
	if cfg.Services == nil {
		cfg.Services = []*api.Service{echoService()}
	}
	cfg.JSON = func(values *[]byte) Codec { return wire.Codec{Values: values} }
	cfg.Logger = slog.New(slog.NewTextHandler(out, nil))
	return New(cfg)
}

// An endpoint is a running server.
type endpoint struct {
	url    string // http://127.0.0.1:port
	client *http.Client
}

// run serves g until the test ends.
func run(t testing.TB, g *Gateway, cfg ServerConfig) *endpoint {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx, ln, cfg) }()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return &endpoint{"http://" + ln.Addr().String(), &http.Client{Transport: transport}}
}

// onAll runs a test through all adapters.
func onAll(t *testing.T, cfg Config, f func(t *testing.T, e *endpoint, logged *syncBuffer)) {
	for name, without := range map[string]bool{"loops": false, "fasthttp": true} {
		t.Run(name, func(t *testing.T) {
			var logged syncBuffer
			f(t, run(t, newGateway(cfg, &logged), ServerConfig{NoLoops: without}), &logged)
		})
	}
	t.Run("nethttp", func(t *testing.T) {
		var logged syncBuffer
		s := httptest.NewServer(newGateway(cfg, &logged))
		t.Cleanup(s.Close)
		s.Client().Transport.(*http.Transport).DisableCompression = true
		f(t, &endpoint{s.URL, s.Client()}, &logged)
	})
}

// A call describes a request; what is empty has a default.
type call struct {
	method, path, target, contentType, body, host string
	headers                                       map[string]string
	unsigned                                      bool
	secret                                        string
	at                                            time.Time
	reader                                        io.Reader // sent chunked, instead of body
}

// request makes the HTTP request, signed.
func (c call) request(t testing.TB, base string) *http.Request {
	t.Helper()
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return strings.TrimPrefix(s, "-")
	}
	var body io.Reader = strings.NewReader(c.body)
	if c.reader != nil {
		body = c.reader
	}
	req, err := http.NewRequest(or(c.method, "POST"), base+or(c.path, "/"), body)
	if err != nil {
		t.Fatal(err)
	}
	if c.host != "" {
		req.Host = c.host
	}
	req.Header.Set("X-Amz-Target", or(c.target, "Echo_1.Say"))
	if ct := or(c.contentType, typeJSON10); ct != "" {
		req.Header.Set("Content-Type", ct)
	}
	for k, v := range c.headers {
		req.Header.Set(k, v)
	}
	if !c.unsigned {
		c.sign(req)
	}
	return req
}

func (c call) sign(req *http.Request) {
	if c.at.IsZero() {
		c.at = time.Now()
	}
	key := testKey
	if c.secret != "" {
		key.Secret = c.secret
	}
	signAs(key, c.at, req, c.body, "host", "x-amz-date", "x-amz-target")
}

// signWith signs for the test key, now.
func signWith(req *http.Request, body string, headers ...string) {
	signAs(testKey, time.Now(), req, body, headers...)
}

func signAs(key iam.Key, at time.Time, req *http.Request, body string, headers ...string) {
	req.Header.Set("X-Amz-Date", sigv4.FormatTime(at))
	req.Header.Set("Authorization", sigv4.Sign(&sigv4.Request{
		Method: req.Method, Path: req.URL.EscapedPath(), RawQuery: req.URL.RawQuery, Body: []byte(body),
		Header: func(name string) string {
			if name == "host" {
				return req.Host
			}
			return strings.Join(req.Header.Values(name), ",")
		},
	}, headers, sigv4.Credentials{AccessKey: key.ID, Secret: key.Secret}, "us-east-1", "echo"))
}

// An answer is a response that has been read.
type answer struct {
	*http.Response
	body string
}

// do sends the call.
func (e *endpoint) do(t testing.TB, c call) answer {
	t.Helper()
	return e.send(t, c.request(t, e.url))
}

// send sends a request and checks what every answer has.
func (e *endpoint) send(t testing.TB, req *http.Request) answer {
	t.Helper()
	resp, err := e.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if id := resp.Header.Get("x-amzn-RequestId"); len(id) != requestIDLen && uuid.Validate(id) != nil || len(id) == requestIDLen && strings.Trim(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		t.Errorf("x-amzn-RequestId = %q", id)
	}
	if got, want := resp.Header.Get("x-amz-crc32"), strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10); got != want && resp.Request.Method != "HEAD" {
		t.Errorf("x-amz-crc32 = %s, want %s", got, want)
	}
	if got := resp.Header.Get("Server"); got != ServerName {
		t.Errorf("Server = %q", got)
	}
	if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil {
		t.Errorf("Date: %v", err)
	}
	return answer{resp, string(body)}
}

func (a answer) check(t testing.TB, status int, body string) {
	t.Helper()
	if a.StatusCode != status || a.body != body {
		t.Errorf("answer:\n got %d %q\nwant %d %q", a.StatusCode, a.body, status, body)
	}
}

// A syncBuffer takes a log that several goroutines write.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
