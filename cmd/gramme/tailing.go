package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// tailPause is how long tail waits when there is nothing new. At the service five calls a second for one shard are allowed.
const tailPause = 250 * time.Millisecond

// discoverEvery is how often tail asks for new shards while none has ended.
const discoverEvery = 5 * time.Second

// A tailing follows a stream: it reads a shard when its parent has been read to the end, and so prints the changes of each item in
// their order.
type tailing struct {
	*client
	arn   string
	first string // the kind of iterator that shards which are there at the beginning are read by
	std   stdio

	shards     map[string]*tailed // by ID
	begun      bool               // the shards have been listed once
	listAgain  time.Time
	disabled   bool // no shards will come
	complained bool // of a server that does not answer
}

// A tailed is how far a shard has been read.
type tailed struct {
	id, parent string
	kind       string // of the iterator that it is read by at first
	iterator   string
	last       string // sequence number of the newest record that was printed
	ended      bool
}

// run follows the stream until it has ended.
func (t *tailing) run(ctx context.Context) error {
	for {
		n, err := t.step(ctx)
		switch {
		case err != nil && !passing(err):
			return err
		case err != nil:
			t.complain(err)
			n = 0
		default:
			t.complained = false
			if t.disabled && t.allEnded() {
				fmt.Fprintln(t.std.err, "gramme: the stream was disabled, and has been read to its end")
				return nil
			}
		}
		if n > 0 {
			continue
		}
		if err := pause(ctx, tailPause); err != nil {
			return err
		}
	}
}

// complain tells of an error that may pass, once.
func (t *tailing) complain(err error) {
	if !t.complained {
		fmt.Fprintln(t.std.err, "gramme: trying again:", err)
	}
	t.complained = true
}

func (t *tailing) allEnded() bool {
	for _, s := range t.shards {
		if !s.ended {
			return false
		}
	}
	return true
}

// step reads a page of every shard that may be read and reports how many records there were.
func (t *tailing) step(ctx context.Context) (n int, err error) {
	if !time.Now().Before(t.listAgain) {
		if err := t.discover(ctx); err != nil {
			return 0, err
		}
	}
	ids := make([]string, 0, len(t.shards))
	for id := range t.shards {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s := t.shards[id]
		if parent := t.shards[s.parent]; s.ended || parent != nil && !parent.ended {
			continue
		}
		read, err := t.read(ctx, s)
		if n += read; err != nil {
			return n, err
		}
	}
	return n, nil
}

// A listedShard is what tail needs of a shard in the answer of DescribeStream.
type listedShard struct {
	ShardId, ParentShardId string
	SequenceNumberRange    struct{ EndingSequenceNumber string }
}

// discover lists the shards.
func (t *tailing) discover(ctx context.Context) error {
	in := map[string]any{"StreamArn": t.arn}
	for {
		var out struct {
			StreamDescription struct {
				StreamStatus         string
				LastEvaluatedShardId string
				Shards               []listedShard
			}
		}
		if err := t.call(ctx, dynamoDBStreams+"DescribeStream", in, &out); err != nil {
			return err
		}
		d := &out.StreamDescription
		for i := range d.Shards {
			if err := t.add(ctx, &d.Shards[i]); err != nil {
				return err
			}
		}
		t.disabled = d.StreamStatus == "DISABLED"
		if d.LastEvaluatedShardId == "" {
			t.begun, t.listAgain = true, time.Now().Add(discoverEvery)
			return nil
		}
		in["ExclusiveStartShardId"] = d.LastEvaluatedShardId
	}
}

// add adds a shard, unless it is known. Those that are there at the beginning are read from where it was asked for, all others from
// their beginnings.
func (t *tailing) add(ctx context.Context, sh *listedShard) error {
	if t.shards[sh.ShardId] != nil {
		return nil
	}
	s := &tailed{id: sh.ShardId, parent: sh.ParentShardId, kind: "TRIM_HORIZON"}
	if !t.begun && t.first == "LATEST" {
		s.kind, s.ended = t.first, sh.SequenceNumberRange.EndingSequenceNumber != ""
	}
	if s.kind == "LATEST" && !s.ended { // now, not when it is read first
		if err := t.iterate(ctx, s); err != nil {
			return err
		}
	}
	t.shards[s.id] = s
	return nil
}

// iterate gets an iterator: after the record that was printed last, if there is one. A shard that is no more has ended.
func (t *tailing) iterate(ctx context.Context, s *tailed) error {
	in := map[string]any{"StreamArn": t.arn, "ShardId": s.id, "ShardIteratorType": s.kind}
	if s.last != "" {
		in["ShardIteratorType"], in["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", s.last
	}
	var out struct{ ShardIterator string }
	err := t.call(ctx, dynamoDBStreams+"GetShardIterator", in, &out)
	switch {
	case isCode(err, "TrimmedDataAccessException"):
		fmt.Fprintf(t.std.err, "gramme: changes after %s are kept no longer and are left out\n", s.last)
		s.last, s.kind = "", "TRIM_HORIZON"
		return t.iterate(ctx, s)
	case isCode(err, "ResourceNotFoundException"): // after a very long pause; if the stream is no more that shows when shards are listed
		fmt.Fprintf(t.std.err, "gramme: shard %s is kept no longer, and what was not read of it is left out\n", s.id)
		s.ended, t.listAgain = true, time.Time{}
		return nil
	}
	s.iterator = out.ShardIterator
	return err
}

// read prints a page of a shard.
func (t *tailing) read(ctx context.Context, s *tailed) (n int, err error) {
	if s.iterator == "" {
		if err := t.iterate(ctx, s); err != nil || s.ended {
			return 0, err
		}
	}
	var out struct {
		Records           []json.RawMessage
		NextShardIterator string
	}
	err = t.call(ctx, dynamoDBStreams+"GetRecords", map[string]any{"ShardIterator": s.iterator}, &out)
	if isCode(err, "ExpiredIteratorException") || isCode(err, "TrimmedDataAccessException") {
		s.iterator = "" // after a long pause; the next step gets another one
		if s.last == "" && s.kind == "LATEST" {
			fmt.Fprintf(t.std.err, "gramme: shard %s was not read for too long, changes since then may be left out\n", s.id)
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, rec := range out.Records {
		var head struct {
			Dynamodb struct{ SequenceNumber string }
		}
		if err := json.Unmarshal(rec, &head); err != nil {
			return n, err
		}
		if err := compact(t.std.out, rec); err != nil {
			return n, err
		}
		s.last = head.Dynamodb.SequenceNumber
		n++
	}
	s.iterator = out.NextShardIterator
	if s.ended = s.iterator == ""; s.ended {
		t.listAgain = time.Time{} // its children are wanted at once
	}
	return n, nil
}
