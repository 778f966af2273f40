package lambda

import (
	"context"
	"encoding/json"
	"strconv"
	"sync/atomic"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/svc/lambda/esm"
)

// A stream reads a stream of a table, as a client of DynamoDB Streams.
type stream struct {
	door        *api.Invoker
	region, arn string
	key         atomic.Pointer[string] // the table's partition attribute, once the shards have been listed
}

// Shards implements esm.Source.
func (s *stream) Shards(ctx context.Context) ([]esm.Shard, error) {
	var shards []esm.Shard
	in := &ddbstreams.DescribeStreamInput{StreamArn: &s.arn}
	for {
		out, err := api.Invoke[ddbstreams.DescribeStreamOutput](ctx, s.door, s.region, "DescribeStream", in)
		if err != nil {
			return nil, err
		}
		s.key.Store(out.StreamDescription.KeySchema[0].AttributeName)
		for _, sh := range out.StreamDescription.Shards {
			shards = append(shards, esm.Shard{ID: *sh.ShardId, Parent: text(sh.ParentShardId), Closed: sh.SequenceNumberRange.EndingSequenceNumber != nil})
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return shards, nil
		}
	}
}

// Iterator implements esm.Source.
func (s *stream) Iterator(ctx context.Context, shard, after string) (string, error) {
	in := &ddbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: &shard, ShardIteratorType: new("TRIM_HORIZON")}
	if after != "" {
		in.ShardIteratorType, in.SequenceNumber = new("AFTER_SEQUENCE_NUMBER"), &after
	}
	return s.iterator(ctx, in)
}

// LatestIterator implements esm.Source.
func (s *stream) LatestIterator(ctx context.Context, shard string) (string, error) {
	return s.iterator(ctx, &ddbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: &shard, ShardIteratorType: new("LATEST")})
}

func (s *stream) iterator(ctx context.Context, in *ddbstreams.GetShardIteratorInput) (string, error) {
	out, err := api.Invoke[ddbstreams.GetShardIteratorOutput](ctx, s.door, s.region, "GetShardIterator", in)
	if err != nil {
		return "", sourceError(err)
	}
	return *out.ShardIterator, nil
}

// Records implements esm.Source.
func (s *stream) Records(ctx context.Context, iterator string, limit int) ([]esm.Record, string, error) {
	in := &ddbstreams.GetRecordsInput{ShardIterator: &iterator, Limit: new(int64(limit))}
	out, err := api.Invoke[ddbstreams.GetRecordsOutput](ctx, s.door, s.region, "GetRecords", in)
	if err != nil {
		return nil, "", sourceError(err)
	}
	records := make([]esm.Record, len(out.Records))
	for i := range out.Records {
		records[i] = s.record(&out.Records[i])
	}
	return records, text(out.NextShardIterator), nil
}

// sourceError returns what esm knows an error of the service as.
func sourceError(err error) error {
	switch {
	case api.HasCode(err, "TrimmedDataAccessException"):
		return esm.ErrTrimmed
	case api.HasCode(err, "ExpiredIteratorException"):
		return esm.ErrExpired
	}
	return err
}

func (s *stream) record(r *ddbstreams.Record) esm.Record {
	return esm.Record{
		Sequence: *r.Dynamodb.SequenceNumber,
		Time:     *r.Dynamodb.ApproximateCreationDateTime,
		Key:      r.Dynamodb.Keys.Get(*s.key.Load()),
		JSON:     s.event(r),
	}
}

// event returns a record as functions get it (AWS Lambda developer guide: Using AWS Lambda with Amazon DynamoDB).
func (s *stream) event(r *ddbstreams.Record) []byte {
	d := r.Dynamodb
	b := make([]byte, 0, 512+4*len(d.NewImage)+4*len(d.OldImage))
	b = append(b, '{')
	for _, f := range []struct {
		name  string
		value *string
	}{{"eventID", r.EventID}, {"eventName", r.EventName}, {"eventVersion", r.EventVersion}, {"eventSource", r.EventSource}, {"awsRegion", r.AwsRegion}} {
		b = append(appendText(append(appendText(b, f.name), ':'), *f.value), ',')
	}
	b = append(b, `"dynamodb":{"ApproximateCreationDateTime":`...)
	b = strconv.AppendInt(b, d.ApproximateCreationDateTime.Unix(), 10)
	for _, f := range []struct {
		name string
		item attr.Item
	}{{"Keys", d.Keys}, {"NewImage", d.NewImage}, {"OldImage", d.OldImage}} {
		if f.item != nil {
			b = f.item.AppendJSON(append(appendText(append(b, ','), f.name), ':'))
		}
	}
	b = appendText(append(b, `,"SequenceNumber":`...), *d.SequenceNumber)
	b = strconv.AppendInt(append(b, `,"SizeBytes":`...), *d.SizeBytes, 10)
	b = appendText(append(b, `,"StreamViewType":`...), *d.StreamViewType)
	b = appendText(append(b, `},"eventSourceARN":`...), s.arn)
	if u := r.UserIdentity; u != nil {
		b = appendText(append(b, `,"userIdentity":{"type":`...), text(u.Type))
		b = append(appendText(append(b, `,"principalId":`...), text(u.PrincipalId)), '}')
	}
	return append(b, '}')
}

// appendText appends a text as JSON.
func appendText(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return append(b, text...)
}
