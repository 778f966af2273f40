package lambda

import (
	"context"
	"encoding/json"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

// maxMappings is how many mappings one page holds.
const maxMappings = 100

func (s *Service) listEventSourceMappings(ctx context.Context, c *api.Call, in *shapes.ListEventSourceMappingsRequest) (*shapes.ListEventSourceMappingsResponse, error) {
	limit := maxMappings
	if in.MaxItems != nil {
		limit = min(limit, int(*in.MaxItems))
	}
	if err := checkMarker(text(in.Marker)); err != nil {
		return nil, err
	}
	function := ""
	if in.FunctionName != nil {
		r, err := refer(c, *in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		function = r.name
	}
	out := &shapes.ListEventSourceMappingsResponse{EventSourceMappings: []shapes.EventSourceMappingConfiguration{}}
	last := ""
	err := s.state.each(ctx, span{"mapping", c.Region + "/", text(in.Marker)}, func(uuid string, content []byte) (bool, error) {
		var m mapping
		if err := json.Unmarshal(content, &m); err != nil {
			return false, err
		}
		if function != "" && m.Function != function || in.EventSourceArn != nil && m.Stream != *in.EventSourceArn {
			return true, nil
		}
		if len(out.EventSourceMappings) == limit {
			out.NextMarker = &last
			return false, nil
		}
		out.EventSourceMappings, last = append(out.EventSourceMappings, *s.shape(&m, "")), uuid
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
