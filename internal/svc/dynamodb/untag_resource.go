package dynamodb

import (
	"context"
	"maps"
	"slices"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

func (s *Service) untagResource(ctx context.Context, c *api.Call, in *ddb.UntagResourceInput) (*api.Nothing, error) {
	if _, err := tableOfARN(c, *in.ResourceArn); err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, api.Invalid("Atleast one Tag Key needs to be provided as Input.")
	}
	d, err := s.taggedTable(c, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &api.Nothing{}, s.Lifecycle.Tag(ctx, d.FullName(), func(old map[string]string) (map[string]string, error) {
		tags := maps.Clone(old)
		maps.DeleteFunc(tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
		return tags, nil
	})
}
