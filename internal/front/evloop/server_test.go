//go:build linux

package evloop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An echo answers with the body of the request. What the body begins with says how.
type echo struct {
	gate    chan struct{} // those with "wait" and "block" wait for it
	waiting atomic.Int64  // how many do
	running sync.WaitGroup
}

// large is the answer to those with "large": more than sockets hold.
var large = strings.Repeat("x", 20<<20)

func (e *echo) Waits(r *Request) bool { return strings.HasPrefix(string(r.Body), "wait") }

func (e *echo) Serve(r *Request, a *Answer) {
	e.running.Add(1)
	body := string(r.Body)
	switch {
	case strings.HasPrefix(body, "wait"), strings.HasPrefix(body, "block"):
		e.waiting.Add(1)
		<-e.gate
		e.waiting.Add(-1)
	case strings.HasPrefix(body, "large"):
		body = large
	}
	connection := ""
	if a.Close {
		connection = "Connection: close\r\n"
	}
	a.Head = fmt.Appendf(a.Head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n", len(body), connection)
	a.Body, a.Owner = []byte(body), e
}

func (e *echo) Sent(a *Answer) { a.Owner.(*echo).running.Done() }

// A fixture is a running server.
type fixture struct {
	*Server
	t     *testing.T
	ln    net.Listener
	echo  *echo
	other chan string // what was read of the connections that went there
	stop  func()
}

func start(t *testing.T, cfg Config) *fixture {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, ln: ln, echo: &echo{gate: make(chan struct{})}, other: make(chan string, 100)}
	cfg.Handler = f.echo
	cfg.Other = func(c net.Conn, read []byte) {
		f.other <- string(read)
		_ = c.Close()
	}
	cfg.Request, cfg.Write, cfg.Idle = orMinute(cfg.Request), orMinute(cfg.Write), orMinute(cfg.Idle)
	if f.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- f.Serve(ln) }()
	f.stop = sync.OnceFunc(func() {
		_ = ln.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		f.Close()
		f.echo.running.Wait()
		if n := f.Open(); n != 0 {
			t.Errorf("%d connections are open", n)
		}
	})
	t.Cleanup(f.stop)
	return f
}

func orMinute(d time.Duration) time.Duration {
	if d == 0 {
		return time.Minute
	}
	return d
}

// A client is a connection to the server.
type client struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func (f *fixture) dial() *client {
	f.t.Helper()
	c, err := net.Dial("tcp", f.ln.Addr().String())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second)) // a test that hangs fails
	return &client{c, f.t, bufio.NewReader(c)}
}

func request(body string) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func (c *client) send(text string) {
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Error(err)
	}
}

