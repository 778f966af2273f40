package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
	"github.com/grammedb/gramme/internal/lib/lambdarun"
)

// The ways to invoke a function.
const (
	synchronous  = "RequestResponse"
	asynchronous = "Event"
	dryRun       = "DryRun"
)

// maxEvent is the size of the largest payload of an asynchronous invocation.
const maxEvent = 1 << 20

func (s *Service) invoke(ctx context.Context, c *api.Call, in *shapes.InvocationRequest) (*shapes.InvocationResponse, error) {
	kind := synchronous
	if in.InvocationType != nil {
		kind = *in.InvocationType
	}
	f, _, err := s.find(ctx, c, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	req, err := request(c.RequestID, in, kind)
	if err != nil {
		return nil, err
	}
	switch kind {
	case dryRun:
		return &shapes.InvocationResponse{StatusCode: new(int64(204))}, nil
	case asynchronous:
		if err := s.events.add(ctx, f.reference(), req); err != nil {
			return nil, err
		}
		return &shapes.InvocationResponse{StatusCode: new(int64(202))}, nil
	}
	res, err := s.run(ctx, f.reference(), req)
	if err != nil {
		return nil, err
	}
	out := &shapes.InvocationResponse{StatusCode: new(int64(200)), ExecutedVersion: new(latest), Payload: res.Payload}
	if res.Failure != "" {
		out.FunctionError = &res.Failure
	}
	if text(in.LogType) == "Tail" {
		out.LogResult = new(base64.StdEncoding.EncodeToString(res.Log))
	}
	return out, nil
}

// request makes the invocation that a client asks for.
func request(id string, in *shapes.InvocationRequest, kind string) (lambdarun.Request, error) {
	req := lambdarun.Request{ID: id, Payload: in.Payload}
	switch {
	case in.DurableExecutionName != nil:
		return req, notBuilt("DurableExecutionName")
	case in.TenantId != nil:
		return req, notBuilt("TenantId")
	case kind == asynchronous && len(in.Payload) > maxEvent:
		return req, tooLarge("%d byte payload is too large for the Event invocation type (limit %d bytes)", len(in.Payload), maxEvent)
	case len(in.Payload) > lambdarun.MaxPayload:
		return req, tooLarge("Request must be smaller than %d bytes for the InvokeFunction operation", lambdarun.MaxPayload)
	case len(in.Payload) == 0:
		req.Payload = []byte("{}")
	case !json.Valid(in.Payload):
		return req, fail("InvalidRequestContentException", 400, "Could not parse request body into json: %v", json.Unmarshal(in.Payload, new(any)))
	}
	if in.ClientContext != nil {
		var err error
		if req.ClientContext, err = clientContext(*in.ClientContext); err != nil {
			return req, fail("InvalidRequestContentException", 400, "Client context must be a valid Base64-encoded JSON object.")
		}
	}
	return req, nil
}

// clientContext returns a client context as functions get it: in a header, so it is one line of ASCII.
func clientContext(sent string) (string, error) {
	plain, err := base64.StdEncoding.DecodeString(sent)
	if err != nil {
		return "", err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(plain, &object); err != nil || object == nil {
		return "", errors.New("lambda: the client context is no object")
	}
	var line bytes.Buffer
	if err := json.Compact(&line, plain); err != nil {
		return "", err
	}
	var ascii strings.Builder
	for _, r := range line.String() {
		if r < utf8.RuneSelf {
			ascii.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&ascii, `\u%04x`, unit)
		}
	}
	return ascii.String(), nil
}

// run runs an invocation of a function as it is now. It fails, with an *api.Error, if the function was not asked.
func (s *Service) run(ctx context.Context, r reference, req lambdarun.Request) (lambdarun.Result, error) {
	for {
		f, err := s.load(ctx, r)
		if err != nil {
			return lambdarun.Result{}, err
		}
		res, err := s.host.invoke(ctx, f, req)
		switch {
		case err == nil:
			return res, nil
		case errors.Is(err, errNoCode):
			continue // it has other code by now, or is no more
		case errors.Is(err, lambdarun.ErrBusy):
			err = busy()
		case errors.Is(err, lambdarun.ErrClosed):
			err = api.Unavailable("The server is shutting down.")
		}
		return res, err
	}
}
