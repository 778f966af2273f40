// Command ttl measures what the deletion of expired items does to a server: how long it takes, and how GetItem fares beside it.
//
//	gramme serve --data DIR --key ID:SECRET &
//	ttl -url http://127.0.0.1:8000 -key ID:SECRET -items 1000000
//
// It fills a table with items that all expire at one moment, and some that never do. Those it reads at a steady rate, for a while
// before that moment and from then on until the others are gone. Latencies are counted from when a request was due, so that a
// server that stalls is not measured less often. Beside the quantiles of all of them it prints the p99 of the median second, which other
// work on the machine disturbs less, how late the client itself was, and how many cores that took; -seconds prints the p99 of each
// second too. With -control URL another server, which does nothing else, is read at the same rate at the same time: what the machine and
// the client do to latencies it has too.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grammedb/gramme/bench/internal/traffic"
	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/usage"
)

const table = "ttl"

// A run is the settings and what all parts need.
type run struct {
	url         string
	client      traffic.Client
	measured    []traffic.Client // the client, and that of the server to compare with
	bodies      [][]byte         // of the requests that are measured
	items, keep int
	rate        int
	pid         int
	seconds     bool
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
	traffic.Serve()
	var (
		r       run
		key     = flag.String("key", "id:secret", "access key, `ID:SECRET`")
		control = flag.String("control", "", "`URL` of a server to compare with, such as refs serve; it may answer anything")
		within  = flag.Duration("within", time.Minute, "how long after the start the items expire: longer than loading takes")
	)
	flag.StringVar(&r.url, "url", "http://127.0.0.1:8000", "`URL` of the server")
	flag.IntVar(&r.items, "items", 1_000_000, "items of about 200 bytes that expire")
	flag.IntVar(&r.keep, "keep", 100_000, "items that do not, and are read")
	flag.IntVar(&r.client.Conns, "c", 8, "connections")
	flag.IntVar(&r.rate, "rate", 2000, "GetItem calls a second")
	flag.DurationVar(&r.idle, "idle", 15*time.Second, "how long to read before the items expire")
	flag.IntVar(&r.pid, "pid", 0, "process `ID` of the server, to charge its CPU time apart from that of others")
	flag.BoolVar(&r.seconds, "seconds", false, "print the p99 of each second")
	flag.Parse()
	if r.client.Endpoint, err = client.ParseEndpoint(r.url); err != nil {
		return err
	}
	id, secret, _ := strings.Cut(*key, ":")
	r.client.Credentials = client.Credentials{AccessKey: id, Secret: secret, Region: "us-east-1"}
	r.measured = append(r.measured, r.client)
	if *control != "" {
		c := r.client
		if c.Endpoint, err = client.ParseEndpoint(*control); err != nil {
			return err
		}
		r.measured = append(r.measured, c)
	}
	for n := range r.keep {
		r.bodies = append(r.bodies, fmt.Appendf(nil, `{"TableName":"%s","Key":{"pk":{"S":"keep-%08d"}}}`, table, n))
	}
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
	if err := r.read(ctx, "before", func(int) bool { return time.Now().Before(r.expires) }); err != nil {
		return err
	}
	begin = time.Now()
	gone, err := r.deleted()
	if err != nil {
		return err
	}
	want := gone + r.items // an earlier run has deleted items too
	err = r.read(ctx, "beside", func(gone int) bool { return gone < want })
	if err != nil {
		return err
	}
	took := time.Since(begin)
	fmt.Printf("swept %d items in %v: %.0f a second\n", r.items, took.Round(time.Millisecond), float64(r.items)/took.Seconds())
	after := time.Now().Add(r.idle)
	return r.read(ctx, "after", func(int) bool { return time.Now().Before(after) })
}

