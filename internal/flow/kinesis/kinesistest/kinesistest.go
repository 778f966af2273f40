// Package kinesistest is an endpoint of Kinesis Data Streams for tests: it verifies signatures, keeps what is put, and fails as it is
// told to. It knows the two operations that deliveries use, with the limits and the errors of the service.
package kinesistest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// The credentials that a Server knows.
const (
	AccessKey = "AKIAKINESISTEST"
	Secret    = "secret-of-kinesistest"
)

// A Record is one that was put.
type Record struct {
	Stream       string // its ARN
	PartitionKey string
	Data         []byte
}

// A Server is an endpoint. It is an http.RoundTripper too, for clients that shall do without a port.
type Server struct {
	verifier *sigv4.Verifier

	mu       sync.Mutex
	streams  map[string]string // guarded by mu; status by ARN
	records  []Record          // guarded by mu
	requests int               // guarded by mu; PutRecords
	trouble  Trouble           // guarded by mu
}

// Trouble is what a Server does instead of what it is asked for. Its functions are called one at a time.
type Trouble struct {
	// Request may refuse a PutRecords of so many records with a status and an error code; 0: it does not. A code that ends with
	// "after" is of a request that is done, but the client is not told so.
	Request func(records int) (status int, code string)
	// Record may refuse a record with an error code; "": it does not.
	Record func(r *Record) string
}

// New returns a server with active streams of these ARNs.
func New(streams ...string) *Server {
	s := &Server{streams: map[string]string{}}
	s.verifier = sigv4.NewVerifier(sigv4.Config{Secret: func(key string) (string, bool) { return Secret, key == AccessKey }})
	for _, arn := range streams {
		s.streams[arn] = "ACTIVE"
	}
	return s
}

// Listen returns the URL of a port of the server, which is closed with the test.
func (s *Server) Listen(t testing.TB) string {
	l := httptest.NewServer(s)
	t.Cleanup(l.Close)
	return l.URL
}

// RoundTrip implements http.RoundTripper.
func (s *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	return rec.Result(), nil
}

// Set makes a stream with a status; "" removes it.
func (s *Server) Set(stream, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status == "" {
		delete(s.streams, stream)
		return
	}
	s.streams[stream] = status
}

// Cause makes trouble from now on, and ends other trouble.
func (s *Server) Cause(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = t
}

// Records returns the records that were put into all streams, in order.
func (s *Server) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Record(nil), s.records...)
}

// Requests returns how many PutRecords there were.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Wait waits until n records were put and returns all that were.
func (s *Server) Wait(t testing.TB, n int) []Record {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if list := s.Records(); len(list) >= n {
			return list
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d records were put, not %d", len(s.Records()), n)
		}
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	status, out := s.answer(req, body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out)
}

type fault struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func refuse(status int, code string) (int, any) { return status, fault{code, "as the test wants it"} }

func (s *Server) answer(req *http.Request, body []byte) (int, any) {
	path := req.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	_, err := s.verifier.Verify(&sigv4.Request{Method: req.Method, Path: path, RawQuery: req.URL.RawQuery, Body: body, Header: func(name string) string {
		if name == "host" && req.Host != "" {
			return req.Host
		} else if name == "host" {
			return req.URL.Host
		}
		return req.Header.Get(name)
	}}, time.Now(), "kinesis")
	if err != nil {
		return 400, fault{"InvalidSignatureException", err.Error()}
	}
	if req.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		return refuse(400, "SerializationException")
	}
	var in struct {
		StreamName, StreamARN string
		Records               []struct {
			Data         []byte
			PartitionKey string
		}
	}
	if err := json.Unmarshal(body, &in); err != nil || !strings.HasSuffix(in.StreamARN, "/"+in.StreamName) {
		return refuse(400, "SerializationException")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.streams[in.StreamARN]
	if status == "" {
		return refuse(400, "com.amazonaws.kinesis#ResourceNotFoundException")
	}
	switch req.Header.Get("X-Amz-Target") {
	case "Kinesis_20131202.DescribeStreamSummary":
		return 200, map[string]any{"StreamDescriptionSummary": map[string]any{"StreamName": in.StreamName, "StreamARN": in.StreamARN, "StreamStatus": status}}
	case "Kinesis_20131202.PutRecords":
		records, size := make([]Record, len(in.Records)), 0
		for i, r := range in.Records {
			records[i] = Record{in.StreamARN, r.PartitionKey, r.Data}
			if n := len(r.Data) + len(r.PartitionKey); n > 1<<20 || r.PartitionKey == "" {
				return refuse(400, "ValidationException")
			} else if size += n; size > 5<<20 {
				return refuse(400, "InvalidArgumentException")
			}
		}
		return s.put(records)
	}
	return refuse(400, "UnknownOperationException")
}

type result struct {
	SequenceNumber string `json:",omitempty"`
	ShardId        string `json:",omitempty"`
	ErrorCode      string `json:",omitempty"`
	ErrorMessage   string `json:",omitempty"`
}

// put answers PutRecords. REQUIRES: s.mu.
func (s *Server) put(records []Record) (int, any) {
	s.requests++
	if len(records) == 0 || len(records) > 500 {
		return refuse(400, "ValidationException")
	}
	status, code := 0, ""
	if s.trouble.Request != nil {
		status, code = s.trouble.Request(len(records))
	}
	if status != 0 && !strings.HasSuffix(code, "after") {
		return refuse(status, code)
	}
	results, failed := make([]result, len(records)), 0
	for i := range records {
		if s.trouble.Record != nil {
			results[i].ErrorCode = s.trouble.Record(&records[i])
		}
		if results[i].ErrorCode != "" {
			results[i].ErrorMessage = "as the test wants it"
			failed++
			continue
		}
		s.records = append(s.records, records[i])
		results[i].SequenceNumber, results[i].ShardId = fmt.Sprint(len(s.records)), "shardId-000000000000"
	}
	if status != 0 {
		return refuse(status, code)
	}
	return 200, map[string]any{"FailedRecordCount": failed, "Records": results}
}
