package pebblekv

import (
	"maps"
	"slices"
)

// A clock keeps entries under hashes within a budget of bytes. Those that are not used between two visits are evicted (the CLOCK
// algorithm).
type clock[E clocked] struct {
	kept   map[uint64]E
	queue  []uint64 // hashes in the order in which they are visited; of some the entry has been dropped
	bytes  int
	budget int
	gone   func(E) // is told what is not kept any more; may be nil
}

type clocked interface {
	size() int
	// spare reports whether the entry has been used, and forgets it.
	spare() bool
}

func newClock[E clocked](budget int) clock[E] {
	return clock[E]{kept: make(map[uint64]E), budget: budget}
}

// put keeps e instead of what is under h.
func (c *clock[E]) put(h uint64, e E) {
	c.drop(h)
	c.kept[h] = e
	c.queue = append(c.queue, h)
	c.bytes += e.size()
	for c.bytes > c.budget {
		c.visit()
	}
	if len(c.queue) > 2*len(c.kept)+64 { // mostly hashes whose entry was dropped
		c.queue = slices.AppendSeq(c.queue[:0], maps.Keys(c.kept))
	}
}

// visit evicts the first of the queue, or lets it off once if it was used.
func (c *clock[E]) visit() {
	h := c.queue[0]
	c.queue = c.queue[1:]
	if e, ok := c.kept[h]; ok && e.spare() {
		c.queue = append(c.queue, h)
		return
	}
	c.drop(h)
}

// drop forgets what is under h.
func (c *clock[E]) drop(h uint64) {
	e, ok := c.kept[h]
	if !ok {
		return
	}
	c.bytes -= e.size()
	delete(c.kept, h)
	if c.gone != nil {
		c.gone(e)
	}
}

// clear forgets everything.
func (c *clock[E]) clear() {
	if c.gone != nil {
		for _, e := range c.kept {
			c.gone(e)
		}
	}
	clear(c.kept)
	c.queue, c.bytes = nil, 0
}
