package streams

import (
	"bytes"
	"context"
	"crypto/rand"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// Secret returns what only this store knows, by which it recognises the shard iterators that it has handed out. It is made when it is
// asked for first.
func Secret(ctx context.Context, e kv.Engine) (secret []byte, err error) {
	key := keys.Meta("stream iterators")
	err = e.Update(ctx, kv.Txn{Keys: [][]byte{key}}, func(vals [][]byte, b *kv.Batch) error {
		if secret = bytes.Clone(vals[0]); secret == nil {
			secret = make([]byte, 32)
			_, _ = rand.Read(secret) // never fails
			b.Put(key, secret)
		}
		return nil
	})
	return secret, err
}
