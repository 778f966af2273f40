package kinesis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// An Endpoint is where the streams are: what speaks the API of Kinesis Data Streams.
type Endpoint struct {
	URL       string // {region} in it stands for the region of the stream; "": there is none
	AccessKey string
	Secret    string
	Token     string            // of a session, "" without
	Transport http.RoundTripper // nil: one of its own
}

const (
	// requestTime is how long a request may take.
	requestTime = 30 * time.Second
	// maxAnswer is the most bytes of an answer that are read: that to 500 records takes some 100 KB.
	maxAnswer = 4 << 20
)

// at returns the URL for streams of a region.
func (e *Endpoint) at(region string) string { return strings.ReplaceAll(e.URL, "{region}", region) }

// A client calls an endpoint.
type client struct {
	Endpoint
	http *http.Client

	silent sync.Map // *atomic.Bool by region: it did not answer when it was asked last
}

// silence returns whether the endpoint did not answer when it was asked last, for any stream of this one's region.
func (c *client) silence(stream string) *atomic.Bool {
	region, _, _ := regionOf(stream)
	is, ok := c.silent.Load(region)
	if !ok {
		is, _ = c.silent.LoadOrStore(region, new(atomic.Bool))
	}
	return is.(*atomic.Bool)
}

// newClient returns a client, nil if there is no endpoint.
func newClient(e Endpoint) (*client, error) {
	if e.URL == "" {
		return nil, nil
	}
	u, err := url.Parse(e.at("region"))
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "") {
		err = errors.New("want something like https://kinesis.{region}.amazonaws.com")
	}
	if err != nil {
		return nil, fmt.Errorf("kinesis: endpoint %q: %w", e.URL, err)
	}
	if e.AccessKey == "" || e.Secret == "" {
		return nil, errors.New("kinesis: there are no credentials for the endpoint")
	}
	if e.Transport == nil {
		e.Transport = transport()
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a redirected request is not signed for its goal
	return &client{Endpoint: e, http: &http.Client{Transport: e.Transport, CheckRedirect: stay, Timeout: requestTime}}, nil
}

// transport returns the process's default, with as many idle connections as there are requests under way.
func transport() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the program that the server is a part of has put its own there
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = maxTurns + maxTrials
	return t
}

// A refusal is an answer of the endpoint that is no success.
type refusal struct {
	status  int
	code    string
	message string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: %s", r.code, r.message) }

// transient reports whether the same request may succeed a moment later.
func transient(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return true // nobody answered
	}
	passing := []string{tooFast, "LimitExceededException", "ThrottlingException", "KMSThrottlingException", "RequestTimeout"}
	return r.status >= 500 || r.status == http.StatusTooManyRequests || slices.Contains(passing, r.code)
}

// tooFast is the code with which a shard of a stream refuses records for now.
const tooFast = "ProvisionedThroughputExceededException"

func isThrottling(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.code == tooFast
}

// A verdict is what became of one record.
type verdict struct{ ErrorCode, ErrorMessage string } // empty: it has arrived

// putRecords puts a batch into a stream and returns what became of each record.
func (c *client) putRecords(ctx context.Context, b *batch) ([]verdict, error) {
	var out struct{ Records []verdict }
	if err := c.call(ctx, b.stream, "PutRecords", b.body(), &out); err != nil {
		return nil, err
	}
	if len(out.Records) != len(b.positions) {
		return nil, &refusal{http.StatusOK, "NoKinesis", fmt.Sprintf("the answer to %d records tells of %d", len(b.positions), len(out.Records))}
	}
	return out.Records, nil
}

// streamStatus returns the status of a stream: CREATING, ACTIVE, UPDATING, DELETING.
func (c *client) streamStatus(ctx context.Context, arn string) (string, error) {
	var out struct{ StreamDescriptionSummary struct{ StreamStatus string } }
	err := c.call(ctx, arn, "DescribeStreamSummary", append(appendStream([]byte{'{'}, arn), '}'), &out)
	return out.StreamDescriptionSummary.StreamStatus, err
}

// call signs a request about a stream, sends it and reads the answer.
func (c *client) call(ctx context.Context, stream, op string, body []byte, out any) error {
	region, _, _ := regionOf(stream)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at(region), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Amz-Target", "Kinesis_20131202."+op)
	c.sign(req, region, body)
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return refusalOf(resp.StatusCode, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return &refusal{resp.StatusCode, "NoKinesis", err.Error()}
	}
	return nil
}

func (c *client) sign(req *http.Request, region string, body []byte) {
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Date", sigv4.FormatTime(time.Now()))
	signed := []string{"content-type", "host", "x-amz-date", "x-amz-target"}
	if c.Token != "" {
		req.Header.Set("X-Amz-Security-Token", c.Token)
		signed = []string{"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
	}
	path := req.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	r := &sigv4.Request{Method: req.Method, Path: path, Body: body, Header: func(name string) string {
		if name == "host" {
			return req.URL.Host
		}
		return req.Header.Get(name)
	}}
	req.Header.Set("Authorization", sigv4.Sign(r, signed, sigv4.Credentials{AccessKey: c.AccessKey, Secret: c.Secret}, region, "kinesis"))
}

func refusalOf(status int, text []byte) error {
	var body struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(text, &body); err != nil || body.Type == "" {
		return &refusal{status, fmt.Sprintf("HTTP %d", status), strings.ToValidUTF8(string(text[:min(len(text), 200)]), "")}
	}
	return &refusal{status, body.Type[strings.IndexByte(body.Type, '#')+1:], body.Message}
}
