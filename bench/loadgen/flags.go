package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/dist"
	"github.com/grammedb/gramme/internal/bench/workload"
)

// perPartition is how many items a partition of the prepared tables has.
const perPartition = 20

// options are the flags.
type options struct {
	config
	do, addr, workload, label, json string
	keys, table                     string
	items, indexItems, size         int
	consistent, lean, reset         bool
	runs                            int
	seed                            uint64
}

// register defines the flags.
func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.do, "do", "run", "what to do: run, prepare, startup or print")
	fs.StringVar(&o.addr, "addr", "127.0.0.1:8000", "`address` of the server, loopback only")
	fs.StringVar(&o.workload, "workload", "get", "workload or mix")
	fs.IntVar(&o.conns, "c", 16, "connections")
	fs.DurationVar(&o.dur, "d", 5*time.Second, "length of the measured window")
	fs.DurationVar(&o.warmup, "warmup", time.Second, "load before the measured window")
	fs.DurationVar(&o.drain, "drain", 5*time.Second, "how long to wait for answers after the window")
	fs.IntVar(&o.threads, "threads", 1, "client threads")
	fs.IntVar(&o.items, "items", 100_000, "prepared items")
	fs.IntVar(&o.indexItems, "gsi-items", 20_000, "prepared items of the table with the index; 0: no such table")
	fs.IntVar(&o.size, "size", 400, "item size in bytes, by DynamoDB's count (100, 400, 4096)")
	fs.StringVar(&o.table, "table", "perf", "table; the one with the index is named TABLE_gsi")
	fs.StringVar(&o.keys, "dist", "", "key distribution, uniform or zipf (default uniform; zipf for YCSB)")
	fs.BoolVar(&o.consistent, "consistent", false, "GetItem with ConsistentRead")
	fs.IntVar(&o.pool, "pool", 0, "use this many pre-signed requests in turn, a thread (0: sign every request; with a pool, puts repeat their keys)")
	fs.BoolVar(&o.check, "check", true, "look into every 16th answer (startup: into the answer to ListTables), not only at its status")
	fs.BoolVar(&o.lean, "lean", false, "send only the headers that DynamoDB needs, not all that an SDK sends")
	fs.Uint64Var(&o.seed, "seed", 0, "random seed (0: from the clock)")
	fs.IntVar(&o.pid, "pid", 0, "server's process id: report its CPU time and RSS")
	fs.BoolVar(&o.reset, "reset", false, "prepare: delete the tables first")
	fs.IntVar(&o.runs, "n", 5, "startup: how many starts")
	fs.StringVar(&o.json, "json", "", "append the result as one line of JSON to this `file`")
	fs.StringVar(&o.label, "label", "", "name of the server in the JSON line")
	fs.StringVar(&o.cred.AccessKey, "access-key", "AKIDEXAMPLE", "access key id")
	fs.StringVar(&o.cred.Secret, "secret", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "secret access key")
	fs.StringVar(&o.cred.Region, "region", "us-east-1", "region")
	fs.Usage = func() { usageOf(fs) }
}

const usageText = `loadgen: an independent load generator for DynamoDB-compatible servers.

It speaks the DynamoDB JSON 1.0 protocol over HTTP/1.1 keep-alive with SigV4
signatures, in a closed loop: each connection sends its next request when the
answer to the last one is in. It is one epoll loop on one thread (-threads for
more), Linux only, and it talks to loopback addresses only.

  loadgen -do prepare -addr 127.0.0.1:8000 -items 100000
        creates the tables and loads them (DeleteTable first with -reset)
  loadgen -do run -addr 127.0.0.1:8000 -workload get -c 16 -d 5s -pid 1234
        runs one workload and reports it
  loadgen -do startup -addr 127.0.0.1:8000 -- server -flag ...
        starts the command five times (-n), reports the time from exec to the
        first ListTables that succeeds, and the idle RSS
  loadgen -do print -workload put
        prints one signed request

Workloads (-workload), alone or mixed as name:weight,name:weight:
`

func usageOf(fs *flag.FlagSet) {
	out := fs.Output()
	fmt.Fprint(out, usageText)
	for _, o := range workload.Operations() {
		if o.Single() {
			fmt.Fprintf(out, "  %-11s %s\n", o.Name, o.About)
		}
	}
	for _, p := range workload.Presets() {
		fmt.Fprintf(out, "  %-11s %s: %s\n", p.Name, p.About, p.Mix)
	}
	fmt.Fprint(out, "\nFlags:\n")
	fs.PrintDefaults()
}

// sdkHeaders are what an AWS SDK sends beside what DynamoDB needs.
const sdkHeaders = "User-Agent: aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/dynamodb#1.34.4\r\n" +
	"Accept-Encoding: identity\r\n" +
	"Amz-Sdk-Invocation-Id: 3e1c9b2e-7f5d-4a53-9d0f-1c2b3a4d5e6f\r\n" +
	"Amz-Sdk-Request: attempt=1; max=3\r\n"

// configure completes the configuration from the flags.
func (o *options) configure() (err error) {
	if err := o.checkFlags(); err != nil {
		return err
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	c := &o.config
	c.seed = dist.Mix64(o.seed) >> 40
	c.endpoint = client.Endpoint{Address: o.addr, Host: o.addr}
	if !o.lean {
		c.extraHeaders = sdkHeaders
	}
	if c.mix, err = workload.ParseMix(o.workload); err != nil {
		return err
	}
	for _, p := range c.mix.Parts {
		if !p.Operation.Single() {
			return fmt.Errorf("%s is more than one request: use gramme bench", p.Operation.Name)
		}
	}
	c.work = &workload.Config{
		Table: o.table, IndexTable: o.table + "_gsi", Items: uint64(o.items), IndexItems: uint64(o.indexItems),
		PerPartition: perPartition, Size: workload.FixedSize(o.size), Consistent: o.consistent, Segments: o.conns,
	}
	c.work.Keys, err = o.distribution()
	return err
}

// checkFlags looks at the flags that have bounds.
func (o *options) checkFlags() (err error) {
	if o.to, err = netip.ParseAddrPort(o.addr); err != nil {
		return err
	}
	if !o.to.Addr().Is4() || !o.to.Addr().IsLoopback() {
		return fmt.Errorf("%s: only IPv4 loopback addresses", o.addr)
	}
	if o.conns < 1 || o.conns > 4096 || o.threads < 1 || o.threads > o.conns || o.items < perPartition*10 || o.dur > 10*time.Minute {
		return errors.New("a flag is out of range")
	}
	return nil
}

// distribution returns the chooser of keys.
func (o *options) distribution() (dist.Keys, error) {
	name := o.keys
	if name == "" {
		name = workload.FindPreset(o.workload).Distribution
	}
	switch name {
	case "uniform":
		return dist.Uniform(o.items), nil
	case "zipf", "zipfian":
		return dist.Zipfian{Zipf: dist.NewZipf(uint64(o.items))}, nil
	}
	return nil, fmt.Errorf("unknown distribution %q", name)
}
