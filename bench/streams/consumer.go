package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/grammedb/gramme/bench/internal/traffic"
	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/hist"
)

const service = "DynamoDBStreams_20120810."

// pollPause is how long a consumer rests when no shard had anything new.
const pollPause = 2 * time.Millisecond

// A consumer reads the shards that a stream has when it begins, over one connection.
type consumer struct {
	conn      *client.Conn
	iterators []string
}

// A record is what is decoded of a change: all of it, though only one number is looked at.
type record struct {
	Dynamodb struct {
		Keys, OldImage map[string]any
		NewImage       struct {
			At   struct{ N string } `json:"at"`
			Data struct{ S string } `json:"data"`
		}
		SequenceNumber string
	}
}

// call sends a request of Streams and decodes the answer.
func (c *consumer) call(ctx context.Context, operation string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	text, err := traffic.Call(ctx, c.conn, service+operation, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// consume returns a consumer of the table's stream from its beginning or its end.
func (r *run) consume(ctx context.Context, from string) (*consumer, error) {
	c := &consumer{conn: r.client.Conn()}
	var streams struct {
		Streams []struct{ StreamArn string }
	}
	if err := c.call(ctx, "ListStreams", map[string]any{"TableName": streamed}, &streams); err != nil {
		return nil, err
	}
	if len(streams.Streams) == 0 {
		return nil, fmt.Errorf("%s has no stream", streamed)
	}
	arn := streams.Streams[len(streams.Streams)-1].StreamArn
	var described struct {
		StreamDescription struct{ Shards []struct{ ShardId string } }
	}
	if err := c.call(ctx, "DescribeStream", map[string]any{"StreamArn": arn}, &described); err != nil {
		return nil, err
	}
	for _, s := range described.StreamDescription.Shards {
		var out struct{ ShardIterator string }
		in := map[string]any{"StreamArn": arn, "ShardId": s.ShardId, "ShardIteratorType": from}
		if err := c.call(ctx, "GetShardIterator", in, &out); err != nil {
			return nil, err
		}
		c.iterators = append(c.iterators, out.ShardIterator)
	}
	return c, nil
}

// turn reads a page of every shard and returns how many records there were.
func (c *consumer) turn(ctx context.Context, each func(*record)) (n int, err error) {
	for i, it := range c.iterators {
		if it == "" {
			continue // the shard has ended
		}
		var out struct {
			Records           []record
			NextShardIterator string
		}
		if err := c.call(ctx, "GetRecords", map[string]any{"ShardIterator": it}, &out); err != nil {
			return n, err
		}
		c.iterators[i] = out.NextShardIterator
		for i := range out.Records {
			each(&out.Records[i])
		}
		n += len(out.Records)
	}
	return n, nil
}

// drain reads what has been written, as fast as it comes.
func (r *run) drain(ctx context.Context) error {
	c, err := r.consume(ctx, "TRIM_HORIZON")
	if err != nil {
		return err
	}
	defer c.conn.Close()
	begin, read := time.Now(), 0
	for read < r.records {
		n, err := c.turn(ctx, func(*record) {})
		if err != nil {
			return err
		}
		if read += n; n == 0 {
			break
		}
	}
	took := time.Since(begin)
	fmt.Printf("GetRecords: %d records from %d shards in %v: %.0f a second\n", read, len(c.iterators), took.Round(time.Millisecond), float64(read)/took.Seconds())
	return nil
}

// delay writes at a steady rate and tells how old records are when a consumer has them, counted from before the PutItem was sent.
func (r *run) delay(ctx context.Context) error {
	c, err := r.consume(ctx, "LATEST")
	if err != nil {
		return err
	}
	defer c.conn.Close()
	r.client.Conns = 4
	ctx, stop := context.WithTimeout(ctx, max(10*r.each, time.Second))
	defer stop()
	wrote := make(chan error, 1)
	bodies := make([][]byte, 10*r.rate)
	for i := range bodies {
		bodies[i] = r.item(nil, streamed, traffic.Stamp)
	}
	var puts traffic.Steady
	go func() {
		var err error
		puts, err = r.client.Steady(ctx, r.rate, "PutItem", bodies)
		wrote <- err
	}()
	ages := new(hist.Hist)
	for done := false; !done; {
		done = ctx.Err() != nil
		n, err := c.turn(context.WithoutCancel(ctx), func(rec *record) {
			sent, _ := strconv.ParseInt(rec.Dynamodb.NewImage.At.N, 10, 64)
			ages.Add(uint64(max(0, time.Now().UnixNano()-sent)))
		})
		if err != nil {
			return err
		}
		if n == 0 {
			time.Sleep(pollPause)
		}
	}
	if err := <-wrote; err != nil {
		return err
	}
	show := func(h *hist.Hist, q float64) time.Duration {
		return time.Duration(h.Quantile(q)).Round(10 * time.Microsecond)
	}
	all := puts.Latencies.All()
	fmt.Printf("at %d puts a second: %d records, sent to read p50 %v  p99 %v   (PutItem itself p50 %v  p99 %v)\n", r.rate,
		ages.Count(), show(ages, 0.5), show(ages, 0.99), show(all, 0.5), show(all, 0.99))
	return nil
}
