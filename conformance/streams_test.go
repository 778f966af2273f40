package conformance

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// TestStreamViews: what each view type shows of a change, and that what changes nothing is not told.
func TestStreamViews(t *testing.T) {
	t.Parallel()
	type record struct {
		words string
		size  int64
	}
	for view, want := range map[types.StreamViewType][]record{
		types.StreamViewTypeKeysOnly:        {{"INSERT a", 3}, {"MODIFY a", 3}, {"REMOVE a", 3}},
		types.StreamViewTypeNewImage:        {{"INSERT a to 1", 8}, {"MODIFY a to two", 10}, {"REMOVE a", 3}},
		types.StreamViewTypeOldImage:        {{"INSERT a", 3}, {"MODIFY a from 1", 8}, {"REMOVE a from two", 10}},
		types.StreamViewTypeNewAndOldImages: {{"INSERT a to 1", 8}, {"MODIFY a from 1 to two", 15}, {"REMOVE a from two", 10}},
	} {
		t.Run(string(view), func(t *testing.T) {
			t.Parallel()
			table := newTable(t, keys("pk:S"), streamed(view))
			for _, v := range []string{"", "1", "1", "two", "", ""} {
				setV(t, table, "a", v)
			}
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: key("a"), ConditionExpression: aws.String("attribute_exists(pk)")})
			wantError(t, err, "ConditionalCheckFailedException", "The conditional request failed")
			for i, rec := range readStream(t, table).records(3) {
				if got := (record{told(t, rec), *rec.Dynamodb.SizeBytes}); got != want[i] || string(rec.Dynamodb.StreamViewType) != string(view) {
					t.Errorf("record %d: %v of %s, want %v", i, got, rec.Dynamodb.StreamViewType, want[i])
				}
				wantHead(t, rec)
			}
		})
	}
}

// wantHead checks what every record has.
func wantHead(t *testing.T, rec streamtypes.Record) {
	t.Helper()
	d := rec.Dynamodb
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(*rec.EventID) || *rec.EventSource != "aws:dynamodb" || *rec.AwsRegion != cfg.Region ||
		!strings.HasPrefix(*rec.EventVersion, "1.") || rec.UserIdentity != nil {
		t.Errorf("%s %s %s %s %v", *rec.EventID, *rec.EventSource, *rec.AwsRegion, *rec.EventVersion, rec.UserIdentity)
	}
	if at := *d.ApproximateCreationDateTime; time.Since(at).Abs() > slack || at.Nanosecond() != 0 {
		t.Errorf("created at %v", at)
	}
	if n := len(*d.SequenceNumber); n < 21 || n > 40 {
		t.Errorf("sequence number %s", *d.SequenceNumber)
	}
}

