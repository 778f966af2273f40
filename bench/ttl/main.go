// Command ttl measures what the deletion of expired items does to a server: how long it takes, and how GetItem fares beside it.
//
//	gramme serve --data DIR --key ID:SECRET &
//	ttl -url http://127.0.0.1:8000 -key ID:SECRET -items 1000000
//
// It fills a table with items that all expire at one moment, and some that never do. Those it reads at a steady rate, for a while
// before that moment and from then on until the others are gone. Latencies are counted from when a request was due, so that a
// server that stalls is not measured less often. Beside the quantiles of all of them it prints the p99 of the median second, which other
// work on the machine disturbs less.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/hist"
)

const table = "ttl"

// A run is the settings and what all parts need.
type run struct {
	url         string
	endpoint    client.Endpoint
	cred        client.Credentials
	items, keep int
	conns, rate int
	idle        time.Duration
	expires     time.Time
}

func main() {
	if err := mainErr(); err != nil {
		fmt.Fprintln(os.Stderr, "ttl:", err)
		os.Exit(1)
	}
}

func mainErr() (err error) {
	var (
		r      run
		key    = flag.String("key", "id:secret", "access key, `ID:SECRET`")
		within = flag.Duration("within", time.Minute, "how long after the start the items expire: longer than loading takes")
	)
	flag.StringVar(&r.url, "url", "http://127.0.0.1:8000", "`URL` of the server")
	flag.IntVar(&r.items, "items", 1_000_000, "items of about 200 bytes that expire")
	flag.IntVar(&r.keep, "keep", 100_000, "items that do not, and are read")
	flag.IntVar(&r.conns, "c", 8, "connections")
	flag.IntVar(&r.rate, "rate", 2000, "GetItem calls a second")
	flag.DurationVar(&r.idle, "idle", 15*time.Second, "how long to read before the items expire")
	flag.Parse()
	if r.endpoint, err = client.ParseEndpoint(r.url); err != nil {
		return err
	}
	id, secret, _ := strings.Cut(*key, ":")
	r.cred = client.Credentials{AccessKey: id, Secret: secret, Region: "us-east-1"}
	r.expires = time.Now().Add(*within).Truncate(time.Second)
	return r.measure(context.Background())
}

func (r *run) measure(ctx context.Context) error {
	begin := time.Now()
	if err := r.load(ctx); err != nil {
		return err
	}
	fmt.Printf("loaded %d items in %v\n", r.items+r.keep, time.Since(begin).Round(time.Second))
	wait := time.Until(r.expires) - r.idle
	if wait < 0 {
		return errors.New("the items expire too early: give -within more time")
	}
	time.Sleep(wait)
	before, err := r.read(ctx, func() bool { return time.Now().Before(r.expires) })
	if err != nil {
		return err
	}
	report("before", before)
	begin = time.Now()
	gone, err := r.deleted()
	if err != nil {
		return err
	}
	want := gone + r.items // an earlier run has deleted items too
	beside, err := r.read(ctx, func() bool {
		if n, err := r.deleted(); err == nil {
			gone = n
		}
		return gone < want
	})
	if err != nil {
		return err
	}
	took := time.Since(begin)
	fmt.Printf("swept %d items in %v: %.0f a second\n", r.items, took.Round(time.Millisecond), float64(r.items)/took.Seconds())
	report("beside", beside)
	after := time.Now().Add(r.idle)
	h, err := r.read(ctx, func() bool { return time.Now().Before(after) })
	report("after", h)
	return err
}

// latencies are those of the calls that were due in each second.
type latencies map[int64]*hist.Hist

func (l latencies) add(due time.Time, took time.Duration) {
	h := l[due.Unix()]
	if h == nil {
		h = new(hist.Hist)
		l[due.Unix()] = h
	}
	h.Add(uint64(took))
}

func (l latencies) merge(o latencies) {
	for second, h := range o {
		if l[second] == nil {
			l[second] = new(hist.Hist)
		}
		l[second].Merge(h)
	}
}

func report(when string, l latencies) {
	var all hist.Hist
	var p99s []uint64
	for _, h := range l {
		all.Merge(h)
		p99s = append(p99s, h.Quantile(0.99))
	}
	slices.Sort(p99s)
	show := func(ns uint64) time.Duration { return time.Duration(ns).Round(time.Microsecond) }
	fmt.Printf("GetItem %-7s n %d  p50 %v  p90 %v  p99 %v  p99.9 %v  p99 of the median second %v\n", when, all.Count(),
		show(all.Quantile(0.5)), show(all.Quantile(0.9)), show(all.Quantile(0.99)), show(all.Quantile(0.999)), show(p99s[len(p99s)/2]))
}

