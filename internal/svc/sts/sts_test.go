package sts

import (
	"testing"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/iam"
)

func TestGetCallerIdentity(t *testing.T) {
	s := New()
	if len(s.Ops) != 1 || s.Ops[0].Name != "GetCallerIdentity" {
		t.Fatalf("operations: %v", s.Ops)
	}
	op := s.Ops[0]
	got, err := op.Run(t.Context(), &api.Call{Principal: iam.User("AKID")}, op.New())
	if err != nil {
		t.Fatal(err)
	}
	out := got.(*GetCallerIdentityOutput)
	if *out.Arn != "arn:aws:iam::000000000000:user/AKID" || *out.UserId != "AKID" || *out.Account != "000000000000" {
		t.Errorf("%s %s %s", *out.Arn, *out.UserId, *out.Account)
	}
}
