// Command streams measures what a stream of both images costs a table's writes, how fast one consumer reads it, and how long after a write
// a consumer has its record.
//
//	gramme serve --data DIR --key ID:SECRET &
//	streams -url http://127.0.0.1:8000 -key ID:SECRET
//
// Writes are PutItem of new items of 400 bytes, to a table with a stream and to one without in turns; the ratio of their rates is that of
// each round. The consumer is one connection that decodes all it is answered, as an SDK would.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/bench/internal/traffic"
	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/usage"
)

// The tables.
const (
	plain    = "streams-plain"
	streamed = "streams-both"
)

// A run is the settings and what all parts need.
type run struct {
	client        traffic.Client
	rounds        int
	each          time.Duration
	records, rate int
	pid           int
	keys          atomic.Int64 // the newest item's
}

func main() {
	if err := mainErr(); err != nil {
		fmt.Fprintln(os.Stderr, "streams:", err)
		os.Exit(1)
	}
}

func mainErr() (err error) {
	traffic.Serve()
	var (
		r     run
		url   = flag.String("url", "http://127.0.0.1:8000", "`URL` of the server")
		key   = flag.String("key", "id:secret", "access key, `ID:SECRET`")
		conns = flag.String("c", "1,16,64", "numbers of connections that write")
	)
	flag.IntVar(&r.rounds, "rounds", 5, "rounds for each number of connections")
	flag.DurationVar(&r.each, "each", time.Second, "how long to write to each table in a round")
	flag.IntVar(&r.records, "records", 200_000, "records to read at most")
	flag.IntVar(&r.rate, "rate", 500, "PutItem calls a second while records are waited for")
	flag.IntVar(&r.pid, "pid", 0, "process `ID` of the server, to tell its CPU time for a PutItem")
	flag.Parse()
	if r.client.Endpoint, err = client.ParseEndpoint(*url); err != nil {
		return err
	}
	id, secret, _ := strings.Cut(*key, ":")
	r.client.Credentials = client.Credentials{AccessKey: id, Secret: secret, Region: "us-east-1"}
	ctx := context.Background()
	if err := r.create(ctx); err != nil {
		return err
	}
	for text := range strings.SplitSeq(*conns, ",") {
		if r.client.Conns, err = strconv.Atoi(text); err != nil {
			return err
		}
		if err := r.cost(ctx); err != nil {
			return err
		}
	}
	if err := r.drain(ctx); err != nil {
		return err
	}
	return r.delay(ctx)
}

// create makes the tables anew.
func (r *run) create(ctx context.Context) error {
	for table, stream := range map[string]string{plain: "", streamed: `,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}`} {
		_, _ = r.client.Call(ctx, "DeleteTable", `{"TableName":"`+table+`"}`) // of an earlier run
		_, err := r.client.Call(ctx, "CreateTable", `{"TableName":"`+table+`","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]`+stream+`}`)
		if err != nil {
			return err
		}
	}
	return nil
}

// put puts a new item of 400 bytes, which says when it was sent.
func (r *run) put(table string) traffic.Request {
	return traffic.Request{Operation: "PutItem", Body: func(_ int, b []byte) []byte {
		return r.item(b, table, strconv.FormatInt(time.Now().UnixNano(), 10))
	}}
}

// item appends the body of a PutItem of a new item.
func (r *run) item(b []byte, table, at string) []byte {
	return fmt.Appendf(b, `{"TableName":"%s","Item":{"pk":{"S":"item-%010d"},"at":{"N":"%s"},"data":{"S":"%0340d"},"tags":{"SS":["one","two"]},"n":{"N":"7"}}}`,
		table, r.keys.Add(1), at, 0)
}

// A speed is how a table was written to.
type speed struct {
	rate float64       // puts a second
	cpu  time.Duration // of the server for a put
}

// cost writes to both tables in turns, one beginning a round as often as the other.
func (r *run) cost(ctx context.Context) error {
	var rates, cpus []float64
	for round := range r.rounds {
		order := []string{plain, streamed}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		got := map[string]speed{}
		for _, table := range order {
			s, err := r.write(ctx, table)
			if err != nil {
				return err
			}
			got[table] = s
		}
		rates = append(rates, got[streamed].rate/got[plain].rate)
		cpus = append(cpus, float64(got[streamed].cpu)/float64(got[plain].cpu))
		fmt.Printf("PutItem c=%-3d without %6.0f/s %v CPU   with a stream %6.0f/s %v CPU\n", r.client.Conns,
			got[plain].rate, got[plain].cpu, got[streamed].rate, got[streamed].cpu)
	}
	slices.Sort(rates)
	slices.Sort(cpus)
	fmt.Printf("PutItem c=%-3d with a stream: rate x %.2f (%.2f to %.2f)   CPU x %.2f\n", r.client.Conns,
		rates[len(rates)/2], rates[0], rates[len(rates)-1], cpus[len(cpus)/2])
	return nil
}

// write puts items as fast as the server takes them.
func (r *run) write(ctx context.Context, table string) (speed, error) {
	ctx, stop := context.WithTimeout(ctx, r.each)
	defer stop()
	begin := usage.Take(r.pid)
	l, err := r.client.Closed(ctx, r.put(table))
	if err != nil {
		return speed{}, err
	}
	end := usage.Take(r.pid)
	n := float64(l.All().Count())
	return speed{
		rate: n / end.At.Sub(begin.At).Seconds(),
		cpu:  time.Duration((end.Server - begin.Server) / n * float64(time.Second)).Round(100 * time.Nanosecond),
	}, nil
}
