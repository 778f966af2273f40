package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// A signingKey signs for one access key, day, region and service.
type signingKey struct {
	identity Identity
	date     string
	macs     sync.Pool // of hash.Hash, keyed
}

// newSigningKey derives the key of a scope from a secret.
func newSigningKey(sc scope, secret string) *signingKey {
	k := &signingKey{identity: Identity{
		AccessKey: strings.Clone(sc.accessKey),
		Region:    strings.Clone(sc.region),
		Service:   strings.Clone(sc.service),
	}, date: strings.Clone(sc.date)}
	derived := []byte("AWS4" + secret)
	for _, step := range [...]string{sc.date, sc.region, sc.service, sc.term} {
		mac := hmac.New(sha256.New, derived)
		mac.Write([]byte(step))
		derived = mac.Sum(nil)
	}
	k.macs.New = func() any { return hmac.New(sha256.New, derived) }
	return k
}

// sum appends the HMAC-SHA256 of text to dst.
func (k *signingKey) sum(dst, text []byte) []byte {
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	mac.Write(text)
	return mac.Sum(dst)
}

// maxKeys bounds the cache. A client uses a key a day for each region and service.
const maxKeys = 1024

// A keyCache remembers signing keys by their credential. Readers take no lock; the map is copied when a key is added,
// which is rare.
type keyCache struct {
	current atomic.Pointer[map[string]*signingKey]
	mu      sync.Mutex // writers
}

func (c *keyCache) get(credential string) *signingKey {
	m := c.current.Load()
	if m == nil {
		return nil
	}
	return (*m)[credential]
}

// add keeps credential itself: it must not be changed afterwards. A full cache starts again from nothing.
func (c *keyCache) add(credential string, k *signingKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := make(map[string]*signingKey)
	if m := c.current.Load(); m != nil && len(*m) < maxKeys {
		maps.Copy(next, *m)
	}
	next[credential] = k
	c.current.Store(&next)
}
