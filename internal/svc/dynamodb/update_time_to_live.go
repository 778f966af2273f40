package dynamodb

import (
	"context"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

// ttlPause is how long a table's time to live cannot be changed again.
const ttlPause = time.Hour

func (s *Service) updateTimeToLive(ctx context.Context, c *api.Call, in *ddb.UpdateTimeToLiveInput) (*ddb.UpdateTimeToLiveOutput, error) {
	name, err := tableName(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	err = s.Lifecycle.SetTTL(ctx, name, func(ttl *table.TTL) error {
		return changeTTL(ttl, in.TimeToLiveSpecification, now)
	})
	if err != nil {
		return nil, err
	}
	return &ddb.UpdateTimeToLiveOutput{TimeToLiveSpecification: in.TimeToLiveSpecification}, nil
}

func changeTTL(ttl *table.TTL, sent *ddb.TimeToLiveSpecification, now time.Time) error {
	enable, attribute := *sent.Enabled, *sent.AttributeName
	switch {
	case ttl.Enabled && attribute != ttl.Attribute:
		return api.Invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", ttl.Attribute)
	case enable && ttl.Enabled:
		return api.Invalid("TimeToLive is already enabled")
	case !enable && !ttl.Enabled:
		return api.Invalid("TimeToLive is already disabled")
	case ttl.Status == table.Disabling, now.Before(ttl.Changed.Add(ttlPause)):
		return api.Invalid("Time to live has been modified multiple times within a fixed interval")
	}
	ttl.Enabled, ttl.Attribute, ttl.Changed = enable, attribute, now
	return nil
}
