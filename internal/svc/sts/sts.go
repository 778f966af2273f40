// Package sts is as much of the Security Token Service as clients use to find out who they are.
package sts

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
)

// New returns the service as the front serves it.
func New() *api.Service {
	return &api.Service{
		Name:         "sts",
		SigningName:  "sts",
		Protocol:     api.Query,
		XMLNamespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Ops:          []*api.Op{api.Define("GetCallerIdentity", getCallerIdentity)},
	}
}

// GetCallerIdentityInput has no members.
type GetCallerIdentityInput struct{}

// GetCallerIdentityOutput says who calls.
type GetCallerIdentityOutput struct {
	Arn     *string
	UserId  *string
	Account *string
}

// getCallerIdentity needs no permission.
func getCallerIdentity(_ context.Context, c *api.Call, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	return &GetCallerIdentityOutput{Arn: &c.Principal.ARN, UserId: &c.Principal.UserID, Account: &c.Principal.Account}, nil
}
