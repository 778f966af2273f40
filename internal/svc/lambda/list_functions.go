package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

// maxListed is how many functions one page holds.
const maxListed = 50

func (s *Service) listFunctions(ctx context.Context, c *api.Call, in *shapes.ListFunctionsRequest) (*shapes.ListFunctionsResponse, error) {
	limit := maxListed
	if in.MaxItems != nil {
		limit = min(limit, int(*in.MaxItems))
	}
	if err := checkMarker(text(in.Marker)); err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(text(in.Marker))
	if err != nil {
		return nil, invalid("Invalid marker: %s", *in.Marker)
	}
	out := &shapes.ListFunctionsResponse{Functions: []shapes.FunctionConfiguration{}}
	last := ""
	err = s.state.each(ctx, span{"function", c.Region + "/", string(after)}, func(name string, content []byte) (bool, error) {
		if len(out.Functions) == limit {
			out.NextMarker = new(base64.RawURLEncoding.EncodeToString([]byte(last)))
			return false, nil
		}
		var f function
		if err := json.Unmarshal(content, &f); err != nil {
			return false, err
		}
		out.Functions, last = append(out.Functions, *f.configuration()), name
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
