package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

func (s *Service) describeTimeToLive(_ context.Context, c *api.Call, in *ddb.DescribeTimeToLiveInput) (*ddb.DescribeTimeToLiveOutput, error) {
	d, err := s.lookUp(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	if d.Status == table.Creating || d.Status == table.Deleting {
		return nil, api.Invalid("Cannot describe time to live while table is in %[1]s state: Current table state is %[1]s", d.Status)
	}
	out := &ddb.TimeToLiveDescription{TimeToLiveStatus: new(string(d.TTL.Shown()))}
	if d.TTL.Shown() != table.Disabled {
		out.AttributeName = new(d.TTL.Attribute)
	}
	return &ddb.DescribeTimeToLiveOutput{TimeToLiveDescription: out}, nil
}
