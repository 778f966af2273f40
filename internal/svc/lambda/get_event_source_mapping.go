package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) getEventSourceMapping(ctx context.Context, c *api.Call, in *shapes.GetEventSourceMappingRequest) (*shapes.EventSourceMappingConfiguration, error) {
	m, err := s.findMapping(ctx, c, *in.UUID)
	if err != nil {
		return nil, err
	}
	return s.shape(m, ""), nil
}
