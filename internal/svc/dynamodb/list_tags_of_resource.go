package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

// listTagsOfResource answers with all tags in one page: there are never many.
func (s *Service) listTagsOfResource(_ context.Context, c *api.Call, in *ddb.ListTagsOfResourceInput) (*ddb.ListTagsOfResourceOutput, error) {
	d, err := s.taggedTable(c, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		return nil, api.Invalid("Invalid NextToken")
	}
	out := &ddb.ListTagsOfResourceOutput{Tags: []ddb.Tag{}}
	for _, key := range sortedKeys(d.Tags) {
		out.Tags = append(out.Tags, ddb.Tag{Key: new(key), Value: new(d.Tags[key])})
	}
	return out, nil
}
