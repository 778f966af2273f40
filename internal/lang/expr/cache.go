package expr

import (
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// cachedText is how many bytes of text a cache keeps for each entry that it may have. Parsed trees are some ten times as
// large as their texts, so this bounds the memory where clients send long expressions.
const cachedText = 512

// A Cache keeps parsed expressions by their text, those used last. It is safe for concurrent use.
type Cache struct {
	mu      sync.Mutex
	entries *simplelru.LRU[cacheKey, *parsed] // nil: nothing is kept
	text    int                               // bytes of all texts in entries
	maxText int
}

type cacheKey struct {
	kind kind
	text string
}

// NewCache returns a cache of at most the given number of expressions.
func NewCache(entries int) *Cache {
	c := &Cache{maxText: entries * cachedText}
	if entries > 0 {
		// The one error is that of a size that is not positive.
		c.entries, _ = simplelru.NewLRU(entries, func(k cacheKey, _ *parsed) { c.text -= len(k.text) })
	}
	return c
}

// parse returns the parsed expression. Faulty ones are not kept.
func (c *Cache) parse(k kind, text string) (*parsed, error) {
	if p := c.get(k, text); p != nil {
		return p, nil
	}
	p, err := parse(k, strings.Clone(text)) // the request's buffer is not for keeping
	if err != nil {
		return nil, err
	}
	c.add(p)
	return p, nil
}

func (c *Cache) get(k kind, text string) *parsed {
	if c.entries == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, _ := c.entries.Get(cacheKey{k, text})
	return p
}

func (c *Cache) add(p *parsed) {
	if c.entries == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{p.kind, p.text}
	if c.entries.Contains(key) { // somebody else was quicker
		return
	}
	c.entries.Add(key, p)
	for c.text += len(p.text); c.text > c.maxText; {
		c.entries.RemoveOldest()
	}
}
