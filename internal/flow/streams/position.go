package streams

import (
	"context"
	"errors"
)

// ErrNotInShard tells that a sequence number is none of the shard's.
var ErrNotInShard = errors.New("streams: the sequence number is not of this shard")

// Horizon returns the position before the first record that there is.
func (s *Shard) Horizon() Position { return Position{Shard: s.Number, Horizon: true} }

// Latest returns the position behind the newest record.
func (r *Reader) Latest(ctx context.Context, s *Shard) (Position, error) {
	end, err := r.log.End(ctx, s.Number)
	return Position{Shard: s.Number, After: end}, err
}

// At returns the position before the record that has a sequence number or, if after, the one behind it. The shard's First stands for the
// first record that there is. Fails with ErrTrimmed, and ErrNotInShard if there never was such a record.
func (r *Reader) At(ctx context.Context, s *Shard, seq Sequence, after bool) (Position, error) {
	switch {
	case seq == s.First():
		return s.Horizon(), nil
	case seq.Shard != s.Number:
		return Position{}, ErrNotInShard
	}
	end, err := r.log.End(ctx, s.Number)
	if err != nil {
		return Position{}, err
	}
	start, err := r.log.Start(ctx, s.Number)
	if err != nil {
		return Position{}, err
	}
	switch {
	case seq.Pos > end:
		return Position{}, ErrNotInShard
	case seq.Pos < start || seq.Pos == start && !after:
		return Position{}, ErrTrimmed
	case after:
		return Position{Shard: s.Number, After: seq.Pos}, nil
	}
	return Position{Shard: s.Number, After: seq.Pos - 1}, nil
}
