// Package consumer follows a stream as the Kinesis Client Library does, in one goroutine: it discovers the shards, reads a shard only
// when its parent has been read to its end, takes an iterator's absence as the end of a shard, and remembers by sequence numbers how far
// it has come, so that it can go on with another client.
package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrWrong is wrapped by errors that tell what a stream did wrong.
var ErrWrong = errors.New("consumer: the stream is wrong")

// A Source is a stream as a client sees it.
type Source interface {
	// Shards lists all shards.
	Shards(ctx context.Context) ([]Shard, error)
	// Iterator returns an iterator after a sequence number or, if that is "", from the horizon on.
	Iterator(ctx context.Context, shard, after string) (string, error)
	// Records reads a page. next is "" if there was none.
	Records(ctx context.Context, iterator string) (page []Record, next string, err error)
}

// A Shard is what a description says of a shard.
type Shard struct{ ID, Parent string }

// A Record is one record. The images are what the source makes of them.
type Record struct {
	Sequence, Event string
	Key, Old, New   string
	Size            int
	User            string // who made the change, "" for a client
}

// A Consumer has read a part of a stream.
type Consumer struct {
	shards map[string]*progress
}

// progress is how far a shard has been read.
type progress struct {
	Shard
	iterator string
	last     string // sequence number
	floor    string // of the parent's last record; numbers grow from parents to children
	ended    bool
}

// New returns a consumer that has read nothing.
func New() *Consumer { return &Consumer{shards: map[string]*progress{}} }

// Reconnect forgets the iterators, which another server may not know: reading goes on by sequence numbers.
func (c *Consumer) Reconnect() {
	for _, p := range c.shards {
		p.iterator = ""
	}
}

// Step lists the shards and reads a page of each that may be read. It reports how many records there were, and how many shards were read
// to their ends. An error is one of the source, or tells what the stream did wrong.
func (c *Consumer) Step(ctx context.Context, src Source, take func(Record) error) (n int, err error) {
	if err := c.discover(ctx, src); err != nil {
		return 0, err
	}
	ids := make([]string, 0, len(c.shards))
	for id := range c.shards {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		p := c.shards[id]
		if p.ended || c.waits(p) {
			continue
		}
		if parent := c.shards[p.Parent]; p.last == "" && parent != nil {
			p.floor = parent.last
		}
		read, err := p.read(ctx, src, take)
		n += read
		if err != nil {
			return n, err
		}
		if p.ended {
			n++
		}
	}
	return n, nil
}

// Drain steps until nothing comes any more.
func (c *Consumer) Drain(ctx context.Context, src Source, take func(Record) error) error {
	for {
		n, err := c.Step(ctx, src, take)
		if err != nil || n == 0 {
			return err
		}
	}
}

// Shards returns how many shards have been met.
func (c *Consumer) Shards() int { return len(c.shards) }

func (c *Consumer) discover(ctx context.Context, src Source) error {
	list, err := src.Shards(ctx)
	if err != nil {
		return err
	}
	for i, s := range list {
		if i > 0 && s.ID <= list[i-1].ID {
			return fmt.Errorf("%w: shard %s is listed after %s", ErrWrong, s.ID, list[i-1].ID)
		}
		if s.Parent >= s.ID {
			return fmt.Errorf("%w: shard %s has the parent %s", ErrWrong, s.ID, s.Parent)
		}
		if known := c.shards[s.ID]; known == nil {
			c.shards[s.ID] = &progress{Shard: s}
		} else if known.Parent != s.Parent {
			return fmt.Errorf("%w: the parent of shard %s was %s and is %s", ErrWrong, s.ID, known.Parent, s.Parent)
		}
	}
	return nil
}

// waits reports whether a shard's parent has yet to be read. One that is not listed has been trimmed.
func (c *Consumer) waits(p *progress) bool {
	parent := c.shards[p.Parent]
	return parent != nil && !parent.ended
}

func (p *progress) read(ctx context.Context, src Source, take func(Record) error) (n int, err error) {
	if p.iterator == "" {
		if p.iterator, err = src.Iterator(ctx, p.ID, p.last); err != nil {
			return 0, err
		}
	}
	page, next, err := src.Records(ctx, p.iterator)
	if err != nil {
		return 0, err
	}
	for _, r := range page {
		if !less(p.last, r.Sequence) || !less(p.floor, r.Sequence) {
			return n, fmt.Errorf("%w: shard %s: record %s comes after %s%s", ErrWrong, p.ID, r.Sequence, p.floor, p.last)
		}
		if err := take(r); err != nil {
			return n, fmt.Errorf("shard %s, record %s: %w", p.ID, r.Sequence, err)
		}
		p.last = r.Sequence
		n++
	}
	p.iterator, p.ended = next, next == ""
	return n, nil
}

// less compares sequence numbers as numbers.
func less(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return len(a) < len(b) || len(a) == len(b) && a < b
}