// TestStreamTellsOfEveryWrite: batches, transactions and statements are told item by item.
func TestStreamTellsOfEveryWrite(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), gsi("byV", "v:S"), streamed(types.StreamViewTypeNewAndOldImages))
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(pk, v string) types.WriteRequest {
		return types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"pk": str(pk), "v": str(v)}}}
	}
	must(db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: {put("a", "1"), put("b", "1"), put("c", "1")}}}))
	must(db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: &table, Item: item{"pk": str("a"), "v": str("2")}}},
		{Delete: &types.Delete{TableName: &table, Key: key("b")}},
		{ConditionCheck: &types.ConditionCheck{TableName: &table, Key: key("c"), ConditionExpression: aws.String("attribute_exists(pk)")}},
	}}))
	must(db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: key("c"), UpdateExpression: aws.String("SET v = :v"),
		ExpressionAttributeValues: item{":v": str("2")}}))
	must(db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: key("c"), UpdateExpression: aws.String("SET v = :v"),
		ExpressionAttributeValues: item{":v": str("2")}}))
	must(db.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(fmt.Sprintf(`UPDATE "%s" SET v='3' WHERE pk='a'`, table))}))
	must(db.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
		{Statement: aws.String(fmt.Sprintf(`DELETE FROM "%s" WHERE pk='c'`, table))},
	}}))
	got := allTold(t, byItem(t, readStream(t, table).records(8)))
	want := []string{"INSERT a to 1", "MODIFY a from 1 to 2", "MODIFY a from 2 to 3", "INSERT b to 1", "REMOVE b from 1",
		"INSERT c to 1", "MODIFY c from 1 to 2", "REMOVE c from 2"}
	if !slices.Equal(got, want) {
		t.Errorf("told are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestShardIterators reads one shard from all kinds of places.
func TestShardIterators(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), streamed(types.StreamViewTypeNewImage))
	for _, v := range []string{"1", "2", "3"} {
		setV(t, table, "a", v)
	}
	r := readStream(t, table)
	list := r.records(3)
	shard := r.shardOf(*list[0].Dynamodb.SequenceNumber)
	read := func(kind streamtypes.ShardIteratorType, sequence *string) (string, string) {
		t.Helper()
		it := r.iterator(&dynamodbstreams.GetShardIteratorInput{ShardId: shard.ShardId, ShardIteratorType: kind, SequenceNumber: sequence})
		page, next := r.page(it)
		return strings.Join(allTold(t, page), ", "), next
	}
	for _, c := range []struct {
		kind     streamtypes.ShardIteratorType
		sequence *string
		want     string
	}{
		{streamtypes.ShardIteratorTypeTrimHorizon, nil, "INSERT a to 1, MODIFY a to 2, MODIFY a to 3"},
		{streamtypes.ShardIteratorTypeAtSequenceNumber, shard.SequenceNumberRange.StartingSequenceNumber, "INSERT a to 1, MODIFY a to 2, MODIFY a to 3"},
		{streamtypes.ShardIteratorTypeAtSequenceNumber, list[1].Dynamodb.SequenceNumber, "MODIFY a to 2, MODIFY a to 3"},
		{streamtypes.ShardIteratorTypeAfterSequenceNumber, list[1].Dynamodb.SequenceNumber, "MODIFY a to 3"},
		{streamtypes.ShardIteratorTypeAfterSequenceNumber, list[2].Dynamodb.SequenceNumber, ""},
		{streamtypes.ShardIteratorTypeLatest, nil, ""},
	} {
		got, next := read(c.kind, c.sequence)
		if got != c.want || next == "" {
			t.Errorf("%s shows %s, next %q, want %s", c.kind, got, next, c.want)
		}
	}
	if *awsFlag {
		return // the service's LATEST may miss what is written at once
	}
	latest := r.iterator(&dynamodbstreams.GetShardIteratorInput{ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeLatest})
	setV(t, table, "a", "4")
	page, _ := r.page(latest)
	if got := strings.Join(allTold(t, page), ", "); got != "MODIFY a to 4" {
		t.Errorf("after the latest comes %s", got)
	}
}

// shardOf returns the shard that shows a record.
func (r *reader) shardOf(sequence string) streamtypes.Shard {
	r.Helper()
	for _, s := range r.describe().Shards {
		if last := r.shards[*s.ShardId].last; last.Sign() > 0 {
			return s
		}
	}
	r.Fatalf("no shard has %s", sequence)
	return streamtypes.Shard{}
}

