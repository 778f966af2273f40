package dynamodb

import (
	"context"
	"errors"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/kinesis"
)

func (s *Service) updateKinesisStreamingDestination(ctx context.Context, c *api.Call, in *ddb.UpdateKinesisStreamingDestinationInput) (*ddb.UpdateKinesisStreamingDestinationOutput, error) {
	d, err := s.lookUp(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	sent := in.UpdateKinesisStreamingConfiguration
	if sent == nil || sent.ApproximateCreationDateTimePrecision == nil {
		return nil, api.Invalid("Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot be null or contain only null values")
	}
	precision := *sent.ApproximateCreationDateTimePrecision
	_, err = s.Kinesis.Update(ctx, d.FullName(), *in.StreamArn, precision)
	switch {
	case errors.Is(err, kinesis.ErrNoDestination):
		return nil, api.Invalid(enableState+"No streaming destination with streamArn: %s found for table with tableName: %s", *in.StreamArn, d.Name)
	case errors.Is(err, kinesis.ErrNotActive):
		return nil, api.Invalid(enableState + "KinesisStreamingDestination must be ACTIVE to perform UPDATE operation.")
	case errors.Is(err, kinesis.ErrSamePrecision):
		return nil, api.Invalid("Invalid Request: Precision is already set to the desired value of %s for tableId: %s, kdsArn: %s", precision, d.ID, *in.StreamArn)
	case err != nil:
		return nil, err
	}
	return &ddb.UpdateKinesisStreamingDestinationOutput{
		TableName:                           &d.Name,
		StreamArn:                           in.StreamArn,
		DestinationStatus:                   new(string(table.Updating)),
		UpdateKinesisStreamingConfiguration: sent,
	}, nil
}
