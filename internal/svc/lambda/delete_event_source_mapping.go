package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) deleteEventSourceMapping(ctx context.Context, c *api.Call, in *shapes.DeleteEventSourceMappingRequest) (*shapes.EventSourceMappingConfiguration, error) {
	s.change.Lock()
	defer s.change.Unlock()
	m, err := s.findMapping(ctx, c, *in.UUID)
	if err != nil {
		return nil, err
	}
	if m.Deleting {
		return nil, inUse("delete")
	}
	m.Enabled, m.Deleting = false, true
	if err := s.put(ctx, m); err != nil {
		return nil, err
	}
	return s.shape(m, ""), nil
}
