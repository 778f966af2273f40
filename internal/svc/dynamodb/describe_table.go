package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

func (s *Service) describeTable(ctx context.Context, c *api.Call, in *ddb.DescribeTableInput) (*ddb.DescribeTableOutput, error) {
	d, err := s.lookUp(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	sizes, err := s.Lifecycle.Sizes(ctx, d)
	if err != nil {
		return nil, err
	}
	return &ddb.DescribeTableOutput{Table: s.describe(d, sizes)}, nil
}
