package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) getFunctionConfiguration(ctx context.Context, c *api.Call, in *shapes.GetFunctionConfigurationRequest) (*shapes.FunctionConfiguration, error) {
	f, _, err := s.find(ctx, c, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return f.described(), nil
}
