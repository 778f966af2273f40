package client

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseEndpoint(t *testing.T) {
	for _, tt := range []struct {
		in, address, host string
		tls, loopback     bool
		err               string
	}{
		{in: "http://127.0.0.1:8000", address: "127.0.0.1:8000", host: "127.0.0.1:8000", loopback: true},
		{in: "http://[::1]:8000/", address: "[::1]:8000", host: "[::1]:8000", loopback: true},
		{in: "http://localhost", address: "localhost:80", host: "localhost", loopback: true},
		{in: "https://dynamodb.eu-west-1.amazonaws.com", address: "dynamodb.eu-west-1.amazonaws.com:443", host: "dynamodb.eu-west-1.amazonaws.com", tls: true},
		{in: "https://db.example:443", address: "db.example:443", host: "db.example", tls: true},
		{in: "https://db.example:8443", address: "db.example:8443", host: "db.example:8443", tls: true},
		{in: "127.0.0.1:8000", err: "is not a URL like"},
		{in: "ftp://x", err: "is not a URL like"},
		{in: "http://", err: "is not a URL like"},
		{in: "http://x/path", err: "a host and a port, nothing else"},
	} {
		e, err := ParseEndpoint(tt.in)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want one with %q", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || e.Address != tt.address || e.Host != tt.host || (e.TLS != nil) != tt.tls || e.Loopback() != tt.loopback {
			t.Errorf("%s: %+v %v, loopback %v", tt.in, e, err, e.Loopback())
		}
	}
}

func endpointOf(t *testing.T, url string) Endpoint {
	t.Helper()
	e, err := ParseEndpoint(url)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestDo: requests of one connection, with answers that do not fit its first buffer, over TLS too.
func TestDo(t *testing.T) {
	var opened atomic.Int32
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("User-Agent") != "agent/1" {
			t.Errorf("agent %s", r.Header.Get("User-Agent"))
		}
		_, _ = w.Write(bytes.Repeat(body, 1000))
	})
	count := func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	for _, secure := range []bool{false, true} {
		opened.Store(0)
		srv := httptest.NewUnstartedServer(handler)
		srv.Config.ConnState = count
		var e Endpoint
		if secure {
			srv.StartTLS()
			e = endpointOf(t, srv.URL)
			if err := e.Trust(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})); err != nil {
				t.Fatal(err)
			}
		} else {
			srv.Start()
			e = endpointOf(t, srv.URL)
		}
		c := NewConn(e, testCredentials, "agent/1", time.Minute)
		for i := range 5 {
			body := bytes.Repeat([]byte("x"), 10+i*20)
			var r Response
			sent, err := c.Do(t.Context(), "GetItem", body, &r)
			if err != nil || r.Status != 200 || len(r.Body) != 1000*len(body) || sent < len(body) {
				t.Errorf("%d: %v, status %d, %d bytes", i, err, r.Status, len(r.Body))
			}
		}
		if opened.Load() != 1 {
			t.Errorf("%d connections", opened.Load())
		}
		c.Close()
		srv.Close()
	}
}

func TestTrustNeedsCertificates(t *testing.T) {
	e := endpointOf(t, "https://127.0.0.1:1")
	if e.Trust([]byte("nonsense")) == nil {
		t.Error("nonsense accepted")
	}
	e = endpointOf(t, "http://127.0.0.1:1")
	if e.Trust(nil) == nil {
		t.Error("certificates for plain HTTP")
	}
}

// serveRaw answers every request of each connection with answer, then closes it.
func serveRaw(t *testing.T, answer func(connection int) string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for n := 0; ; n++ {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 64<<10)
			_, _ = nc.Read(buf)
			_, _ = io.WriteString(nc, answer(n))
			nc.Close()
		}
	}()
	return "http://" + ln.Addr().String()
}

// TestIdleClose: a connection that the server has closed between two requests is opened again, and nobody notices.
func TestIdleClose(t *testing.T) {
	url := serveRaw(t, func(int) string { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" })
	c := NewConn(endpointOf(t, url), testCredentials, "a", time.Minute)
	for range 3 {
		var r Response
		if _, err := c.Do(t.Context(), "ListTables", []byte("{}"), &r); err != nil || string(r.Body) != "{}" {
			t.Errorf("%v %q", err, r.Body)
		}
	}
}

func TestFailures(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer silent.Close()
	for _, tt := range []struct {
		url     string
		timeout time.Duration
		code    string
	}{
		{"http://" + gone.Addr().String(), time.Minute, CodeRefused},
		{serveRaw(t, func(int) string { return "" }), time.Minute, CodeConnection},
		{serveRaw(t, func(int) string { return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}" }), time.Minute, CodeConnection},
		{serveRaw(t, func(int) string { return "SSH-2.0-OpenSSH\r\n\r\n" }), time.Minute, "MalformedResponse"},
		{silent.URL, 10 * time.Millisecond, CodeTimeout},
	} {
		c := NewConn(endpointOf(t, tt.url), testCredentials, "a", tt.timeout)
		var r Response
		_, err := c.Do(t.Context(), "ListTables", []byte("{}"), &r)
		if err == nil || TransportCode(err) != tt.code {
			t.Errorf("%s: %v, code %s, want %s", tt.url, err, TransportCode(err), tt.code)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := NewConn(endpointOf(t, silent.URL), testCredentials, "a", time.Minute)
	go cancel()
	var r Response
	if _, err := c.Do(ctx, "ListTables", []byte("{}"), &r); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}
