package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// A client calls the operations of a server of DynamoDB's API, this one or any other.
type client struct {
	http     http.Client
	endpoint string
	region   string
	keys     sigv4.Credentials
	token    string // of temporary credentials
}

// The prefixes of the services' targets.
const (
	dynamoDB        = "DynamoDB_20120810."
	dynamoDBStreams = "DynamoDBStreams_20120810."
)

// newClient returns a client with the region and the credentials of the environment, or any where there are none.
func newClient(endpoint, region string, getenv func(string) string) (*client, error) {
	first := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	c := &client{
		http:     http.Client{Timeout: time.Minute},
		endpoint: first(endpoint, getenv("AWS_ENDPOINT_URL_DYNAMODB"), getenv("AWS_ENDPOINT_URL"), "http://127.0.0.1:8000"),
		region:   first(region, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), "us-east-1"),
		keys:     sigv4.Credentials{AccessKey: first(getenv("AWS_ACCESS_KEY_ID"), "local"), Secret: first(getenv("AWS_SECRET_ACCESS_KEY"), "local")},
		token:    getenv("AWS_SESSION_TOKEN"),
	}
	if u, err := url.Parse(c.endpoint); err != nil || u.Host == "" {
		return nil, fmt.Errorf("--endpoint %s is no URL; %w", c.endpoint, errUsage)
	}
	return c, nil
}

// A remoteError is an error that the server answered.
type remoteError struct {
	status        int
	code, message string
}

func (e *remoteError) Error() string { return strings.TrimSuffix(e.code+": "+e.message, ": ") }

// errUnreachable is wrapped by errors of calls that got no answer.
var errUnreachable = errors.New("no answer from the server")

// passing reports whether the same call may succeed later.
func passing(err error) bool {
	e, ok := errors.AsType[*remoteError](err)
	if !ok {
		return errors.Is(err, errUnreachable)
	}
	return e.status >= 500 || strings.Contains(e.code, "Throttling") || strings.Contains(e.code, "LimitExceeded") || strings.Contains(e.code, "ThroughputExceeded")
}

// isCode reports whether err is the server's error of that code.
func isCode(err error, code string) bool {
	e, ok := errors.AsType[*remoteError](err)
	return ok && e.code == code
}

// call calls an operation, service and all, and reads its answer into out.
func (c *client) call(ctx context.Context, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpointOf(target), bytes.NewReader(body))
	if err != nil {
		return err
	}
	c.sign(req, target, body)
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	if resp.StatusCode != http.StatusOK {
		return errorOf(resp.StatusCode, text)
	}
	return json.Unmarshal(text, out)
}

// endpointOf returns where a service is. Amazon's own has a host for the streams.
func (c *client) endpointOf(target string) string {
	if strings.HasPrefix(target, dynamoDBStreams) && strings.Contains(c.endpoint, ".amazonaws.com") {
		return strings.Replace(c.endpoint, "://dynamodb.", "://streams.dynamodb.", 1)
	}
	return c.endpoint
}

func (c *client) sign(req *http.Request, target string, body []byte) {
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Date", sigv4.FormatTime(time.Now()))
	req.Header.Set("X-Amz-Target", target)
	signed := []string{"host", "x-amz-date", "x-amz-target"}
	if c.token != "" {
		req.Header.Set("X-Amz-Security-Token", c.token)
		signed = []string{"host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
	}
	path := req.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	header := func(name string) string {
		if name == "host" {
			return req.URL.Host
		}
		return req.Header.Get(name)
	}
	req.Header.Set("Authorization", sigv4.Sign(&sigv4.Request{Method: req.Method, Path: path, Body: body, Header: header}, signed, c.keys, c.region, "dynamodb"))
}

// errorOf reads an answer that is no success.
func errorOf(status int, text []byte) error {
	var body struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // or Message: names match in any case
	}
	if err := json.Unmarshal(text, &body); err != nil || body.Type == "" {
		return &remoteError{status: status, code: fmt.Sprintf("the server answers %d", status), message: strings.TrimSpace(string(text[:min(len(text), 200)]))}
	}
	return &remoteError{status, body.Type[strings.IndexByte(body.Type, '#')+1:], body.Message}
}