// TestStreamLife enables a stream, disables it and enables another one.
func TestStreamLife(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	if d := describe(t, table); d.StreamSpecification != nil || d.LatestStreamArn != nil || d.LatestStreamLabel != nil {
		t.Errorf("a table without a stream: %+v", d)
	}
	setV(t, table, "a", "before")
	_, err := setStream(t, table, "")
	wantError(t, err, invalid, "Table has no stream to disable: TableName: "+table)
	out, err := setStream(t, table, types.StreamViewTypeNewImage)
	if err != nil {
		t.Fatal(err)
	}
	if s := out.TableDescription.TableStatus; s != types.TableStatusUpdating {
		t.Errorf("the answer says %s", s)
	}
	d := waitActive(t, table)
	if s := d.StreamSpecification; s == nil || !*s.StreamEnabled || s.StreamViewType != types.StreamViewTypeNewImage ||
		*d.LatestStreamArn != *d.TableArn+"/stream/"+*d.LatestStreamLabel {
		t.Errorf("described: %+v", d)
	}
	for _, view := range []types.StreamViewType{types.StreamViewTypeNewImage, types.StreamViewTypeKeysOnly} {
		_, err = setStream(t, table, view)
		wantError(t, err, invalid, "Table already has an enabled stream: TableName: "+table)
	}
	first := readStream(t, table)
	first.waitStatus(streamtypes.StreamStatusEnabled)
	if desc := first.describe(); *desc.TableName != table || *desc.StreamLabel != *d.LatestStreamLabel || len(desc.KeySchema) != 1 ||
		desc.StreamViewType != streamtypes.StreamViewTypeNewImage || len(desc.Shards) == 0 || time.Since(*desc.CreationRequestDateTime).Abs() > slack {
		t.Errorf("stream: %+v", desc)
	}
	setV(t, table, "a", "one")
	first.records(1)

	if _, err = setStream(t, table, ""); err != nil {
		t.Fatal(err)
	}
	d = waitActive(t, table)
	if d.StreamSpecification != nil || *d.LatestStreamArn != first.arn {
		t.Errorf("after disabling: %+v", d)
	}
	first.waitStatus(streamtypes.StreamStatusDisabled)
	setV(t, table, "a", "unseen")
	eventually(t, func() (bool, string) {
		first.step()
		open := slices.ContainsFunc(first.describe().Shards, func(s streamtypes.Shard) bool {
			return s.SequenceNumberRange.EndingSequenceNumber == nil || !first.shards[*s.ShardId].ended
		})
		return !open, "shards of the disabled stream do not end"
	})

	if _, err = setStream(t, table, types.StreamViewTypeKeysOnly); err != nil {
		t.Fatal(err)
	}
	waitActive(t, table)
	second := readStream(t, table)
	setV(t, table, "a", "two")
	if got := allTold(t, second.records(1)); second.arn == first.arn || got[0] != "MODIFY a" {
		t.Errorf("stream %s tells %s", second.arn, got)
	}
	if got := allTold(t, first.records(1)); got[0] != "MODIFY a to one" {
		t.Errorf("the first stream told %s", got)
	}
	wantStreams(t, table, first.arn, second.arn)
}

// wantStreams checks which streams a table has, listed page by page.
func wantStreams(t *testing.T, table string, want ...string) {
	t.Helper()
	var got []string
	in := &dynamodbstreams.ListStreamsInput{TableName: &table, Limit: aws.Int32(1)}
	for {
		out, err := streamClient().ListStreams(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.Streams {
			if got = append(got, *s.StreamArn); *s.TableName != table || !strings.HasSuffix(*s.StreamArn, "/stream/"+*s.StreamLabel) {
				t.Errorf("listed: %+v", s)
			}
		}
		if in.ExclusiveStartStreamArn = out.LastEvaluatedStreamArn; in.ExclusiveStartStreamArn == nil {
			break
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("streams %v, want %v", got, want)
	}
}

// TestStreamOfADeletedTable: it can be read to its end.
func TestStreamOfADeletedTable(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), streamed(types.StreamViewTypeOldImage))
	r := readStream(t, table)
	setV(t, table, "a", "1")
	drop(t, table)
	r.records(1)
	r.waitStatus(streamtypes.StreamStatusDisabled)
	wantStreams(t, table, r.arn)
}

// TestShardPages lists the shards of an on-demand table one by one.
func TestShardPages(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"), streamed(types.StreamViewTypeKeysOnly))
	r := readStream(t, table)
	all := r.describe()
	if len(all.KeySchema) != 2 {
		t.Errorf("key schema %+v", all.KeySchema)
	}
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &r.arn, Limit: aws.Int32(1)}
	for i, want := range all.Shards {
		out, err := r.client.DescribeStream(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		d := out.StreamDescription
		if len(d.Shards) != 1 || *d.Shards[0].ShardId != *want.ShardId || (d.LastEvaluatedShardId == nil) != (i == len(all.Shards)-1) {
			t.Fatalf("page %d: %+v", i, d)
		}
		in.ExclusiveStartShardId = d.Shards[0].ShardId
	}
	if out, err := r.client.DescribeStream(t.Context(), in); err != nil || len(out.StreamDescription.Shards) > 0 {
		t.Errorf("after the last shard: %+v, %v", out, err)
	}
	in = &dynamodbstreams.DescribeStreamInput{StreamArn: &r.arn, ShardFilter: &streamtypes.ShardFilter{
		Type: streamtypes.ShardFilterTypeChildShards, ShardId: all.Shards[0].ShardId,
	}}
	if out, err := r.client.DescribeStream(t.Context(), in); err != nil || len(out.StreamDescription.Shards) > 0 {
		t.Errorf("children of an open shard: %+v, %v", out, err)
	}
}

