package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/lifecycle"
)

func (s *Service) deleteTable(ctx context.Context, c *api.Call, in *ddb.DeleteTableInput) (*ddb.DeleteTableOutput, error) {
	name, err := tableName(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	var sizes map[uint16]lifecycle.Size
	if d := s.Catalog.Get(name); d != nil {
		if sizes, err = s.Lifecycle.Sizes(ctx, d); err != nil {
			return nil, err
		}
	}
	d, err := s.Lifecycle.Delete(ctx, name)
	if err != nil {
		return nil, err
	}
	td := s.describe(d, sizes)
	td.AttributeDefinitions, td.KeySchema, td.CreationDateTime = nil, nil, nil // the service's answer is as short
	return &ddb.DeleteTableOutput{TableDescription: td}, nil
}
