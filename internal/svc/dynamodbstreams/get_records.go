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
	st, err := s.find(c, arn)
	if err != nil {
		return nil, err
	}
	page, err := s.Reader.Read(ctx, st, at, limitOr(in.Limit, streams.MaxRecords))
	if err != nil {
		return nil, err
	}
	out := &ddbstreams.GetRecordsOutput{Records: make([]ddbstreams.Record, len(page.Records))}
	for i := range page.Records {
		out.Records[i] = shape(st, &page.Records[i])
	}
	if !page.End {
		out.NextShardIterator = new(s.iterator(st, page.Next))
	}
	return out, nil
}

func shape(st *streams.Stream, r *streams.Record) ddbstreams.Record {
	out := ddbstreams.Record{
		EventID:      new(st.EventID(r)),
		EventName:    new(string(r.Event)),
		EventVersion: new("1.1"),
		EventSource:  new("aws:dynamodb"),
		AwsRegion:    &st.Table.Region,
		Dynamodb: &ddbstreams.StreamRecord{
			ApproximateCreationDateTime: new(r.Time.Truncate(time.Second)),
			Keys:                        r.Keys,
			NewImage:                    r.New,
			OldImage:                    r.Old,
			SequenceNumber:              new(r.Sequence.String()),
			SizeBytes:                   new(int64(r.Size)),
			StreamViewType:              &st.View,
		},
	}
	if r.User != nil {
		out.UserIdentity = &ddbstreams.Identity{PrincipalId: &r.User.Principal, Type: &r.User.Type}
	}
	return out
}