func TestStreamFaults(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), streamed(types.StreamViewTypeKeysOnly))
	r := readStream(t, table)
	shard := r.describe().Shards[0].ShardId
	ctx, c := t.Context(), r.client
	other := strings.Replace(r.arn, table, "nobody-has-this-table", 1)
	describe := func(in *dynamodbstreams.DescribeStreamInput) error { _, err := c.DescribeStream(ctx, in); return err }
	list := func(in *dynamodbstreams.ListStreamsInput) error { _, err := c.ListStreams(ctx, in); return err }
	iterate := func(in *dynamodbstreams.GetShardIteratorInput) error {
		_, err := c.GetShardIterator(ctx, in)
		return err
	}
	get := func(in *dynamodbstreams.GetRecordsInput) error { _, err := c.GetRecords(ctx, in); return err }
	it := r.iterator(&dynamodbstreams.GetShardIteratorInput{ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeLatest})
	const missing = "ResourceNotFoundException"
	for i, f := range []struct {
		err  error
		code string
	}{
		{list(&dynamodbstreams.ListStreamsInput{Limit: aws.Int32(0)}), invalid},
		{list(&dynamodbstreams.ListStreamsInput{Limit: aws.Int32(101)}), invalid},
		{list(&dynamodbstreams.ListStreamsInput{ExclusiveStartStreamArn: aws.String("kaboom")}), invalid},
		{describe(&dynamodbstreams.DescribeStreamInput{StreamArn: aws.String("kaboom")}), invalid},
		{describe(&dynamodbstreams.DescribeStreamInput{StreamArn: &other}), missing},
		{describe(&dynamodbstreams.DescribeStreamInput{StreamArn: &r.arn, Limit: aws.Int32(101)}), invalid},
		{iterate(&dynamodbstreams.GetShardIteratorInput{StreamArn: &other, ShardId: shard, ShardIteratorType: "LATEST"}), missing},
		{iterate(&dynamodbstreams.GetShardIteratorInput{StreamArn: &r.arn, ShardId: aws.String("shardId-00000001573689847184-864758bb"), ShardIteratorType: "LATEST"}), missing},
		{iterate(&dynamodbstreams.GetShardIteratorInput{StreamArn: &r.arn, ShardId: shard, ShardIteratorType: "SOMEWHERE"}), invalid},
		{iterate(&dynamodbstreams.GetShardIteratorInput{StreamArn: &r.arn, ShardId: shard, ShardIteratorType: "AT_SEQUENCE_NUMBER"}), invalid},
		{iterate(&dynamodbstreams.GetShardIteratorInput{StreamArn: &r.arn, ShardId: shard, ShardIteratorType: "LATEST", SequenceNumber: aws.String("123456789012345678901")}), invalid},
		{iterate(&dynamodbstreams.GetShardIteratorInput{StreamArn: &r.arn, ShardId: shard, ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: aws.String("kaboom")}), invalid},
		{get(&dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("kaboom")}), invalid},
		{get(&dynamodbstreams.GetRecordsInput{ShardIterator: &it, Limit: aws.Int32(0)}), invalid},
		{get(&dynamodbstreams.GetRecordsInput{ShardIterator: &it, Limit: aws.Int32(1001)}), invalid},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) { wantError(t, f.err, f.code, "") })
	}
}

// TestStreamOrder follows a stream while several write: every change comes once, those of an item in their order.
func TestStreamOrder(t *testing.T) {
	t.Parallel()
	const writers, each, items = 4, 50, 5
	table := newTable(t, keys("pk:S"), streamed(types.StreamViewTypeNewAndOldImages))
	r := readStream(t, table)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				pk := fmt.Sprint("item-", w, "-", n%items)
				it := item{"pk": str(pk), "v": str(fmt.Sprint(n / items))}
				if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
					t.Error(errors.Join(errors.New("PutItem"), err))
				}
			}
		})
	}
	list := r.records(writers * each)
	wg.Wait()
	next := map[string]int{}
	for _, rec := range list {
		pk := image(t, rec.Dynamodb.Keys, "pk")
		if got := image(t, rec.Dynamodb.NewImage, "v"); got != fmt.Sprint(next[pk]) {
			t.Errorf("of %s comes %s, want %d", pk, got, next[pk])
		}
		next[pk]++
	}
}
