package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/grammedb/gramme/tests/consumer"
)

// A follower reads the stream of the table of most workers, from one restart to the next, and makes a replica of the table of it. A
// change that the log lacks, or has twice, breaks the chain of an item's images.
type follower struct {
	arn     string
	reader  *consumer.Consumer
	replica consumer.Replica
	records int
	shards  int
}

func newFollower() *follower {
	return &follower{reader: consumer.New(), replica: consumer.Replica{}}
}

func (f *follower) work(c *client) error {
	f.reader.Reconnect()
	for {
		if err := f.step(c); err != nil {
			return err
		}
	}
}

// step reads what there is of each shard. What the stream did wrong is a fault.
func (f *follower) step(c *client) error {
	if f.arn == "" {
		out, err := c.call("DescribeTable", object{"TableName": table})
		if err != nil {
			return err
		}
		f.arn, _ = at(out, "Table", "LatestStreamArn").(string)
	}
	_, err := f.reader.Step(context.Background(), source{c, f.arn}, f.take)
	f.shards = f.reader.Shards()
	if errors.Is(err, consumer.ErrWrong) {
		err = fmt.Errorf("%w: %w", errFault, err)
	}
	return err
}

func (f *follower) take(r consumer.Record) error {
	f.records++
	return f.replica.Take(r)
}

// check reads to the end and compares the replica with the table. It comes after the checks of those who still write.
func (f *follower) check(c *client) error {
	f.reader.Reconnect()
	if f.arn == "" {
		if err := f.step(c); err != nil {
			return err
		}
	}
	if err := f.reader.Drain(context.Background(), source{c, f.arn}, f.take); err != nil {
		return err
	}
	items, err := c.pages("Scan", object{"TableName": table, "ConsistentRead": true})
	if err != nil {
		return err
	}
	want := map[string]string{}
	for _, it := range items {
		want[text(object{"pk": at(it, "pk"), "sk": at(it, "sk")})] = text(it)
	}
	return f.replica.Compare(want)
}

// text prints an item for comparison, "" for none.
func text(item any) string {
	if item == nil {
		return ""
	}
	b, err := json.Marshal(item)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// A source is a stream of a server.
type source struct {
	*client
	arn string
}

// Shards implements consumer.Source.
func (s source) Shards(context.Context) (list []consumer.Shard, err error) {
	in := object{"StreamArn": s.arn}
	for {
		out, err := s.call("DescribeStream", in)
		if err != nil {
			return nil, err
		}
		page, _ := at(out, "StreamDescription", "Shards").([]any)
		for _, sh := range page {
			id, _ := at(sh, "ShardId").(string)
			parent, _ := at(sh, "ParentShardId").(string)
			list = append(list, consumer.Shard{ID: id, Parent: parent})
		}
		if in["ExclusiveStartShardId"] = at(out, "StreamDescription", "LastEvaluatedShardId"); in["ExclusiveStartShardId"] == nil {
			return list, nil
		}
	}
}

// Iterator implements consumer.Source.
func (s source) Iterator(_ context.Context, shard, after string) (string, error) {
	in := object{"StreamArn": s.arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
	if after != "" {
		in["ShardIteratorType"], in["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", after
	}
	out, err := s.call("GetShardIterator", in)
	it, _ := out["ShardIterator"].(string)
	return it, err
}

// Records implements consumer.Source.
func (s source) Records(_ context.Context, iterator string) (page []consumer.Record, next string, err error) {
	out, err := s.call("GetRecords", object{"ShardIterator": iterator})
	if err != nil {
		return nil, "", err
	}
	list, ok := out["Records"].([]any)
	if !ok {
		return nil, "", errors.New("no Records in a page")
	}
	for _, r := range list {
		event, _ := at(r, "eventName").(string)
		sequence, _ := at(r, "dynamodb", "SequenceNumber").(string)
		user, _ := at(r, "userIdentity", "PrincipalId").(string)
		page = append(page, consumer.Record{
			Sequence: sequence, Event: event, User: user,
			Key: text(at(r, "dynamodb", "Keys")), Old: text(at(r, "dynamodb", "OldImage")), New: text(at(r, "dynamodb", "NewImage")),
		})
	}
	next, _ = out["NextShardIterator"].(string)
	return page, next, nil
}
