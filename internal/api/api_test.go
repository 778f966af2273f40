package api

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/grammedb/gramme/internal/api/ddb"
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
