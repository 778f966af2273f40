package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api"
)

// raw opens a connection to the endpoint.
func (e *endpoint) raw(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second)) // a test that hangs fails
	return c
}

// anyone is a signature that does where any credentials are accepted.
const anyone = "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 " +
	"Credential=me/20260101/us-east-1/echo/aws4_request, SignedHeaders=host, Signature=00\r\n"

// rawCall writes a call as it goes over the wire, with more headers.
func rawCall(body, headers string) string {
	if headers == "" {
		headers = fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: Echo_1.Say\r\n" +
		anyone + headers + "\r\n" + body
}

// exchange sends what it is given and returns the status of each answer, until the server closes the connection or n have come.
func exchange(t *testing.T, c net.Conn, n int, send string) (statuses []int) {
	t.Helper()
	go func() { _, _ = io.WriteString(c, send) }() // the server may close before all is sent
	r := bufio.NewReader(c)
	for len(statuses) < n {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return statuses
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		statuses = append(statuses, resp.StatusCode)
	}
	return statuses
}

func chunked(chunks ...string) string {
	var b strings.Builder
	for _, c := range append(chunks, "") {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(c), c)
	}
	return b.String()
}

// withAndWithoutLoops runs a test with event loops and with fasthttp alone.
func withAndWithoutLoops(t *testing.T, f func(t *testing.T, noLoops bool)) {
	t.Run("loops", func(t *testing.T) { f(t, false) })
	t.Run("fasthttp", func(t *testing.T) { f(t, true) })
}

// TestConnections sends bytes that HTTP libraries do not.
func TestConnections(t *testing.T) { withAndWithoutLoops(t, testConnections) }

