package dynamodbstreams

import (
	"context"
	"errors"
	"strings"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/streams"
)

// find returns the stream that a request names. One of another region is not found here, and another account's have no policy that
// would let the caller in.
func (s *Service) find(ctx context.Context, c *api.Call, arn string) (*streams.Stream, error) {
	name, label, ok := parseARN(arn)
	switch {
	case !ok:
		return nil, errARN(arn)
	case name.Account != c.Account:
		return nil, api.AccessDenied("User: %s is not authorized to perform: dynamodb:%s on resource: %s "+
			"because no resource-based policy allows the dynamodb:%[2]s action", c.Principal.ARN, c.Op.Name, arn)
	case name.Region != c.Region:
		return nil, errNoStream(arn)
	}
	s.Reader.CatchUp(ctx)
	st, err := s.Reader.Find(name, label)
	if errors.Is(err, streams.ErrNoStream) {
		return nil, errNoStream(arn)
	}
	return st, err
}

// parseARN reads arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL.
func parseARN(arn string) (n table.Name, label string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "dynamodb" {
		return n, "", false
	}
	path := strings.Split(parts[5], "/")
	if len(path) != 4 || path[0] != "table" || path[2] != "stream" || path[1] == "" || path[3] == "" {
		return n, "", false
	}
	return table.Name{Region: parts[3], Account: parts[4], Table: path[1]}, path[3], true
}

func errARN(arn string) error { return api.Invalid("Invalid StreamArn: %s", arn) }

func errNoStream(arn string) error {
	return api.Errorf("ResourceNotFoundException", "Requested resource not found: Stream: %s not found", arn)
}
