package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/bench/internal/traffic"
	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/dist"
	"github.com/grammedb/gramme/internal/bench/usage"
	"github.com/grammedb/gramme/internal/bench/workload"
)

// create makes the table.
func (t *test) create(ctx context.Context) error {
	_, err := t.load.Call(ctx, "CreateTable", `{"TableName":"`+table+`","BillingMode":"PAY_PER_REQUEST",`+
		`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],`+
		`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`)
	return err
}

// grow loads items until there are so many, and times the steps.
func (t *test) grow(ctx context.Context, to uint64) error {
	for t.loaded < to {
		step := int(t.loaded / t.step)
		end := min(to, uint64(step+1)*t.step)
		begin := time.Now()
		if err := t.write(ctx, t.loaded, end); err != nil {
			return err
		}
		for len(t.steps) <= step {
			t.steps = append(t.steps, 0)
		}
		t.steps[step] += time.Since(begin)
		t.loaded = end
		t.resident()
		progress("%s items, %.0f of these a second", count(end), t.rateOf(step))
	}
	return nil
}

// write writes items from..to-1 in batches.
func (t *test) write(ctx context.Context, from, to uint64) error {
	var next atomic.Uint64
	next.Store(from)
	return t.load.Each(func(_ int, conn *client.Conn) error {
		var body []byte
		for {
			end := next.Add(workload.BatchWriteItems)
			if end-workload.BatchWriteItems >= to {
				return nil
			}
			body = t.work.AppendLoad(body[:0], table, end-workload.BatchWriteItems, min(end, to))
			answer, err := traffic.Call(ctx, conn, "BatchWriteItem", body)
			if err != nil {
				return err
			}
			if rest := workload.Remaining("BatchWriteItem", answer); rest != nil {
				return errors.New("the server left a part of a batch unprocessed")
			}
		}
	})
}

// growBeside grows the table while it is read.
func (t *test) growBeside(ctx context.Context, to uint64) error {
	found, err := t.steady(ctx, func() error { return t.grow(ctx, to) })
	for i := range found {
		t.during[i].Merge(found[i])
	}
	return err
}

// steady reads the items of the first size at a steady rate as long as something else lasts, and from the server to compare with, if
// there is one.
func (t *test) steady(ctx context.Context, beside func() error) (found []traffic.Steady, err error) {
	reading, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		defer stop()
		ended <- beside()
	}()
	gets := t.gets(smallItems, 1)
	bodies := make([][]byte, smallItems)
	for i := range bodies {
		bodies[i] = gets.Body(0, nil)
	}
	err = t.watch(func() (err error) {
		found, err = traffic.Compare(reading, t.rate, gets.Operation, bodies, t.measured...)
		return err
	})
	return found, errors.Join(err, <-ended)
}

// reads measures GetItem over so many connections that no processor sleeps between two of them, which takes some machines longer to
// end than the server takes to answer: of items that are always the same, right behind the load and again when the store is
// quiet, and of all.
func (t *test) reads(ctx context.Context) error {
	beside, err := t.p50(ctx, hotItems)
	if err != nil {
		return err
	}
	after, err := t.settle(ctx)
	if err != nil {
		return err
	}
	hot, err := t.p50(ctx, hotItems)
	if err != nil {
		return err
	}
	all, err := t.p50(ctx, t.loaded)
	if err != nil {
		return err
	}
	t.hot = append(t.hot, hot)
	t.fact("p50 of GetItem with "+count(t.loaded)+" items, of all; of "+count(hotItems)+" of them; of those right behind the load",
		fmt.Sprintf("%v; %v; %v (the first two %s)", round(all), round(hot), round(beside), after))
	return nil
}

const busyConns = 16

// p50 reads among the first items, once for the caches and once measured.
func (t *test) p50(ctx context.Context, among uint64) (time.Duration, error) {
	c := t.measured[0]
	c.Conns = busyConns
	var p50 time.Duration
	for range 2 {
		err := t.watch(func() error {
			ctx, stop := context.WithTimeout(ctx, t.look)
			defer stop()
			l, err := c.Closed(ctx, t.gets(min(among, t.loaded), busyConns))
			p50 = time.Duration(l.All().Quantile(0.5))
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return p50, nil
}

// gets asks for any of the first items.
func (t *test) gets(among uint64, conns int) traffic.Request {
	work := *t.work
	work.Keys = dist.Uniform(among)
	mix, err := workload.ParseMix("get")
	if err != nil {
		panic(err)
	}
	op := mix.Parts[0].Operation
	gens, cursors := make([]*workload.Generator, conns), make([]workload.Cursor, conns)
	for i := range gens {
		gens[i] = workload.NewGenerator(&work, uint64(time.Now().UnixNano())+uint64(i), 0)
	}
	return traffic.Request{Operation: op.Target, Body: func(i int, b []byte) []byte { return op.Body(gens[i], &cursors[i], b) }}
}

// present makes sure that an item is there.
func (t *test) present(ctx context.Context, item uint64) error {
	answer, err := t.load.Call(ctx, "GetItem", fmt.Sprintf(`{"TableName":"%s","Key":{"pk":{"S":"exp-%06d"},"sk":{"N":"%d"}},"ConsistentRead":true}`,
		table, item/t.work.PerPartition, item%t.work.PerPartition))
	if err == nil && !bytes.Contains(answer, []byte(`"Item"`)) {
		err = fmt.Errorf("item %d, which was acknowledged, is lost", item)
	}
	return err
}

// watch notes what other work took of the processor during f.
func (t *test) watch(f func() error) error {
	before := usage.Take(t.server.PID())
	err := f()
	after := usage.Take(t.server.PID())
	t.resident()
	used := after.Busy - before.Busy - (after.Self - before.Self) - (after.Server - before.Server)
	t.others = append(t.others, max(0, used/after.At.Sub(before.At).Seconds()))
	return err
}

const (
	quietFor   = 2 * time.Second // without a compaction
	quietLimit = 3 * time.Minute
)

// settle waits until no compaction has run for a while, at most until the limit, and says what it found.
func (t *test) settle(ctx context.Context) (says string, err error) {
	begin := time.Now()
	var busy time.Time // when a compaction was last seen
	var done float64
	for busy = begin; time.Since(begin) < quietLimit; time.Sleep(quietFor / 8) {
		running, err := t.metric("gramme_store_compactions_running")
		if err != nil {
			return "", err
		}
		ended, err := t.metric("gramme_store_compactions_total")
		if err != nil {
			return "", err
		}
		if running > 0 || ended != done {
			busy, done = time.Now(), ended
		}
		if time.Since(busy) >= quietFor {
			return fmt.Sprintf("when compactions had ended, %v later", busy.Sub(begin).Round(time.Second)), ctx.Err()
		}
	}
	return fmt.Sprintf("while compactions went on %v later", quietLimit), ctx.Err()
}

// metric asks the server for one of its metrics.
func (t *test) metric(name string) (float64, error) {
	resp, err := http.Get("http://" + t.command.Endpoint.Address + "/_gramme/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, errors.Join(fmt.Errorf("the server has no metric %s", name), lines.Err())
}
