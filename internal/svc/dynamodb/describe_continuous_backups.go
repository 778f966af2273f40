package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

// describeContinuousBackups tells that point-in-time recovery is off: it cannot be switched on yet.
func (s *Service) describeContinuousBackups(_ context.Context, c *api.Call, in *ddb.DescribeContinuousBackupsInput) (*ddb.DescribeContinuousBackupsOutput, error) {
	name, err := tableName(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	if s.Catalog.Get(name) == nil {
		return nil, api.Errorf("TableNotFoundException", "Table not found: %s", name.Table)
	}
	return &ddb.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: &ddb.ContinuousBackupsDescription{
		ContinuousBackupsStatus:        new("ENABLED"),
		PointInTimeRecoveryDescription: &ddb.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: new("DISABLED")},
	}}, nil
}
