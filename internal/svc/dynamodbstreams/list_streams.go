package dynamodbstreams

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
)

// pageSize is how many streams or shards a page holds if nothing else is asked for.
const pageSize = 100

// listStreams pages by ARN, so that streams which come and go between the pages do not move others.
func (s *Service) listStreams(ctx context.Context, c *api.Call, in *ddbstreams.ListStreamsInput) (*ddbstreams.ListStreamsOutput, error) {
	var name, after string
	if in.TableName != nil {
		name = *in.TableName
	}
	if in.ExclusiveStartStreamArn != nil {
		after = *in.ExclusiveStartStreamArn
		if _, _, ok := parseARN(after); !ok {
			return nil, errARN(after)
		}
	}
	s.Reader.CatchUp(ctx)
	limit := limitOr(in.Limit, pageSize)
	out := &ddbstreams.ListStreamsOutput{Streams: []ddbstreams.Stream{}}
	for _, st := range s.Reader.List(c.Account, c.Region, name) {
		arn := st.ARN()
		if arn <= after {
			continue
		}
		if len(out.Streams) == limit {
			out.LastEvaluatedStreamArn = out.Streams[limit-1].StreamArn
			break
		}
		out.Streams = append(out.Streams, ddbstreams.Stream{TableName: new(st.Table.Name), StreamArn: &arn, StreamLabel: new(st.Label())})
	}
	return out, nil
}

func limitOr(sent *int64, otherwise int) int {
	if sent == nil {
		return otherwise
	}
	return int(*sent)
}
