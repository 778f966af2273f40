package dynamodbstreams

import (
	"context"
	"errors"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/flow/streams"
)

func (s *Service) getShardIterator(ctx context.Context, c *api.Call, in *ddbstreams.GetShardIteratorInput) (*ddbstreams.GetShardIteratorOutput, error) {
	seq, err := sequence(in)
	if err != nil {
		return nil, err
	}
	st, err := s.find(ctx, c, *in.StreamArn)
	if err != nil {
		return nil, err
	}
	sh, err := st.Shard(*in.ShardId)
	if errors.Is(err, streams.ErrNoShard) {
		return nil, api.Errorf("ResourceNotFoundException", "Requested resource not found: Shard: %s in Stream: %s not found", *in.ShardId, *in.StreamArn)
	}
	if err != nil {
		return nil, err
	}
	at, err := s.position(ctx, &sh, in, seq)
	if err != nil {
		return nil, err
	}
	return &ddbstreams.GetShardIteratorOutput{ShardIterator: new(s.iterator(st, at))}, nil
}

// sequence reads the sequence number, which some types of iterators need and others must not have.
func sequence(in *ddbstreams.GetShardIteratorInput) (seq streams.Sequence, err error) {
	bySequence := *in.ShardIteratorType == "AT_SEQUENCE_NUMBER" || *in.ShardIteratorType == "AFTER_SEQUENCE_NUMBER"
	switch {
	case bySequence && in.SequenceNumber == nil:
		return seq, api.Invalid("SequenceNumber must be specified for ShardIteratorType %s", *in.ShardIteratorType)
	case !bySequence && in.SequenceNumber != nil:
		return seq, api.Invalid("SequenceNumber must not be specified for ShardIteratorType %s", *in.ShardIteratorType)
	case !bySequence:
		return seq, nil
	}
	if seq, err = streams.ParseSequence(*in.SequenceNumber); err != nil {
		err = errSequence(in)
	}
	return seq, err
}

func errSequence(in *ddbstreams.GetShardIteratorInput) error {
	return api.Invalid("Invalid SequenceNumber: %s", *in.SequenceNumber)
}

func (s *Service) position(ctx context.Context, sh *streams.Shard, in *ddbstreams.GetShardIteratorInput, seq streams.Sequence) (streams.Position, error) {
	switch *in.ShardIteratorType {
	case "TRIM_HORIZON":
		return sh.Horizon(), nil
	case "LATEST":
		return s.Reader.Latest(ctx, sh)
	}
	at, err := s.Reader.At(ctx, sh, seq, *in.ShardIteratorType == "AFTER_SEQUENCE_NUMBER")
	if errors.Is(err, streams.ErrNotInShard) {
		err = errSequence(in)
	}
	return at, err
}
