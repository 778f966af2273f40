package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	httpclient "github.com/grammedb/gramme/internal/bench/client"
)

// A client calls the operations of a server of DynamoDB's API, this one or any other, one after the other.
type client struct{ table, stream *httpclient.Conn }

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
func (r *remote) streams() (httpclient.Endpoint, error) {
	if !strings.Contains(r.url, ".amazonaws.com") {
		return r.endpoint, nil
	}
	return httpclient.ParseEndpoint(strings.Replace(r.url, "://dynamodb.", "://streams.dynamodb.", 1))
}

// newClient returns a client with the region and the credentials of the environment, or any where there are none.
func newClient(endpoint, region string, getenv func(string) string) (*client, error) {
	r, err := findRemote(endpoint, region, getenv)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", err, errUsage)
	}
	r.anyone()
	streams, err := r.streams()
	if err != nil {
		return nil, err
	}
	for _, e := range []*httpclient.Endpoint{&r.endpoint, &streams} {
		if err := trustBundle(e, getenv("AWS_CA_BUNDLE")); err != nil {
			return nil, err
		}
	}
	conn := func(e httpclient.Endpoint) *httpclient.Conn {
		return httpclient.NewConn(e, r.cred, "gramme/"+release(), time.Minute)
	}
	return &client{conn(r.endpoint), conn(streams)}, nil
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
func (c *client) close() {
	c.table.Close()
	c.stream.Close()
}

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

// call calls an operation and reads its answer into out. Every call must be given the same ctx.
func (c *client) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	conn := c.table
	if strings.HasPrefix(operation, dynamoDBStreams) {
		conn = c.stream
	}
	var r httpclient.Response
	if _, err := conn.Do(ctx, operation, body, &r); err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	if r.Status != http.StatusOK {
		return errorOf(&r)
	}
	return json.Unmarshal(r.Body, out)
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
