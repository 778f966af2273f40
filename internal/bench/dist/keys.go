package dist

import "sync"

// Keys chooses the next key, a number below that of the keys that exist.
type Keys interface {
	Next(*RNG) uint64
}

// Uniform chooses each of so many keys equally often.
type Uniform uint64

// Next implements Keys.
func (n Uniform) Next(r *RNG) uint64 { return r.Below(uint64(n)) }

// Zipfian chooses few keys often. The popular ones are scattered over the whole range.
type Zipfian struct{ *Zipf }

// Next implements Keys.
func (z Zipfian) Next(r *RNG) uint64 { return Mix64(z.Rank(r)+0x9e3779b97f4a7c15) % z.n }

// Latest chooses the newest keys most often: the rank counts back from the last key that was inserted.
type Latest struct {
	*Zipf
	Inserted *Counter
}

// Next implements Keys.
func (l Latest) Next(r *RNG) uint64 {
	last := l.Inserted.Last()
	return last - min(last, l.Rank(r))
}

// A Counter hands out the keys of inserts, and knows up to where all of them have been answered: what is read must exist.
// It is safe for concurrent use.
type Counter struct {
	mu      sync.Mutex
	next    uint64
	last    uint64              // all up to it have been answered
	pending map[uint64]struct{} // answered, but some before are not
}

// NewCounter returns a counter for n keys that exist. There must be one at least.
func NewCounter(n uint64) *Counter {
	return &Counter{next: n, last: n - 1, pending: map[uint64]struct{}{}}
}

// Next returns a new key.
func (c *Counter) Next() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	return c.next - 1
}

// Done says that the insert of key has been answered.
func (c *Counter) Done(key uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending[key] = struct{}{}
	for {
		if _, ok := c.pending[c.last+1]; !ok {
			return
		}
		c.last++
		delete(c.pending, c.last)
	}
}

// Last returns the greatest key up to which all exist.
func (c *Counter) Last() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}
