package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

func (s *Service) disableKinesisStreamingDestination(ctx context.Context, c *api.Call, in *ddb.KinesisStreamingDestinationInput) (*ddb.KinesisStreamingDestinationOutput, error) {
	name, err := tableName(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	if _, err := s.Kinesis.Disable(ctx, name, *in.StreamArn); err != nil {
		return nil, err
	}
	return changedDestination(name, in, table.Disabling), nil
}
