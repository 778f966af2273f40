package latch

import (
	"sync"
	"sync/atomic"

	"github.com/grammedb/gramme/internal/kv"
)

// claims are the keys that running transactions hold.
type claims struct {
	held atomic.Int64 // len(keys), so that updates need no lock while no transaction runs

	mu   sync.Mutex
	keys map[string]struct{}
}

// take claims all keys, or none if one is held: of transactions that meet each other one always goes on.
func (c *claims) take(keys [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.check(keys); err != nil {
		return err
	}
	for _, k := range keys {
		c.keys[string(k)] = struct{}{}
	}
	c.held.Store(int64(len(c.keys)))
	return nil
}

// release gives up keys that take has claimed.
func (c *claims) release(keys [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range keys {
		delete(c.keys, string(k))
	}
	c.held.Store(int64(len(c.keys)))
}

// meet fails with a *kv.ConflictError if one of the keys is held.
func (c *claims) meet(keys [][]byte) error {
	if c.held.Load() == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.check(keys)
}

func (c *claims) check(keys [][]byte) error {
	if len(c.keys) == 0 {
		return nil
	}
	for i, k := range keys {
		if _, held := c.keys[string(k)]; held {
			return &kv.ConflictError{Key: i}
		}
	}
	return nil
}
