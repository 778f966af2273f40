package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A token's record is the time of its request (8 bytes, microseconds), the request's hash (32) and, for each write,
// the size of the larger image (uvarint), by which a replay is charged.
const tokenHead = 8 + 32

func (t *Token) record(now time.Time, effects []Effect) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(now.UnixMicro()))
	b = append(b, t.Hash[:]...)
	for i := range effects {
		b = binary.AppendUvarint(b, uint64(max(effects[i].OldSize, effects[i].NewSize)))
	}
	return b
}

// replay reports whether the record, nil if there is none, is of a request that t's repeats, and sets the effects' sizes.
func (t *Token) replay(record []byte, now time.Time, effects []Effect) (bool, error) {
	if record == nil || expired(record, now) {
		return false, nil
	}
	if len(record) < tokenHead {
		return false, fmt.Errorf("store: token record of %d bytes: %w", len(record), kv.ErrCorrupt)
	}
	if !bytes.Equal(record[8:tokenHead], t.Hash[:]) {
		return false, ErrTokenMismatch
	}
	rest := record[tokenHead:]
	for i := range effects {
		n, w := binary.Uvarint(rest)
		if w <= 0 {
			return false, fmt.Errorf("store: token record ends early: %w", kv.ErrCorrupt)
		}
		effects[i], rest = Effect{NewSize: int(n)}, rest[w:]
	}
	return true, nil
}

// expired reports whether a record is older than TokenLife. One from the future, after the clock stepped back, is not.
func expired(record []byte, now time.Time) bool {
	return len(record) >= 8 && now.Sub(time.UnixMicro(int64(binary.BigEndian.Uint64(record)))) > TokenLife
}

// SweepTokens removes the records of expired tokens.
func (s *Store) SweepTokens(ctx context.Context) error {
	for {
		old, err := s.expiredTokens(ctx, 500)
		if err != nil || len(old) == 0 {
			return err
		}
		t := kv.Txn{Keys: old, NoSync: true}
		err = s.engine.Update(ctx, t, func(vals [][]byte, b *kv.Batch) error {
			for i, v := range vals {
				if expired(v, s.now()) {
					b.Delete(old[i])
				}
			}
			return nil
		})
		if _, held := errors.AsType[*kv.ConflictError](err); held {
			return nil // a transaction is using one of the tokens; the next sweep finds the rest
		}
		if err != nil {
			return err
		}
	}
}

func (s *Store) expiredTokens(ctx context.Context, limit int) (old [][]byte, err error) {
	view, err := s.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := view.Close(); err == nil {
			err = cerr
		}
	}()
	lo, hi := keys.Tokens()
	it, err := view.Scan(kv.Range{Lo: lo, Hi: hi})
	if err != nil {
		return nil, err
	}
	for len(old) < limit && it.Next() {
		if expired(it.Value(), s.now()) {
			old = append(old, bytes.Clone(it.Key()))
		}
	}
	return old, it.Close()
}
