package dynamodbstreams_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/tests/harness"
)

// benchNode starts a node with an on-demand table that has a stream of both images: four shards.
func benchNode(b *testing.B, c harness.Config) (*harness.Node, string) {
	b.Helper()
	n, err := harness.Start(c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := n.Close(); err != nil {
			b.Error(err)
		}
	})
	out, err := harness.Do[ddb.CreateTableOutput](b.Context(), n, &ddb.CreateTableInput{
		TableName: new("Music"), BillingMode: new("PAY_PER_REQUEST"),
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: new("pk"), KeyType: new("HASH")}},
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: new("pk"), AttributeType: new("S")}},
		StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: new(true), StreamViewType: new("NEW_AND_OLD_IMAGES")},
	})
	if err != nil {
		b.Fatal(err)
	}
	return n, *out.TableDescription.LatestStreamArn
}

// benchItem is an item of about 400 bytes, as DynamoDB counts them.
func benchItem(b *testing.B, pk string, n int) attr.Item {
	text := fmt.Sprintf(`{"pk":{"S":"%s"},"n":{"N":"%d"},"text":{"S":"%0320d"},"tags":{"SS":["one","two"]},"doc":{"M":{"a":{"N":"1"},"b":{"S":"deep"}}}}`, pk, n, n)
	it, err := attr.ParseItem(text)
	if err != nil {
		b.Fatal(err)
	}
	return it
}

func benchPut(b *testing.B, n *harness.Node, it attr.Item) {
	if _, err := n.Call(context.Background(), &ddb.PutItemInput{TableName: new("Music"), Item: attr.Sent(it)}); err != nil {
		b.Error(err)
	}
}

// iterators returns an iterator for every shard.
func iterators(b *testing.B, n *harness.Node, arn, kind string) (list []string) {
	b.Helper()
	shards, err := harness.Stream{Node: n, ARN: arn}.Shards(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range shards {
		out, err := harness.Do[ddbstreams.GetShardIteratorOutput](b.Context(), n, &ddbstreams.GetShardIteratorInput{
			StreamArn: &arn, ShardId: &s.ID, ShardIteratorType: &kind,
		})
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, *out.ShardIterator)
	}
	return list
}

// BenchmarkGetRecords reads pages of 1,000 changes of items of 400 bytes and prints the answers. One operation is one record.
func BenchmarkGetRecords(b *testing.B) {
	n, arn := benchNode(b, harness.Config{})
	for i := range 8000 {
		benchPut(b, n, benchItem(b, strconv.Itoa(i%4000), i))
	}
	its := iterators(b, n, arn, "TRIM_HORIZON")
	op := api.Define("GetRecords", func(context.Context, *api.Call, *ddbstreams.GetRecordsInput) (*ddbstreams.GetRecordsOutput, error) {
		return nil, nil
	})
	var text []byte
	read := 0
	b.ReportAllocs()
	for i := 0; read < b.N; i++ {
		out, err := harness.Do[ddbstreams.GetRecordsOutput](b.Context(), n, &ddbstreams.GetRecordsInput{ShardIterator: &its[i%len(its)]})
		if err != nil || len(out.Records) == 0 {
			b.Fatal(len(out.Records), err)
		}
		text = wire.Codec{}.AppendOutput(text[:0], op, out)
		read += len(out.Records)
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkCommitToGetRecords tells how long a durable PutItem takes, and how long after its answer a consumer that polls four shards
// every 2 ms has the change.
func BenchmarkCommitToGetRecords(b *testing.B) {
	n, arn := benchNode(b, harness.Config{Dir: b.TempDir()})
	its := iterators(b, n, arn, "LATEST")
	puts, acked, seen := make([]time.Duration, b.N), make([]time.Time, b.N), make([]time.Time, b.N)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range b.N {
			begin := time.Now()
			benchPut(b, n, benchItem(b, strconv.Itoa(i), i))
			acked[i] = time.Now()
			puts[i] = acked[i].Sub(begin)
		}
	})
	for total := 0; total < b.N; time.Sleep(2 * time.Millisecond) {
		for i := range its {
			out, err := harness.Do[ddbstreams.GetRecordsOutput](b.Context(), n, &ddbstreams.GetRecordsInput{ShardIterator: &its[i]})
			if err != nil {
				b.Fatal(err)
			}
			its[i] = *out.NextShardIterator
			for _, r := range out.Records {
				at, _ := strconv.Atoi(string(r.Dynamodb.Keys.Get("pk").Bytes()))
				seen[at] = time.Now()
				total++
			}
		}
	}
	writer.Wait()
	after := make([]time.Duration, b.N)
	for i := range after {
		after[i] = max(0, seen[i].Sub(acked[i]))
	}
	for name, list := range map[string][]time.Duration{"put": puts, "after": after} {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds()), name+"-p50-us")
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds()), name+"-p99-us")
	}
}
