package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/kv"
)

// A CanceledError says why a transaction did nothing: Reasons[i] is what write i failed with, nil if it did not.
type CanceledError struct{ Reasons []error }

func (*CanceledError) Error() string { return "store: transaction canceled" }

// Transact does all of the writes or none, serializably with everything else. The items are different ones. token is
// nil if the request has none. It fails with a *CanceledError, ErrTokenMismatch, ErrTokenInProgress or ErrTableGone.
// replayed tells that the token's request was done before: nothing was written, and the effects have the sizes of that time.
func (s *Store) Transact(ctx context.Context, writes []Write, token *Token) (effects []Effect, replayed bool, err error) {
	effects = make([]Effect, len(writes))
	g := newStaging()
	defer g.release()
	err = s.refence(writes, func() error {
		if err := s.measure(ctx, writes); err != nil {
			return err
		}
		t, first := g.plan(writes), 0
		t.Claim = true
		if token != nil { // first, so that a request that is sent again while it runs is told so
			g.keys, first = slices.Insert(g.keys, 0, token.Key), 1
			t.Keys = g.keys
		}
		err := s.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) (err error) {
			g.begin(b)
			now := s.now()
			if token != nil {
				if replayed, err = token.replay(vals[0], now, effects); replayed || err != nil {
					return err
				}
			}
			if err := s.applyAll(g, writes, t.Keys[first:], vals[first:], effects); err != nil || token == nil {
				return err
			}
			b.Put(token.Key, token.record(now, effects))
			return nil
		})
		return canceled(err, first, len(writes))
	})
	return effects, replayed, err
}

// applyAll applies every write, so that every reason for a cancellation is known.
func (s *Store) applyAll(g *staging, writes []Write, rowKeys, vals [][]byte, effects []Effect) error {
	var c *CanceledError
	for i := range writes {
		var err error
		effects[i], err = s.applyRow(g, &writes[i], rowKeys[i], vals[i])
		switch {
		case err == nil:
		case errors.Is(err, kv.ErrCorrupt):
			return err
		default:
			if c == nil {
				c = &CanceledError{Reasons: make([]error, len(writes))}
			}
			c.Reasons[i] = err
		}
	}
	if c != nil {
		return c
	}
	g.sum()
	return nil
}

// canceled words the engine's conflict as a transaction of n writes meets it, whose rows are the keys from first on.
func canceled(err error, first, n int) error {
	conflict, ok := errors.AsType[*kv.ConflictError](err)
	if !ok {
		return err
	}
	if conflict.Key < first {
		return ErrTokenInProgress
	}
	c := &CanceledError{Reasons: make([]error, n)}
	c.Reasons[conflict.Key-first] = ErrInTransaction
	return c
}

// TokenLife is how long a client token is remembered.
const TokenLife = 10 * time.Minute

// A Token makes a transaction idempotent.
type Token struct {
	Key  []byte   // of its record (keys.Token)
	Hash [32]byte // of the request
}
