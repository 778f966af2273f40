package harness

import (
	"context"

	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/tests/consumer"
)

// A Stream is a stream of a node, for a consumer.
type Stream struct {
	*Node
	ARN   string
	Limit int64 // of records in a page
}

var _ consumer.Source = Stream{}

// Streams returns the ARNs of the streams of a table, in the order in which they were made.
func (n *Node) Streams(ctx context.Context, table string) (arns []string, err error) {
	in := &ddbstreams.ListStreamsInput{TableName: &table, Limit: new(int64(2))}
	for {
		out, err := Do[ddbstreams.ListStreamsOutput](ctx, n, in)
		if err != nil {
			return nil, err
		}
		for _, s := range out.Streams {
			arns = append(arns, *s.StreamArn)
		}
		if in.ExclusiveStartStreamArn = out.LastEvaluatedStreamArn; in.ExclusiveStartStreamArn == nil {
			return arns, nil
		}
	}
}

// Shards implements consumer.Source.
func (s Stream) Shards(ctx context.Context) (list []consumer.Shard, err error) {
	in := &ddbstreams.DescribeStreamInput{StreamArn: &s.ARN, Limit: new(int64(3))}
	for {
		out, err := Do[ddbstreams.DescribeStreamOutput](ctx, s.Node, in)
		if err != nil {
			return nil, err
		}
		for _, sh := range out.StreamDescription.Shards {
			c := consumer.Shard{ID: *sh.ShardId}
			if sh.ParentShardId != nil {
				c.Parent = *sh.ParentShardId
			}
			list = append(list, c)
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return list, nil
		}
	}
}

// Iterator implements consumer.Source.
func (s Stream) Iterator(ctx context.Context, shard, after string) (string, error) {
	in := &ddbstreams.GetShardIteratorInput{StreamArn: &s.ARN, ShardId: &shard, ShardIteratorType: new("TRIM_HORIZON")}
	if after != "" {
		in.ShardIteratorType, in.SequenceNumber = new("AFTER_SEQUENCE_NUMBER"), &after
	}
	out, err := Do[ddbstreams.GetShardIteratorOutput](ctx, s.Node, in)
	if err != nil {
		return "", err
	}
	return *out.ShardIterator, nil
}

// Records implements consumer.Source. Images are JSON.
func (s Stream) Records(ctx context.Context, iterator string) (page []consumer.Record, next string, err error) {
	out, err := Do[ddbstreams.GetRecordsOutput](ctx, s.Node, &ddbstreams.GetRecordsInput{ShardIterator: &iterator, Limit: &s.Limit})
	if err != nil {
		return nil, "", err
	}
	for i := range out.Records {
		r := out.Records[i].Dynamodb
		user := ""
		if id := out.Records[i].UserIdentity; id != nil {
			user = *id.Type + " " + *id.PrincipalId
		}
		page = append(page, consumer.Record{
			Sequence: *r.SequenceNumber, Event: *out.Records[i].EventName,
			Key: image(r.Keys), Old: image(r.OldImage), New: image(r.NewImage), Size: int(*r.SizeBytes), User: user,
		})
	}
	if out.NextShardIterator != nil {
		next = *out.NextShardIterator
	}
	return page, next, nil
}

func image(it attr.Item) string {
	if it == nil {
		return ""
	}
	return it.String()
}