func testConnections(t *testing.T, noLoops bool) {
	const isChunked = "Transfer-Encoding: chunked\r\n"
	long := strings.Repeat("x", 20_000)
	megabyte := strings.Repeat(" ", 1<<20)
	e := run(t, newGateway(Config{}, io.Discard), ServerConfig{NoLoops: noLoops})
	for _, tt := range []struct {
		name string
		send string
		want []int
	}{
		{"one", rawCall(hello, ""), []int{200}},
		{"pipelined", rawCall(hello, "") + rawCall("{", "") + rawCall(hello, ""), []int{200, 400, 200}},
		{"chunked", rawCall(chunked(`{"Text":`, `"hello"}`), isChunked), []int{200}},
		{"chunked, then another", rawCall(chunked(hello), isChunked) + rawCall(hello, ""), []int{200, 200}},
		{"large, then another", rawCall(`{"Text":"`+long+`"}`, "") + rawCall(hello, ""), []int{200, 200}},
		{"chunked and large", rawCall(chunked(`{"Text":"`, long, long, `"}`), isChunked), []int{200}},
		{"bad chunk", rawCall("zz\r\n", isChunked), []int{400}},
		{"over 16 MiB", rawCall(strings.Repeat(megabyte, 16)+" ", "") + rawCall(hello, ""), []int{413, 200}},
		{"far over 16 MiB", rawCall(strings.Repeat(megabyte, 20), "Content-Length: 99999999999\r\n"), []int{413}},
		{"over 16 MiB, chunked", rawCall(chunked(append(slicesOf(megabyte, 16), " ")...), isChunked), []int{413}},
		{"16 MiB", rawCall(hello+strings.Repeat(" ", maxBody-len(hello)), ""), []int{200}},
		{"16 MiB, chunked", rawCall(chunked(append(slicesOf(megabyte, 15), megabyte[len(hello):], hello)...), isChunked), []int{200}},
		{"header of 15 KiB", rawCall(hello, "X-Long: "+long[:15_000]+"\r\nContent-Length: 16\r\n"), []int{200}},
		{"header of 20 KB", rawCall(hello, "X-Long: "+long+"\r\nContent-Length: 16\r\n"), []int{400}},
		{"header of 60 KB", rawCall(hello, "X-Long: "+long+long+long+"\r\nContent-Length: 16\r\n"), []int{400}},
		{"path of 15 KB", strings.Replace(rawCall(hello, ""), "/", "/"+long[:15_000], 1), []int{200}},
		{"path of 20 KB", strings.Replace(rawCall(hello, ""), "/", "/"+long, 1), []int{400}},
		{"many headers", rawCall(hello, strings.Repeat("X-A: b\r\n", 1000)+"Content-Length: 16\r\n"), []int{200}},
		{"absolute form", strings.Replace(rawCall(hello, ""), "POST /", "POST http://localhost/", 1), []int{200}},
		{"not HTTP", "hello there\r\n\r\n", []int{400}},
		{"negative length", rawCall(hello, "Content-Length: -1\r\n"), []int{400}},
		{"two lengths", rawCall(hello, "Content-Length: 16\r\nContent-Length: 17\r\n"), []int{400}},
		{"HTTP/1.0", strings.Replace(rawCall(hello, ""), "HTTP/1.1", "HTTP/1.0", 1), []int{200}},
		{"close", rawCall(hello, "Connection: close\r\nContent-Length: 16\r\n") + rawCall(hello, ""), []int{200}},
		{"lower case", strings.NewReplacer("Content-", "content-", "X-Amz-", "x-amz-", "Authorization", "authorization", "Host", "host").
			Replace(rawCall(hello, "")), []int{200}},
		{"no length", strings.Replace(rawCall("", "X-A: b\r\n"), "Content-Type: application/x-amz-json-1.0\r\n", "", 1) + rawCall(hello, ""), []int{400, 200}},
		{"expect", rawCall(hello, "Expect: 100-continue\r\nContent-Length: 16\r\n"), []int{100, 200}},
		{"length and chunked", rawCall(chunked(hello), "Content-Length: 5\r\n"+isChunked) + rawCall(hello, ""), []int{200}},
		{"another transfer coding", rawCall(chunked(hello), "Transfer-Encoding: gzip, chunked\r\n"), []int{400}},
		{"chunk with extension and trailer", rawCall("10;a=b\r\n"+hello+"\r\n0\r\nX-T: 1\r\n\r\n", isChunked) + rawCall(hello, ""), []int{200, 200}},
		{"chunk of 8 EiB", rawCall("7fffffffffffffff\r\nabc", isChunked), []int{400}},
		{"chunk of more", rawCall("ffffffffffffffffff\r\n", isChunked), []int{400}},
		{"no host", strings.Replace(rawCall(hello, ""), "Host: localhost\r\n", "", 1), []int{400}},
		{"two hosts", strings.Replace(rawCall(hello, ""), "Host: ", "Host: x\r\nHost: ", 1), []int{400}},
		{"blank in a name", rawCall(hello, "X-A : b\r\nContent-Length: 16\r\n"), []int{400}},
		{"malformed escape in the path", strings.Replace(rawCall(hello, ""), "/", "/%zz", 1), []int{200}},
		{"no call, over 16 MiB", strings.Replace(rawCall(strings.Repeat(megabyte, 17), ""), "application/x-amz-json-1.0", "text/plain", 1), []int{413}},
		{"no call, with a body", "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789" + rawCall(hello, ""), []int{404, 200}},
		{"ours, with a body", "GET /_gramme/health HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789" + rawCall(hello, ""), []int{200, 200}},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400}},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}},
		{"binary headers", rawCall(hello, "X-Bin: \x80\xff\r\nContent-Length: 16\r\n"), []int{200}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := e.raw(t)
			got := exchange(t, c, len(tt.want), tt.send)
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("statuses = %v, want %v", got, tt.want)
			}
		})
	}
	if a := e.do(t, call{body: hello}); a.StatusCode != 200 {
		t.Errorf("afterwards: %d", a.StatusCode)
	}
}

