package dynamodbstreams

import (
	"context"
	"slices"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/streams"
)

func (s *Service) describeStream(ctx context.Context, c *api.Call, in *ddbstreams.DescribeStreamInput) (*ddbstreams.DescribeStreamOutput, error) {
	if f := in.ShardFilter; f != nil && (f.Type == nil || f.ShardId == nil) {
		return nil, api.Invalid("ShardFilter needs both Type and ShardId")
	}
	st, err := s.find(ctx, c, *in.StreamArn)
	if err != nil {
		return nil, err
	}
	desc := &ddbstreams.StreamDescription{
		TableName:               new(st.Table.Name),
		StreamArn:               in.StreamArn,
		StreamLabel:             new(st.Label()),
		StreamStatus:            new(string(st.Status)),
		StreamViewType:          new(st.View),
		CreationRequestDateTime: new(st.Created),
		KeySchema:               keySchema(&st.Table.Schema),
		Shards:                  []ddbstreams.Shard{},
	}
	limit := limitOr(in.Limit, pageSize)
	for _, sh := range listed(st, in) {
		if len(desc.Shards) == limit {
			desc.LastEvaluatedShardId = desc.Shards[limit-1].ShardId
			break
		}
		shown, err := s.describeShard(ctx, &sh)
		if err != nil {
			return nil, err
		}
		desc.Shards = append(desc.Shards, shown)
	}
	return &ddbstreams.DescribeStreamOutput{StreamDescription: desc}, nil
}

// listed returns the shards that a request asks for, from the one on that its page begins with. That one may have been dropped since it
// was the last of a page, whatever is left before and behind it; an ID that no shard of the stream can ever have had has nothing behind it.
func listed(st *streams.Stream, in *ddbstreams.DescribeStreamInput) []streams.Shard {
	start := in.ExclusiveStartShardId
	if start != nil && *start < st.FirstID() {
		return nil
	}
	return slices.DeleteFunc(st.Shards(), func(sh streams.Shard) bool {
		return start != nil && sh.ID <= *start || in.ShardFilter != nil && sh.ParentID != *in.ShardFilter.ShardId
	})
}

func (s *Service) describeShard(ctx context.Context, sh *streams.Shard) (ddbstreams.Shard, error) {
	out := ddbstreams.Shard{
		ShardId:             new(sh.ID),
		SequenceNumberRange: &ddbstreams.SequenceNumberRange{StartingSequenceNumber: new(sh.First().String())},
	}
	if sh.ParentID != "" {
		out.ParentShardId = new(sh.ParentID)
	}
	if sh.Open() {
		return out, nil
	}
	last, err := s.Reader.Last(ctx, sh)
	out.SequenceNumberRange.EndingSequenceNumber = new(last.String())
	return out, err
}

func keySchema(s *table.Schema) []ddbstreams.KeySchemaElement {
	var list []ddbstreams.KeySchemaElement
	for _, a := range s.Partition {
		list = append(list, ddbstreams.KeySchemaElement{AttributeName: new(a.Name), KeyType: new("HASH")})
	}
	for _, a := range s.Sort {
		list = append(list, ddbstreams.KeySchemaElement{AttributeName: new(a.Name), KeyType: new("RANGE")})
	}
	return list
}
