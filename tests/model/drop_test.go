package model

import (
	"fmt"
	"sync"
	"testing"

	"github.com/grammedb/gramme/tests/harness"
)

// TestDropWhileReading drops indexes and tables under readers: a reader is shown everything or told that it is gone, never a
// part of what there was.
func TestDropWhileReading(t *testing.T) {
	sys, err := startSystem(harness.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	c := &crowd{T: t, sys: sys}
	const n = 200
	for round := range 12 {
		name := fmt.Sprint("T-", round)
		c.must(&Op{Kind: "create", Table: name, Schema: &Schema{Part: Attr{"pk", "N"}, Indexes: []Index{{Name: "global-1", Part: []Attr{{"a", "S"}}, Proj: "ALL"}}}})
		for i := 0; i < n; i += 25 {
			c.must(numbered(name, i, 25))
		}
		index := &Op{Kind: "scan", Table: name, Index: "global-1", Pages: 1000, Limit: 90}
		whole := &Op{Kind: "scan", Table: name, Pages: 1000, Limit: 90}
		one := &Op{Kind: "get", Table: name, Item: Item{"pk": num(n - 1)}}
		pair := &Op{Kind: "transactget", Ops: []Op{*one, {Kind: "get", Table: name, Item: Item{"pk": num(0)}}}}
		c.readWhile(index, invalid, n, func() { c.must(&Op{Kind: "dropindex", Table: name, Index: "global-1"}) })
		var wg sync.WaitGroup
		wg.Go(func() { c.readWhile(one, notFound, 1, func() {}) })
		wg.Go(func() { c.readWhile(pair, notFound, 2, func() {}) })
		c.readWhile(whole, notFound, n, func() { c.must(&Op{Kind: "drop", Table: name}) })
		wg.Wait()
	}
}

// numbered puts items with the numbers from first on, all with one value of a.
func numbered(table string, first, n int) *Op {
	op := &Op{Kind: "batchwrite"}
	for i := range n {
		op.Ops = append(op.Ops, Op{Kind: "put", Table: table, Item: Item{"pk": num(int64(first + i)), "a": str("x")}})
	}
	return op
}

// readWhile reads again and again, and drops what is read meanwhile, until the reader is told so. Every answer before that has
// n items.
func (c *crowd) readWhile(op *Op, goneCode string, n int, drop func()) {
	c.Helper()
	started, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			a, err := c.sys.do(c.Context(), op)
			if i == 1 {
				close(started)
			}
			if a.Code == goneCode && err == nil {
				return
			}
			if got := a.count(); got != n || err != nil {
				c.Errorf("%v: %d items, want %d; %s %v", op, got, n, a.Code, err)
				return
			}
		}
	}()
	select {
	case <-started:
	case <-done: // dropped by another
	}
	drop()
	<-done
}

// count counts the items of an answer.
func (a *answer) count() (n int) {
	for _, p := range a.Pages {
		n += p.Count
	}
	for _, it := range append(a.Items, a.Item) {
		if it != "" {
			n++
		}
	}
	return n
}