func slicesOf(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// TestSlowClients: a client that stops in the middle loses its connection; one that has not begun, too.
func TestSlowClients(t *testing.T) { withAndWithoutLoops(t, testSlowClients) }

func testSlowClients(t *testing.T, noLoops bool) {
	e := run(t, newGateway(Config{}, io.Discard), ServerConfig{
		NoLoops: noLoops, HeaderTime: 50 * time.Millisecond, BodyTime: 50 * time.Millisecond, IdleTime: 50 * time.Millisecond,
	})
	large := rawCall(`{"Text":"`+strings.Repeat("x", 20_000)+`"}`, "")
	whole := rawCall(hello, "")
	for _, tt := range []struct {
		name string
		send string
		want string // statuses of the answers before the end
	}{
		{"silent", "", "[408]"},
		{"in the headers", whole[:40], "[408]"},
		{"in a small body", whole[:len(whole)-3], "[408]"},
		{"in a large body", large[:len(large)-3], "[408]"},
		{"in a chunk", rawCall("ff\r\nabc", "Transfer-Encoding: chunked\r\n"), "[408]"},
		{"idle", whole, "[200]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := e.raw(t)
			if got := fmt.Sprint(exchange(t, c, 2, tt.send)); got != tt.want {
				t.Errorf("statuses = %s, want %s", got, tt.want)
			}
		})
	}
}

// TestSlowBodies: a client that has promised much and sends little holds neither a place among the requests that run nor the
// memory that it would need.
func TestSlowBodies(t *testing.T) { withAndWithoutLoops(t, testSlowBodies) }

func testSlowBodies(t *testing.T, noLoops bool) {
	g := newGateway(Config{Running: 1, Budget: 64 << 10, MaxWait: time.Millisecond}, io.Discard)
	e := run(t, g, ServerConfig{NoLoops: noLoops})
	slow := rawCall(`{"Text":"`+strings.Repeat("x", 55_000)+`"}`, "")
	c := e.raw(t)
	if _, err := io.WriteString(c, slow[:15_000]); err != nil {
		t.Fatal(err)
	}
	for g.admission.load().bytes == 0 { // until the server has seen it
		runtime.Gosched()
	}
	for _, body := range []string{hello, `{"Text":"` + strings.Repeat("y", 20_000) + `"}`} {
		if a := e.do(t, call{body: body}); a.StatusCode != 200 {
			t.Errorf("a call of %d bytes beside it: %d %s", len(body), a.StatusCode, a.body)
		}
	}
	for g.admission.load().bytes > 32<<10 { // until the answers have been sent
		runtime.Gosched()
	}
	if l := g.admission.load(); l.running != 0 {
		t.Errorf("it holds %+v", l)
	}
	if got := exchange(t, c, 1, slow[15_000:]); len(got) != 1 || got[0] != 200 {
		t.Errorf("when all has come: %v", got)
	}
}

// TestSlowReaders: a client that does not take its answer holds its memory, but no place among the requests that run.
func TestSlowReaders(t *testing.T) { withAndWithoutLoops(t, testSlowReaders) }

