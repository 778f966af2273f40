package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	httpclient "github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// A client calls the operations of a server of DynamoDB's API, this one or any other. It goes through the proxies that the environment
// names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), as the SDKs do.
type client struct {
	table, stream string // URLs
	cred          httpclient.Credentials
	http          *http.Client
}

// dynamoDBStreams is the prefix of the operations on streams; those on tables have none.
const dynamoDBStreams = "DynamoDBStreams_20120810."

// A remote is a server to call, as the flags and the environment have it.
type remote struct {
	url      string
	endpoint httpclient.Endpoint
	cred     httpclient.Credentials
}

// findRemote completes what the flags say from the environment.
func findRemote(url, region string, getenv func(string) string) (r remote, err error) {
	r.cred = httpclient.Credentials{
		AccessKey: getenv("AWS_ACCESS_KEY_ID"), Secret: getenv("AWS_SECRET_ACCESS_KEY"), Token: getenv("AWS_SESSION_TOKEN"),
		Region: cmp.Or(region, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), "us-east-1"),
	}
	r.url = cmp.Or(url, getenv("AWS_ENDPOINT_URL_DYNAMODB"), getenv("AWS_ENDPOINT_URL"), "http://127.0.0.1:8000")
	if r.url == "aws" {
		r.url = "https://dynamodb." + r.cred.Region + ".amazonaws.com"
	}
	if r.endpoint, err = httpclient.ParseEndpoint(r.url); err != nil {
		return r, fmt.Errorf("--endpoint %w", err)
	}
	return r, nil
}

// anyone takes the place of missing credentials: a local server without keys takes any.
func (r *remote) anyone() {
	if r.cred.AccessKey == "" || r.cred.Secret == "" {
		r.cred.AccessKey, r.cred.Secret = "local", "local"
	}
}

// streams returns where the streams of the server's tables are. Amazon has another host for them.
func (r *remote) streams() string {
	if !strings.Contains(r.url, ".amazonaws.com") {
		return r.url
	}
	return strings.Replace(r.url, "://dynamodb.", "://streams.dynamodb.", 1)
}

// newClient returns a client with the region and the credentials of the environment, or any where there are none.
func newClient(endpoint, region string, getenv func(string) string) (*client, error) {
	r, err := findRemote(endpoint, region, getenv)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", err, errUsage)
	}
	r.anyone()
	if err := trustBundle(&r.endpoint, getenv("AWS_CA_BUNDLE")); err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: time.Minute}
	if r.endpoint.TLS != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: r.endpoint.TLS.RootCAs}
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a request is not signed for another goal
	return &client{r.url, r.streams(), r.cred, &http.Client{Transport: transport, CheckRedirect: stay, Timeout: time.Minute}}, nil
}

// trustBundle lets an https endpoint show the certificates of a file too, as the SDKs do.
func trustBundle(e *httpclient.Endpoint, file string) error {
	if file == "" || e.TLS == nil {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err == nil {
		err = e.Trust(pem)
	}
	if err != nil {
		return fmt.Errorf("AWS_CA_BUNDLE %s: %w", file, err)
	}
	return nil
}

// close ends the connections.
func (c *client) close() { c.http.CloseIdleConnections() }

// A remoteError is an error that the server answered.
type remoteError struct {
	code, message string
	passing       bool
}

func (e *remoteError) Error() string { return strings.TrimSuffix(e.code+": "+e.message, ": ") }

// errUnreachable is wrapped by errors of calls that got no answer.
var errUnreachable = errors.New("no answer from the server")

// passing reports whether the same call may succeed later.
func passing(err error) bool {
	if e, ok := errors.AsType[*remoteError](err); ok {
		return e.passing
	}
	return errors.Is(err, errUnreachable)
}

// isCode reports whether err is the server's error of that code.
func isCode(err error, code string) bool {
	e, ok := errors.AsType[*remoteError](err)
	return ok && e.code == code
}

// call calls an operation and reads its answer into out.
func (c *client) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := c.request(ctx, operation, body)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer resp.Body.Close()
	r := httpclient.Response{Status: resp.StatusCode}
	if r.Body, err = io.ReadAll(resp.Body); err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	if r.Status != http.StatusOK {
		return errorOf(&r)
	}
	return json.Unmarshal(r.Body, out)
}

// request makes the signed request of an operation.
func (c *client) request(ctx context.Context, operation string, body []byte) (*http.Request, error) {
	url, target := c.table, "DynamoDB_20120810."+operation
	if strings.HasPrefix(operation, dynamoDBStreams) {
		url, target = c.stream, operation
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	signed := []string{"content-type", "host", "x-amz-date", "x-amz-target"}
	req.URL.Path = "/"
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("User-Agent", "gramme/"+release())
	req.Header.Set("X-Amz-Date", sigv4.FormatTime(time.Now()))
	req.Header.Set("X-Amz-Target", target)
	if c.cred.Token != "" {
		req.Header.Set("X-Amz-Security-Token", c.cred.Token)
		signed = []string{"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
	}
	s := &sigv4.Request{Method: req.Method, Path: "/", Body: body, Header: func(name string) string {
		if name == "host" {
			return req.URL.Host
		}
		return req.Header.Get(name)
	}}
	key := sigv4.Credentials{AccessKey: c.cred.AccessKey, Secret: c.cred.Secret}
	req.Header.Set("Authorization", sigv4.Sign(s, signed, key, c.cred.Region, "dynamodb"))
	return req, nil
}

// errorOf reads an answer that is no success.
func errorOf(r *httpclient.Response) error {
	e := &remoteError{code: httpclient.ErrorCode(r.Body), passing: r.Retryable()}
	if e.code == "" {
		e.code = fmt.Sprintf("the server answers %d", r.Status)
		e.message = strings.TrimSpace(string(r.Body[:min(len(r.Body), 200)]))
		return e
	}
	var body struct {
		Message string `json:"message"` // or Message: names match in any case
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return fmt.Errorf("%s: %w", e.code, err)
	}
	e.message = body.Message
	return e
}
