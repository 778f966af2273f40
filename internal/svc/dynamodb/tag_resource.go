package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

func (s *Service) tagResource(ctx context.Context, c *api.Call, in *ddb.TagResourceInput) (*api.Nothing, error) {
	if len(in.Tags) == 0 {
		return nil, api.Invalid("Atleast one Tag needs to be provided as Input.")
	}
	if _, err := mergeTags(nil, in.Tags); err != nil { // what is wrong with the tags is told before what is wrong with the ARN
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
