// Package grammetest starts a database in the process of a test: in memory, in a few milliseconds, and without a port unless
// one is asked for.
//
//	srv := grammetest.New(t)
//	db := dynamodb.New(dynamodb.Options{
//		Region:       srv.Region,
//		Credentials:  credentials.NewStaticCredentialsProvider(srv.AccessKey, srv.SecretKey, ""),
//		BaseEndpoint: aws.String(srv.URL()),
//	})
//
// It imports no AWS SDK.
package grammetest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grammedb/gramme"
)

// The credentials and the region of every Server.
const (
	accessKey = "AKIAGRAMMETEST"
	secretKey = "secret-of-grammetest"
	region    = "us-east-1"
)

// Endpoint is a URL for clients that use a Server's Transport: no port is behind it.
const Endpoint = "http://gramme.invalid"

// A Server is a database for tests. It verifies signatures.
type Server struct {
	Region    string
	AccessKey string
	SecretKey string
	Transport http.RoundTripper // calls the server directly, whatever the host of a URL

	db     *gramme.DB
	offset atomic.Int64 // of the database's clock from the real one

	mu      sync.Mutex
	url     string             // once it is asked for
	stop    context.CancelFunc // of the listener
	stopped chan error
}

// New starts a server that stops with the test. Options change its configuration before it is opened.
func New(t testing.TB, options ...func(*gramme.Config)) *Server {
	t.Helper()
	logTo := func(c *gramme.Config) {
		c.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	s, err := Open(append([]func(*gramme.Config){logTo}, options...)...)
	if err != nil {
		t.Fatalf("grammetest: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("grammetest: %v", err)
		}
	})
	return s
}

// Open starts a server for where there is no test, such as TestMain. It must be closed.
func Open(options ...func(*gramme.Config)) (*Server, error) {
	s := &Server{Region: region, AccessKey: accessKey, SecretKey: secretKey}
	cfg := gramme.Config{
		Memory: true,
		Keys:   []gramme.Key{{ID: accessKey, Secret: secretKey}},
		Logger: slog.New(slog.DiscardHandler),
		Now:    s.Now,
	}
	for _, option := range options {
		option(&cfg)
	}
	db, err := gramme.Open(context.Background(), cfg)
	if err != nil {
		return nil, err
	}
	s.db, s.Transport = db, transport{db.Handler()}
	return s, nil
}

// Client returns an HTTP client that calls the server directly, whatever the host of a URL.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.Transport} }

// URL returns http://127.0.0.1:port, where any client reaches the server. The port is opened by the first call.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.url != "" {
		return s.url
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("grammetest: no port to listen on: " + err.Error()) // as net/http/httptest does
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	s.stopped = make(chan error, 1)
	go func() { s.stopped <- s.db.Run(ctx, ln) }()
	s.url = "http://" + ln.Addr().String()
	return s.url
}

// Now returns the database's time. Signatures are checked by the real time, so that clients need not know of this.
func (s *Server) Now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }

// Advance moves the database's clock forward.
func (s *Server) Advance(d time.Duration) { s.offset.Add(int64(d)) }

// Close stops the server. It must not be called while clients call the server.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.stop != nil {
		s.stop()
		err = <-s.stopped
	}
	return errors.Join(err, s.db.Close())
}
