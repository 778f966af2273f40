package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) deleteFunction(ctx context.Context, c *api.Call, in *shapes.DeleteFunctionRequest) (*shapes.DeleteFunctionResponse, error) {
	s.change.Lock()
	defer s.change.Unlock()
	f, r, err := s.find(ctx, c, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if r.qualifier == latest {
		return nil, invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	if _, err := s.state.remove(ctx, r.id()); err != nil {
		return nil, err
	}
	s.forget(ctx, &f.Code)
	s.host.runner.Retire(f.arn())
	return &shapes.DeleteFunctionResponse{StatusCode: new(int64(204))}, nil
}
