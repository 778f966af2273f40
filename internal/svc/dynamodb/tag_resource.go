package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

func (s *Service) tagResource(ctx context.Context, c *api.Call, in *ddb.TagResourceInput) (*api.Nothing, error) {
	if _, err := tableOfARN(c, *in.ResourceArn); err != nil { // who may call depends on it
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, api.Invalid("Atleast one Tag needs to be provided as Input.")
	}
	if _, err := mergeTags(nil, in.Tags); err != nil { // what is wrong with the tags is told before that there is no such table
		return nil, err
	}
	d, err := s.taggedTable(c, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &api.Nothing{}, s.Lifecycle.Tag(ctx, d.FullName(), func(old map[string]string) (map[string]string, error) {
		return mergeTags(old, in.Tags)
	})
}
