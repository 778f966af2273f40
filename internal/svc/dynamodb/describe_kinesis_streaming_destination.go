package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

func (s *Service) describeKinesisStreamingDestination(_ context.Context, c *api.Call, in *ddb.DescribeKinesisStreamingDestinationInput) (*ddb.DescribeKinesisStreamingDestinationOutput, error) {
	d, err := s.lookUp(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	list := []ddb.KinesisDataStreamDestination{}
	for _, x := range s.Kinesis.Destinations(d) {
		list = append(list, showDestination(&x))
	}
	return &ddb.DescribeKinesisStreamingDestinationOutput{TableName: &d.Name, KinesisDataStreamDestinations: list}, nil
}

func showDestination(x *table.Destination) ddb.KinesisDataStreamDestination {
	out := ddb.KinesisDataStreamDestination{StreamArn: new(x.Stream), DestinationStatus: new(string(x.Status))}
	if x.Why != "" {
		out.DestinationStatusDescription = new(x.Why)
	}
	if x.Precision != "" {
		out.ApproximateCreationDateTimePrecision = new(x.Precision)
	}
	return out
}