// report prints the latencies, before that the p99 of each second if asked for.
func (r *run) report(what, when string, found traffic.Steady) {
	l := found.Latencies
	all, late := l.All(), found.Late.All()
	show := func(ns uint64) time.Duration { return time.Duration(ns).Round(time.Microsecond) }
	for _, second := range slices.Sorted(maps.Keys(l)) {
		if r.seconds {
			fmt.Printf("%s %s %s: n %d  p99 %v  sent late %v\n", what, when, time.Unix(second, 0).Format(time.TimeOnly), l[second].Count(),
				show(l[second].Quantile(0.99)), show(found.Late[second].Quantile(0.99)))
		}
	}
	fmt.Printf("%s %-7s n %d  p50 %v  p90 %v  p99 %v  p99.9 %v  p99 of the median second %v  sent late: p99 %v\n", what, when, all.Count(),
		show(all.Quantile(0.5)), show(all.Quantile(0.9)), show(all.Quantile(0.99)), show(all.Quantile(0.999)),
		l.MedianSecond(0.99).Round(time.Microsecond), show(late.Quantile(0.99)))
}

// charge prints how many cores were in use between two readings of the clocks. Without the server's process its cores are among the others'.
func charge(from, to usage.Sample) {
	secs := to.At.Sub(from.At).Seconds()
	cores := func(from, to float64) float64 { return (to - from) / secs }
	client, server, busy := cores(from.Self, to.Self), cores(from.Server, to.Server), cores(from.Busy, to.Busy)
	fmt.Printf("    cores: server %.2f  client %.2f  others %.2f  stolen %.2f\n", server, client, max(0, busy-server-client), cores(from.Stolen, to.Stolen))
}

// load makes the table anew and fills it.
func (r *run) load(ctx context.Context) error {
	_, _ = r.client.Call(ctx, "DeleteTable", `{"TableName":"`+table+`"}`) // of an earlier run
	for _, op := range [][2]string{
		{"CreateTable", `{"TableName":"` + table + `","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`},
		{"UpdateTimeToLive", `{"TableName":"` + table + `","TimeToLiveSpecification":{"AttributeName":"expires","Enabled":true}}`},
	} {
		if _, err := r.client.Call(ctx, op[0], op[1]); err != nil {
			return err
		}
	}
	return r.client.Each(func(i int, conn *client.Conn) error { return r.fill(ctx, i, conn) })
}

// fill writes the part of connection i of the items.
func (r *run) fill(ctx context.Context, i int, conn *client.Conn) error {
	var b bytes.Buffer
	for at := i * 25; at < r.items+r.keep; at += r.client.Conns * 25 {
		b.Reset()
		b.WriteString(`{"RequestItems":{"` + table + `":[`)
		for n := at; n < min(at+25, r.items+r.keep); n++ {
			if n > at {
				b.WriteByte(',')
			}
			b.WriteString(`{"PutRequest":{"Item":` + r.item(n) + `}}`)
		}
		b.WriteString(`]}}`)
		if _, err := traffic.Call(ctx, conn, "BatchWriteItem", b.Bytes()); err != nil {
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

// plain does not ask for compression, which takes the server as long as the rest.
var plain = http.Client{Transport: &http.Transport{DisableCompression: true}}

// deleted returns how many items the server's metrics say have been deleted. To ask for the size of the table would disturb it more.
func (r *run) deleted() (int, error) {
	resp, err := plain.Get(r.url + "/_gramme/metrics")
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

// read gets items at the rate as long as goOn says, which is told twice a second how many items have been deleted, and reports how
// that went. To ask for that takes the server milliseconds, so it is done in the same way whether goOn needs it or not.
func (r *run) read(ctx context.Context, when string, goOn func(deleted int) bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer stop()
		for {
			if gone, err := r.deleted(); err == nil && !goOn(gone) {
				return
			}
			time.Sleep(500 * time.Millisecond)
		}
	}()
	begin := usage.Take(r.pid)
	found, err := traffic.Compare(ctx, r.rate, "GetItem", r.bodies, r.measured...)
	if err != nil {
		return err
	}
	end := usage.Take(r.pid)
	for i, what := range []string{"GetItem", "control"}[:len(found)] {
		r.report(what, when, found[i])
	}
	charge(begin, end)
	return nil
}
