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

// listed returns the shards that a request asks for, from the one on that its page begins with.
func listed(st *streams.Stream, in *ddbstreams.DescribeStreamInput) []streams.Shard {
	all := st.Shards()
	shards := all
	if f := in.ShardFilter; f != nil {
		shards = slices.DeleteFunc(slices.Clone(all), func(sh streams.Shard) bool { return sh.ParentID != *f.ShardId })
	}
	if in.ExclusiveStartShardId == nil {
		return shards
	}
	if !wasListed(st, all, *in.ExclusiveStartShardId) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(shards), func(sh streams.Shard) bool { return sh.ID <= *in.ExclusiveStartShardId })
}

// wasListed reports whether a shard is, or may once have been, one of the stream's: between two pages a shard may have been trimmed.
func wasListed(st *streams.Stream, all []streams.Shard, id string) bool {
	if slices.ContainsFunc(all, func(sh streams.Shard) bool { return sh.ID == id }) {
		return true
	}
	return id >= st.FirstID() && (len(all) == 0 || id < all[0].ID)
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
