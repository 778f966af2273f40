package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) getFunction(ctx context.Context, c *api.Call, in *shapes.GetFunctionRequest) (*shapes.GetFunctionResponse, error) {
	f, _, err := s.find(ctx, c, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	where := &shapes.FunctionCodeLocation{RepositoryType: new("S3")}
	if f.Code.URL != "" {
		where = &shapes.FunctionCodeLocation{RepositoryType: new("ECR"), ImageUri: &f.Code.URL, ResolvedImageUri: &f.Code.URL}
	}
	return &shapes.GetFunctionResponse{Configuration: f.described(), Code: where, Tags: f.Tags}, nil
}
