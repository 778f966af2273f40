package dynamodbstreams

import (
	"context"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/flow/streams"
)

func (s *Service) getRecords(ctx context.Context, c *api.Call, in *ddbstreams.GetRecordsInput) (*ddbstreams.GetRecordsOutput, error) {
	arn, at, err := s.parseIterator(*in.ShardIterator)
	if err != nil {
		return nil, err
	}
	st, err := s.find(ctx, c, arn)
	if err != nil {
		return nil, err
	}
	page, err := s.Reader.Read(ctx, st, at, limitOr(in.Limit, streams.MaxRecords))
	if err != nil {
		return nil, err
	}
	out := &ddbstreams.GetRecordsOutput{Records: shape(st, page.Records)}
	if !page.End {
		out.NextShardIterator = new(s.iterator(st, page.Next))
	}
	return out, nil
}

// What is the same in all records.
var (
	eventVersion = "1.1"
	eventSource  = "aws:dynamodb"
)

// A shown record holds what the members of its shape point to, so that a page of them is one allocation.
type shown struct {
	id, event, sequence string
	at                  time.Time
	size                int64
	record              ddbstreams.StreamRecord
}

func shape(st *streams.Stream, records []streams.Record) []ddbstreams.Record {
	out, page := make([]ddbstreams.Record, len(records)), make([]shown, len(records))
	for i := range records {
		r, s := &records[i], &page[i]
		*s = shown{id: st.EventID(r), event: string(r.Event), sequence: r.Sequence.String(), at: r.Time.Truncate(time.Second), size: int64(r.Size)}
		s.record = ddbstreams.StreamRecord{
			ApproximateCreationDateTime: &s.at,
			Keys:                        r.Keys,
			NewImage:                    r.New,
			OldImage:                    r.Old,
			SequenceNumber:              &s.sequence,
			SizeBytes:                   &s.size,
			StreamViewType:              &st.View,
		}
		out[i] = ddbstreams.Record{
			EventID:      &s.id,
			EventName:    &s.event,
			EventVersion: &eventVersion,
			EventSource:  &eventSource,
			AwsRegion:    &st.Table.Region,
			Dynamodb:     &s.record,
		}
		if r.User != nil {
			out[i].UserIdentity = &ddbstreams.Identity{PrincipalId: &r.User.Principal, Type: &r.User.Type}
		}
	}
	return out
}
