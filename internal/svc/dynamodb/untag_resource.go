package dynamodb

import (
	"context"
	"maps"
	"slices"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

func (s *Service) untagResource(ctx context.Context, c *api.Call, in *ddb.UntagResourceInput) (*api.Nothing, error) {
	if len(in.TagKeys) == 0 {
		return nil, api.Invalid("Atleast one Tag Key needs to be provided as Input.")
	}
	d, err := s.taggedTable(c, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	_, err = s.Lifecycle.Set(ctx, d.FullName(), func(d *table.Definition) error {
		d.Tags = maps.Clone(d.Tags)
		maps.DeleteFunc(d.Tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
		return nil
	})
	return &api.Nothing{}, err
}
