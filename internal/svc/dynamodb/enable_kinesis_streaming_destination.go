package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

func (s *Service) enableKinesisStreamingDestination(ctx context.Context, c *api.Call, in *ddb.KinesisStreamingDestinationInput) (*ddb.KinesisStreamingDestinationOutput, error) {
	name, err := tableName(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	precision := ""
	if sent := in.EnableKinesisStreamingConfiguration; sent != nil && sent.ApproximateCreationDateTimePrecision != nil {
		precision = *sent.ApproximateCreationDateTimePrecision
	}
	if _, err := s.Kinesis.Enable(ctx, name, *in.StreamArn, precision); err != nil {
		return nil, err
	}
	return changedDestination(name, in, table.Enabling), nil
}

// changedDestination is the answer to a change of a destination.
func changedDestination(name table.Name, in *ddb.KinesisStreamingDestinationInput, status table.Status) *ddb.KinesisStreamingDestinationOutput {
	return &ddb.KinesisStreamingDestinationOutput{
		TableName:                           &name.Table,
		StreamArn:                           in.StreamArn,
		DestinationStatus:                   new(string(status)),
		EnableKinesisStreamingConfiguration: in.EnableKinesisStreamingConfiguration,
	}
}
