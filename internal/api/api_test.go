package api

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/iam"
)

func TestDefine(t *testing.T) {
	boom := errors.New("boom")
	op := Define("Tag", func(_ context.Context, _ *Call, in *ddb.TagResourceInput) (*Nothing, error) {
		if in.ResourceArn == nil {
			return nil, boom
		}
		return &Nothing{}, nil
	})
	if op.Out != nil || op.In != reflect.TypeFor[ddb.TagResourceInput]() {
		t.Errorf("in %v, out %v", op.In, op.Out)
	}
	in := op.New().(*ddb.TagResourceInput)
	if out, err := op.Run(context.Background(), &Call{}, in); out != nil || err != boom {
		t.Errorf("%v, %v", out, err)
	}
	in.ResourceArn = new(string)
	if out, err := op.Run(context.Background(), &Call{}, in); out == nil || err != nil {
		t.Errorf("%v, %v", out, err)
	}
	list := Define("List", func(context.Context, *Call, *ddb.ListTablesInput) (*ddb.ListTablesOutput, error) { return nil, nil })
	if list.Out != reflect.TypeFor[ddb.ListTablesOutput]() {
		t.Errorf("out %v", list.Out)
	}
}

func TestErrors(t *testing.T) {
	more := &ddb.ThrottlingException{}
	for _, c := range []struct {
		got  *Error
		want Error
	}{
		{Errorf("ResourceNotFoundException", "no %s", "t"), Error{SpaceModel, "ResourceNotFoundException", 400, "no t", false, nil}},
		{Errorf("TransactionCanceledException", "x"), Error{SpaceModel, "TransactionCanceledException", 400, "x", true, nil}},
		{Errorf("TransactionInProgressException", "x"), Error{SpaceModel, "TransactionInProgressException", 400, "x", true, nil}},
		{Errorf("IdempotentParameterMismatchException", "x"), Error{SpaceModel, "IdempotentParameterMismatchException", 400, "x", true, nil}},
		{Invalid("x %d", 1), Error{SpaceValidate, "ValidationException", 400, "x 1", false, nil}},
		{Serialization(""), Error{SpaceService, "SerializationException", 400, "", true, nil}},
		{UnknownOperation(), Error{SpaceService, "UnknownOperationException", 400, "", false, nil}},
		{AccessDenied("x"), Error{SpaceService, "AccessDeniedException", 400, "x", true, nil}},
		{Unauthenticated("InvalidSignatureException", "x"), Error{SpaceService, "InvalidSignatureException", 400, "x", false, nil}},
		{Throttled("x").With(more), Error{SpaceAvailability, "ThrottlingException", 400, "x", false, more}},
		{Internal(), Error{SpaceModel, "InternalServerError", 500, "Internal server error", false, nil}},
		{Unavailable("x"), Error{SpaceAvailability, "ServiceUnavailable", 503, "x", false, nil}},
	} {
		if *c.got != c.want {
			t.Errorf("got %+v, want %+v", *c.got, c.want)
		}
	}
	if got := Invalid("x").Error(); got != "ValidationException: x" {
		t.Error(got)
	}
	if got := UnknownOperation().Error(); got != "UnknownOperationException" {
		t.Error(got)
	}
}

func TestInvoker(t *testing.T) {
	boom, known := errors.New("boom"), errors.New("known")
	var seen *Call
	tag := Define("TagResource", func(_ context.Context, c *Call, in *ddb.TagResourceInput) (*ddb.ListTagsOfResourceOutput, error) {
		seen = c
		switch *in.ResourceArn {
		case "boom":
			return nil, boom
		case "known":
			return nil, known
		case "own":
			return nil, Throttled("own")
		}
		return &ddb.ListTagsOfResourceOutput{NextToken: in.ResourceArn}, nil
	})
	service := &Service{Ops: []*Op{tag}, Translate: func(err error) *Error {
		if err == known {
			return Invalid("translated")
		}
		return nil
	}}
	i := NewInvoker(iam.System(), func() time.Time { return time.Unix(7, 0) }, service)
	call := func(arn string) (*ddb.ListTagsOfResourceOutput, error) {
		return Invoke[ddb.ListTagsOfResourceOutput](t.Context(), i, "mars", "TagResource", &ddb.TagResourceInput{ResourceArn: &arn, Tags: []ddb.Tag{}})
	}
	out, err := call("fine")
	if err != nil || *out.NextToken != "fine" {
		t.Errorf("%v, %v", out, err)
	}
	if seen.Account != "system" || seen.Region != "mars" || seen.Service != service || seen.Op != tag || !seen.Time.Equal(time.Unix(7, 0)) {
		t.Errorf("call: %+v", seen)
	}
	for arn, code := range map[string]string{"known": "ValidationException", "own": "ThrottlingException", "": "ValidationException"} {
		if _, err := call(arn); !HasCode(err, code) {
			t.Errorf("%q: %v, want %s", arn, err, code)
		}
	}
	if _, err := call("boom"); err != boom {
		t.Errorf("an error that the service does not know: %v", err)
	}
	if _, err := Invoke[ddb.ListTagsOfResourceOutput](t.Context(), i, "mars", "Sing", nil); !HasCode(err, "UnknownOperationException") {
		t.Errorf("an unknown operation: %v", err)
	}
	if _, err := Invoke[ddb.ListTablesOutput](t.Context(), i, "mars", "TagResource", &ddb.TagResourceInput{ResourceArn: new("x"), Tags: []ddb.Tag{}}); err == nil {
		t.Error("another type of output: no error")
	}
}
