package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/lifecycle"
)

func (s *Service) describeLimits(context.Context, *api.Call, *ddb.DescribeLimitsInput) (*ddb.DescribeLimitsOutput, error) {
	return &ddb.DescribeLimitsOutput{
		AccountMaxReadCapacityUnits:  new(int64(lifecycle.AccountQuota)),
		AccountMaxWriteCapacityUnits: new(int64(lifecycle.AccountQuota)),
		TableMaxReadCapacityUnits:    new(int64(tableQuota)),
		TableMaxWriteCapacityUnits:   new(int64(tableQuota)),
	}, nil
}