// connect returns a connection.
func (r *run) connect() *client.Conn {
	return client.NewConn(r.endpoint, r.cred, "gramme-bench-ttl", 30*time.Second)
}

// call sends a request and returns the body of the answer.
func call(ctx context.Context, c *client.Conn, operation, body string) ([]byte, error) {
	var a client.Response
	if _, err := c.Do(ctx, operation, []byte(body), &a); err != nil {
		return nil, err
	}
	if a.Status != 200 {
		return nil, fmt.Errorf("%s: %d %s", operation, a.Status, a.Body)
	}
	return a.Body, nil
}

// load makes the table anew and fills it.
func (r *run) load(ctx context.Context) error {
	c := r.connect()
	defer c.Close()
	_, _ = call(ctx, c, "DeleteTable", `{"TableName":"`+table+`"}`) // of an earlier run
	for _, op := range [][2]string{
		{"CreateTable", `{"TableName":"` + table + `","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`},
		{"UpdateTimeToLive", `{"TableName":"` + table + `","TimeToLiveSpecification":{"AttributeName":"expires","Enabled":true}}`},
	} {
		if _, err := call(ctx, c, op[0], op[1]); err != nil {
			return err
		}
	}
	return r.each(func(i int) error { return r.fill(ctx, i) })
}

// each does something once for each connection, at the same time.
func (r *run) each(do func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, r.conns)
	for i := range r.conns {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// fill writes the part of connection i of the items.
func (r *run) fill(ctx context.Context, i int) error {
	c := r.connect()
	defer c.Close()
	var b strings.Builder
	for at := i * 25; at < r.items+r.keep; at += r.conns * 25 {
		b.Reset()
		b.WriteString(`{"RequestItems":{"` + table + `":[`)
		for n := at; n < min(at+25, r.items+r.keep); n++ {
			if n > at {
				b.WriteByte(',')
			}
			b.WriteString(`{"PutRequest":{"Item":` + r.item(n) + `}}`)
		}
		b.WriteString(`]}}`)
		if _, err := call(ctx, c, "BatchWriteItem", b.String()); err != nil {
			return err
		}
	}
	return nil
}

// item returns item n. The first ones are kept.
func (r *run) item(n int) string {
	if n < r.keep {
		return fmt.Sprintf(`{"pk":{"S":"keep-%08d"},"data":{"S":"%0164d"}}`, n, n)
	}
	return fmt.Sprintf(`{"pk":{"S":"item-%08d"},"expires":{"N":"%d"},"data":{"S":"%0164d"}}`, n, r.expires.Unix(), n)
}

// deleted returns how many items the server's metrics say have been deleted. To ask for the size of the table would disturb it more.
func (r *run) deleted() (int, error) {
	resp, err := http.Get(r.url + "/_gramme/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if n, ok := strings.CutPrefix(lines.Text(), `gramme_time_to_live_deleted_items_total{region="us-east-1",table="`+table+`"} `); ok {
			f, err := strconv.ParseFloat(n, 64)
			return int(f), err
		}
	}
	return 0, lines.Err()
}

// read gets items at the rate as long as goOn says, which is asked four times a second.
func (r *run) read(ctx context.Context, goOn func() bool) (latencies, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer stop()
		for goOn() {
			time.Sleep(250 * time.Millisecond)
		}
	}()
	parts := make([]latencies, r.conns)
	err := r.each(func(i int) error {
		parts[i] = latencies{}
		return r.readOne(ctx, parts[i])
	})
	all := latencies{}
	for _, l := range parts {
		all.merge(l)
	}
	return all, err
}

// readOne is the part of one connection of read.
func (r *run) readOne(ctx context.Context, l latencies) error {
	c := r.connect()
	defer c.Close()
	gap := time.Duration(r.conns) * time.Second / time.Duration(r.rate)
	due := time.Now().Add(rand.N(gap))
	for ctx.Err() == nil {
		time.Sleep(time.Until(due))
		_, err := call(context.WithoutCancel(ctx), c, "GetItem", fmt.Sprintf(`{"TableName":"%s","Key":{"pk":{"S":"keep-%08d"}}}`, table, rand.IntN(r.keep)))
		if err != nil {
			return err
		}
		l.add(due, time.Since(due))
		due = due.Add(gap)
	}
	return nil
}