func testSlowReaders(t *testing.T, noLoops bool) {
	const length = 15 << 20 // more than sockets hold
	text := strings.Repeat("x", length)
	tell := api.Define("Tell", func(context.Context, *api.Call, *sayInput) (*sayOutput, error) { return &sayOutput{Said: &text}, nil })
	g := newGateway(Config{Services: []*api.Service{echoService(tell)}, Running: 1, MaxWait: time.Millisecond}, io.Discard)
	e := run(t, g, ServerConfig{NoLoops: noLoops})
	c := e.raw(t)
	if _, err := io.WriteString(c, strings.Replace(rawCall(hello, ""), ".Say", ".Tell", 1)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(c, 16)
	if _, err := r.Peek(1); err != nil { // it has been answered
		t.Fatal(err)
	}
	if a := e.do(t, call{body: hello}); a.StatusCode != 200 {
		t.Errorf("a call beside it: %d %s", a.StatusCode, a.body)
	}
	for g.admission.load().running != 0 { // until that call is over, whose answer has come
		runtime.Gosched()
	}
	if l := g.admission.load(); l.bytes < length {
		t.Errorf("it holds %+v", l)
	}
	if resp, err := http.ReadResponse(r, nil); err != nil {
		t.Error(err)
	} else if n, err := io.Copy(io.Discard, resp.Body); n < length || err != nil {
		t.Errorf("%d bytes of the answer came: %v", n, err)
	}
	waitUntilIdle(t, g)
}

// TestAnswersInOrder: small answers and large ones, which leave on different ways, come in the order of their requests.
func TestAnswersInOrder(t *testing.T) { withAndWithoutLoops(t, testAnswersInOrder) }

func testAnswersInOrder(t *testing.T, noLoops bool) {
	e := run(t, newGateway(Config{}, io.Discard), ServerConfig{NoLoops: noLoops})
	c := e.raw(t)
	var texts []string
	var send strings.Builder
	for i := range 40 {
		text := strings.Repeat(string(rune('a'+i%26)), 1+i*i*i%9001)
		texts = append(texts, text)
		send.WriteString(rawCall(`{"Text":"`+text+`"}`, ""))
		if i%10 == 9 {
			send.WriteString("HEAD /_gramme/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}
	}
	go func() { _, _ = io.WriteString(c, send.String()) }()
	r := bufio.NewReader(c)
	for i, text := range texts {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), `"`+text+`"`) {
			t.Fatalf("answer %d: %v, %d bytes, want a text of %d: %.50s ... %s", i, err, len(body), len(text), body, body[max(0, len(body)-120):])
		}
		if i%10 == 9 {
			if resp, err := http.ReadResponse(r, &http.Request{Method: "HEAD"}); err != nil || resp.StatusCode != 200 {
				t.Fatalf("HEAD: %v", err)
			}
		}
	}
}

// TestUploadsToOwnPaths: what nobody reads is not kept in memory, however long it is.
func TestUploadsToOwnPaths(t *testing.T) {
	e := run(t, newGateway(Config{}, io.Discard), ServerConfig{})
	c := e.raw(t)
	if _, err := io.WriteString(c, "POST /_gramme/health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	chunk := []byte(fmt.Sprintf("%x\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 64 {
		if _, err := c.Write(chunk); err != nil {
			break // the server may have had enough
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
}

// TestTooManyConnections: those that are too many are told to come back, and may when others have left.
func TestTooManyConnections(t *testing.T) { withAndWithoutLoops(t, testTooManyConnections) }

func testTooManyConnections(t *testing.T, noLoops bool) {
	var logged syncBuffer
	g := newGateway(Config{}, &logged)
	if n := g.Connections(); n != 0 {
		t.Errorf("%d connections before there is a server", n)
	}
	e := run(t, g, ServerConfig{NoLoops: noLoops, MaxConns: 2})
	ask := func(c net.Conn) (int, string) {
		t.Helper()
		_, _ = io.WriteString(c, rawCall(hello, ""))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return 0, "" // turned away before it had asked
		}
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	first, second := e.raw(t), e.raw(t)
	for _, c := range []net.Conn{first, second} {
		if status, body := ask(c); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if n := g.Connections(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	resp, err := http.ReadResponse(bufio.NewReader(e.raw(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	answer{resp, string(body)}.check(t, 503,
		`{"__type":"com.amazon.coral.availability#ServiceUnavailable","message":"The server has more connections than it can take. Try again."}`)
	if !strings.Contains(logged.String(), "turned away") {
		t.Error("the log says nothing")
	}
	_ = first.Close()
	for status := 0; status != 200; { // the server notices soon
		c := e.raw(t)
		status, _ = ask(c)
		_ = c.Close()
	}
}

func TestDefaultConns(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	for limit, want := range map[int64]int{math.MaxInt64: 16384, 512 << 20: 1638, 1 << 20: 256} {
		debug.SetMemoryLimit(limit)
		if got := defaultConns(); got != want {
			t.Errorf("with %d bytes: %d connections, want %d", limit, got, want)
		}
	}
}

func TestTLS(t *testing.T) {
	lender := httptest.NewTLSServer(nil) // of a certificate, and of a client that trusts it
	defer lender.Close()
	e := run(t, newGateway(Config{}, io.Discard), ServerConfig{TLS: &tls.Config{Certificates: lender.TLS.Certificates}})
	url := "https" + strings.TrimPrefix(e.url, "http")
	for version, ok := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		transport := lender.Client().Transport.(*http.Transport).Clone()
		transport.TLSClientConfig.MinVersion, transport.TLSClientConfig.MaxVersion = version, version
		client := &endpoint{url, &http.Client{Transport: transport}}
		if resp, err := client.client.Get(url); (err == nil) != ok {
			t.Errorf("%s: error = %v", tls.VersionName(version), err)
		} else if ok {
			_ = resp.Body.Close()
			client.do(t, call{body: hello}).check(t, 200, strings.Replace(helloBack, "%HOST%", strings.TrimPrefix(e.url, "http://"), 1))
		}
		transport.CloseIdleConnections()
	}
}

// TestClientGoesAway: half a request, then nothing; the server gives everything back.
func TestClientGoesAway(t *testing.T) {
	g := newGateway(Config{}, io.Discard)
	e := run(t, g, ServerConfig{})
	large := rawCall(`{"Text":"`+strings.Repeat("x", 50_000)+`"}`, "")
	for range 20 {
		c := e.raw(t)
		if _, err := io.WriteString(c, large[:len(large)/2]); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	waitUntilIdle(t, g)
}

// TestDrain: a request that runs when the server is told to stop is answered; then Run returns.
func TestDrain(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	slow := api.Define("Slow", func(context.Context, *api.Call, *sayInput) (*sayOutput, error) {
		close(started)
		<-finish
		return &sayOutput{}, nil
	})
	ctx, stop := context.WithCancel(context.Background())
	answers, done := startSlow(t, ctx, slow, ServerConfig{})
	<-started
	stop()
	close(finish)
	if a := <-answers; a != "200 {}" {
		t.Errorf("answer = %s", a)
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// TestStopAtOnce: Run returns although it is stopped before it has begun.
func TestStopAtOnce(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	for range 100 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := newGateway(Config{}, io.Discard).Run(ctx, ln, ServerConfig{}); err != nil {
			t.Fatal(err)
		}
		if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			t.Fatal("the listener is still open")
		}
	}
}

// TestCutOff: a request that does not finish in time is cancelled, its connection closed, and then Run returns.
func TestCutOff(t *testing.T) {
	started := make(chan struct{})
	var cause error
	stuck := api.Define("Slow", func(ctx context.Context, _ *api.Call, _ *sayInput) (*sayOutput, error) {
		close(started)
		<-ctx.Done()
		cause = context.Cause(ctx)
		return nil, ctx.Err()
	})
	ctx, stop := context.WithCancel(context.Background())
	answers, done := startSlow(t, ctx, stuck, ServerConfig{Drain: time.Millisecond})
	<-started
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if cause != ErrStopped {
		t.Errorf("cause = %v, want ErrStopped", cause)
	}
	<-answers // the connection is closed, or the answer was still sent
}

// startSlow runs a server and calls its operation Slow.
func startSlow(t *testing.T, ctx context.Context, op *api.Op, cfg ServerConfig) (answers chan string, done chan error) {
	t.Helper()
	g := newGateway(Config{Services: []*api.Service{echoService(op)}}, io.Discard)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answers, done = make(chan string, 1), make(chan error, 1)
	go func() { done <- g.Run(ctx, ln, cfg) }()
	req := call{target: "Echo_1.Slow", body: hello}.request(t, "http://"+ln.Addr().String())
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body)
		answers <- fmt.Sprint(resp.StatusCode, " ", b.String())
	}()
	return answers, done
}

// TestListenerFails: Run says so.
func TestListenerFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(Config{}, io.Discard)
	if err := g.Run(context.Background(), failingListener{ln}, ServerConfig{}); err == nil {
		t.Error("no error")
	}
}

type failingListener struct{ net.Listener }

func (failingListener) Accept() (net.Conn, error) { return nil, io.ErrClosedPipe }
