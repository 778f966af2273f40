package conformance

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// streamed gives the table a stream.
func streamed(view types.StreamViewType) trait {
	return func(in *dynamodb.CreateTableInput) {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view}
	}
}

// streamClient returns a client of DynamoDB Streams.
func streamClient() *dynamodbstreams.Client {
	return dynamodbstreams.NewFromConfig(cfg, func(o *dynamodbstreams.Options) {
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
	})
}

// A reader follows a stream: shards after their parents, each until it ends.
type reader struct {
	testing.TB
	client *dynamodbstreams.Client
	arn    string
	shards map[string]*shardReader
	all    []streamtypes.Record
}

type shardReader struct {
	parent, iterator string
	last             *big.Int // sequence number
	ended            bool
}

// readStream begins to read the latest stream of a table at its beginning.
func readStream(t testing.TB, table string) *reader {
	t.Helper()
	arn := describe(t, table).LatestStreamArn
	if arn == nil {
		t.Fatalf("%s has no stream", table)
	}
	return &reader{t, streamClient(), *arn, map[string]*shardReader{}, nil}
}

func (r *reader) describe() *streamtypes.StreamDescription {
	r.Helper()
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &r.arn}
	var all []streamtypes.Shard
	for {
		out, err := r.client.DescribeStream(r.Context(), in)
		if err != nil {
			r.Fatalf("DescribeStream: %v", err)
		}
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			out.StreamDescription.Shards = all
			return out.StreamDescription
		}
	}
}

// step reads one page of every shard whose parent has been read.
func (r *reader) step() {
	r.Helper()
	for _, s := range r.describe().Shards {
		if r.shards[*s.ShardId] == nil {
			r.shards[*s.ShardId] = &shardReader{parent: aws.ToString(s.ParentShardId), last: new(big.Int)}
		}
	}
	for id, s := range r.shards {
		if parent := r.shards[s.parent]; s.ended || parent != nil && !parent.ended {
			continue
		}
		if s.iterator == "" {
			s.iterator = r.iterator(&dynamodbstreams.GetShardIteratorInput{ShardId: &id, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
		}
		page, next := r.page(s.iterator)
		for _, rec := range page {
			n, ok := new(big.Int).SetString(*rec.Dynamodb.SequenceNumber, 10)
			if !ok || n.Cmp(s.last) <= 0 {
				r.Fatalf("in shard %s %s comes after %v", id, *rec.Dynamodb.SequenceNumber, s.last)
			}
			s.last = n
		}
		r.all = append(r.all, page...)
		s.iterator, s.ended = next, next == ""
	}
}

// records reads until there are n records, and returns them.
func (r *reader) records(n int) []streamtypes.Record {
	r.Helper()
	eventually(r, func() (bool, string) {
		r.step()
		return len(r.all) >= n, fmt.Sprintf("%d records, want %d", len(r.all), n)
	})
	if len(r.all) > n {
		r.Fatalf("%d records, want %d", len(r.all), n)
	}
	return r.all
}

func (r *reader) iterator(in *dynamodbstreams.GetShardIteratorInput) string {
	r.Helper()
	in.StreamArn = &r.arn
	out, err := r.client.GetShardIterator(r.Context(), in)
	if err != nil {
		r.Fatalf("GetShardIterator: %v", err)
	}
	return *out.ShardIterator
}

// page reads a page; next is "" at the end of a shard.
func (r *reader) page(iterator string) (page []streamtypes.Record, next string) {
	r.Helper()
	out, err := r.client.GetRecords(r.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator})
	if err != nil {
		r.Fatalf("GetRecords: %v", err)
	}
	return out.Records, aws.ToString(out.NextShardIterator)
}

// told prints what a record tells of an item with the attribute v: its event and the values of v before and after.
func told(t testing.TB, rec streamtypes.Record) string {
	t.Helper()
	text := fmt.Sprintf("%s %s", rec.EventName, image(t, rec.Dynamodb.Keys, "pk"))
	if rec.Dynamodb.OldImage != nil {
		text += " from " + image(t, rec.Dynamodb.OldImage, "v")
	}
	if rec.Dynamodb.NewImage != nil {
		text += " to " + image(t, rec.Dynamodb.NewImage, "v")
	}
	return text
}

func image(t testing.TB, it map[string]streamtypes.AttributeValue, name string) string {
	t.Helper()
	converted, err := attributevalue.FromDynamoDBStreamsMap(it)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := converted[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return "none"
}

// allTold prints records, those of each item in their order.
func allTold(t testing.TB, list []streamtypes.Record) (lines []string) {
	t.Helper()
	for _, rec := range list {
		lines = append(lines, told(t, rec))
	}
	return lines
}

// byItem orders records by their items; those of one item stay in their order.
func byItem(t testing.TB, list []streamtypes.Record) []streamtypes.Record {
	t.Helper()
	return slices.SortedStableFunc(slices.Values(list), func(a, b streamtypes.Record) int {
		return cmp.Compare(image(t, a.Dynamodb.Keys, "pk"), image(t, b.Dynamodb.Keys, "pk"))
	})
}

func setStream(t testing.TB, table string, view types.StreamViewType) (*dynamodb.UpdateTableOutput, error) {
	t.Helper()
	return db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, StreamSpecification: &types.StreamSpecification{
		StreamEnabled: aws.Bool(view != ""), StreamViewType: view,
	}})
}

// setV sets the attribute v of an item, and removes the item if there is no value.
func setV(t testing.TB, table, pk, v string) {
	t.Helper()
	if v != "" {
		put(t, table, item{"pk": str(pk), "v": str(v)})
		return
	}
	if _, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key(pk)}); err != nil {
		t.Fatal(err)
	}
}

// waitStream waits until a stream has a status.
func (r *reader) waitStatus(want streamtypes.StreamStatus) {
	r.Helper()
	eventually(r, func() (bool, string) {
		s := r.describe().StreamStatus
		return s == want, "the stream is " + string(s)
	})
}

// slack is how old the service may say that a record is, compared with the clock here.
const slack = 5 * time.Minute