// answer returns the body of the next answer.
func (c *client) answer() string {
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err.Error()
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func (c *client) expect(want string) {
	c.t.Helper()
	if got := c.answer(); got != want {
		c.t.Errorf("answer %.100q, want %.100q", got, want)
	}
}

// TestPieces sends requests of all sizes, in pieces, over many connections at once.
func TestPieces(t *testing.T) {
	f := start(t, Config{})
	close(f.echo.gate)
	var all sync.WaitGroup
	for i := range 40 {
		c, rnd := f.dial(), rand.New(rand.NewPCG(1, uint64(i)))
		all.Go(func() {
			for n := range 50 {
				kind := []string{"quick", "wait"}[rnd.IntN(2)]
				body := fmt.Sprintf("%s %d %d %s", kind, i, n, strings.Repeat("x", rnd.IntN(15_000)))
				text := request(body)
				for len(text) > 0 && rnd.IntN(3) > 0 {
					cut := rnd.IntN(min(len(text), 4000))
					c.send(text[:cut])
					text = text[cut:]
					runtime.Gosched()
				}
				c.send(text)
				c.expect(body)
			}
		})
	}
	all.Wait()
}

// TestTakeover: requests that wait although they said that they would not hold up their own connections only.
func TestTakeover(t *testing.T) {
	f := start(t, Config{})
	alone := f.dial()
	alone.send(request("wait")) // on the spot: there is nobody else
	f.untilWaiting(1)
	var stuck []*client
	for range 3 * runtime.GOMAXPROCS(0) {
		c := f.dial()
		c.send(request("block"))
		stuck = append(stuck, c)
	}
	for range 20 {
		c := f.dial()
		c.send(request("quick"))
		c.expect("quick")
	}
	close(f.echo.gate)
	alone.expect("wait")
	for _, c := range stuck {
		c.expect("block")
		c.send(request("quick"))
		c.expect("quick")
	}
}

// TestSlowReader: so does one who does not take a large answer.
func TestSlowReader(t *testing.T) {
	f := start(t, Config{})
	slow := f.dial()
	slow.send(request("large"))
	for range 20 {
		c := f.dial()
		c.send(request("quick"))
		c.expect("quick")
	}
	slow.expect(large)
	slow.send(request("quick"))
	slow.expect("quick")
}

// TestOther: what is not a plain request goes to the other server, to the last byte that was read.
func TestOther(t *testing.T) {
	f := start(t, Config{})
	long := request(strings.Repeat("x", maxPartial))
	for name, parts := range map[string][]string{
		"another method":             {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		"pipelined":                  {request("a") + request("b")},
		"long, and not all there":    {long[:100]},
		"strange from the middle on": {"POST / HTT", "P/1.0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c := f.dial()
			c.send(request("quick"))
			c.expect("quick")
			for _, p := range parts {
				c.send(p)
				time.Sleep(time.Millisecond) // so that it is likely to be read by itself
			}
			if got, want := <-f.other, strings.Join(parts, ""); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// TestHalfClosed: a client may end its side at once. It gets its answer, and then the end.
func TestHalfClosed(t *testing.T) {
	f := start(t, Config{})
	close(f.echo.gate)
	for _, tt := range []struct{ name, send, want string }{
		{"a request", request("quick"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nquick"},
		{"one that waits", request("wait"), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwait"},
		{"a part of one", "POST / HTTP/1.1\r\nHost", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 50 { // so that once at least both come in one event
				c := f.dial()
				_ = c.SetDeadline(time.Now().Add(5 * time.Second))
				c.send(tt.send)
				if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(c); string(got) != tt.want || err != nil {
					t.Fatalf("%q, %v; want %q", got, err, tt.want)
				}
			}
		})
	}
}

// TestFullInbox: what a full inbox has no room for makes no further event, so the other server reads on.
func TestFullInbox(t *testing.T) {
	f := start(t, Config{})
	first := request(strings.Repeat("x", inboxSize-len(request(strings.Repeat("x", 10_000)))+10_000))
	if len(first) != inboxSize {
		t.Fatal(len(first))
	}
	for range 20 { // so that once at least all of it is read at once
		c := f.dial()
		c.send(first + request("quick"))
		select {
		case got := <-f.other:
			if !strings.HasPrefix(first, got) {
				t.Fatalf("%.100q", got)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("nobody answers the second request")
		}
	}
}

// TestPipelinedBehindAnother: a request that comes while another is answered waits for that.
func TestPipelinedBehindAnother(t *testing.T) {
	f := start(t, Config{})
	for _, body := range []string{"wait", "block"} {
		c := f.dial()
		c.send(request(body))
		f.untilWaiting(1)
		go func() {
			time.Sleep(5 * time.Millisecond) // the second comes meanwhile
			f.echo.gate <- struct{}{}
		}()
		c.send(request("quick"))
		c.expect(body)
		c.expect("quick")
	}
}

// untilWaiting returns when n requests wait for the gate.
func (f *fixture) untilWaiting(n int64) {
	for f.echo.waiting.Load() != n {
		runtime.Gosched()
	}
}

// TestTimeLimits: connections end that have nothing to say.
func TestTimeLimits(t *testing.T) {
	const late = "HTTP/1.1 408 Request Timeout\r\n\r\n"
	f := start(t, Config{Request: 30 * time.Millisecond, Idle: 60 * time.Millisecond, Late: []byte(late)})
	for _, tt := range []struct{ name, send, want string }{
		{"silent", "", late},
		{"in the head", "POST / HTTP/1.1\r\nHo", late},
		{"idle", request("quick"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nquick"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := f.dial()
			c.send(tt.send)
			if got, err := io.ReadAll(c); string(got) != tt.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// TestShutdown: who is being answered gets the answer, the others an end.
func TestShutdown(t *testing.T) {
	f := start(t, Config{})
	idle, waiting := f.dial(), f.dial()
	idle.send(request("quick"))
	idle.expect("quick")
	waiting.send(request("wait"))
	f.untilWaiting(1)
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := f.Shutdown(short); err == nil {
		t.Error("it did not wait for a request that is running")
	}
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("an idle connection: %v", err)
	}
	f.echo.gate <- struct{}{}
	waiting.expect("wait")
	if err := f.Shutdown(short); err == nil {
		t.Error("it ended although there may be more connections")
	}
	late := f.dial()
	if _, err := late.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("one that came late: %v", err)
	}
	_ = f.ln.Close()
	if err := f.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	f.stop()
}

// TestClose: nobody is waited for who does not come to an end, but for requests that are running.
func TestClose(t *testing.T) {
	f := start(t, Config{})
	for _, text := range []string{"", "POST", request("large"), request("quick")} {
		f.dial().send(text)
	}
	for f.Open() < 4 {
		runtime.Gosched()
	}
	f.stop()
}
