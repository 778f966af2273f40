package dynamodbstreams

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/flow/streams"
	"github.com/grammedb/gramme/internal/kv"
)

// A shard iterator is a position in a stream, and when it was handed out:
//
//	<stream ARN>|1|<base64 of shard(8) position(8) horizon(1) time(8) signature(16)>
//
// The server keeps nothing of it. The signature covers the ARN too: an iterator that was made up, or is of another store, is no iterator.

// iteratorLife is how long an iterator may be used.
const iteratorLife = 15 * time.Minute

const (
	iteratorMark  = "|1|"
	iteratorBody  = 8 + 8 + 1 + 8
	signatureSize = 16
)

// iterator returns the text of an iterator.
func (s *Service) iterator(st *streams.Stream, at streams.Position) string {
	arn := st.ARN()
	b := make([]byte, 0, iteratorBody+signatureSize)
	b = binary.BigEndian.AppendUint64(b, at.Shard)
	b = binary.BigEndian.AppendUint64(b, uint64(at.After))
	if at.Horizon {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(s.Now().UnixMilli()))
	b = append(b, s.sign(arn, b)...)
	return arn + iteratorMark + base64.StdEncoding.EncodeToString(b)
}

func (s *Service) sign(arn string, body []byte) []byte {
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write(body)
	mac.Write([]byte(arn))
	return mac.Sum(nil)[:signatureSize]
}

// signed reports whether b is the body of an iterator and its signature.
func (s *Service) signed(arn string, b []byte) bool {
	return len(b) == iteratorBody+signatureSize && hmac.Equal(b[iteratorBody:], s.sign(arn, b[:iteratorBody]))
}

// parseIterator reads an iterator that this store has handed out and that has not expired.
func (s *Service) parseIterator(text string) (arn string, at streams.Position, err error) {
	arn, rest, ok := strings.Cut(text, iteratorMark)
	b, err := base64.StdEncoding.DecodeString(rest)
	if !ok || err != nil || !s.signed(arn, b) || base64.StdEncoding.EncodeToString(b) != rest {
		return "", at, api.Invalid("Invalid ShardIterator")
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(b[17:])))
	if s.Now().Sub(made) > iteratorLife {
		return "", at, api.Errorf("ExpiredIteratorException", "Iterator expired")
	}
	at = streams.Position{Shard: binary.BigEndian.Uint64(b), After: kv.Pos(binary.BigEndian.Uint64(b[8:])), Horizon: b[16] == 1}
	return arn, at, nil
}
