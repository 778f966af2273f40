package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/bench"
	"github.com/grammedb/gramme/internal/bench/report"
	"github.com/grammedb/gramme/internal/bench/result"
	"github.com/grammedb/gramme/internal/bench/workload"
)

var errBench = fmt.Errorf("%w bench", errUsage) // where the flags are listed

// benchOptions are the flags of bench.
type benchOptions struct {
	bench.Config
	endpoint, region, key, token, caFile string
	size, values                         string
	json, html                           string
	quiet, compare                       bool
	args                                 []string
}

func (o *benchOptions) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c := &o.Config
	*c = bench.Defaults()
	fs.StringVar(&o.endpoint, "endpoint", "", "`URL` of the server, or aws (AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, "+c.URL+")")
	fs.StringVar(&o.region, "region", "", "`region` (AWS_REGION, AWS_DEFAULT_REGION, us-east-1)")
	fs.StringVar(&o.key, "key", "", "access `key`, ID:SECRET (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)")
	fs.StringVar(&o.token, "session-token", "", "session `token` (AWS_SESSION_TOKEN)")
	fs.StringVar(&o.caFile, "ca-file", "", "`file` of certificates to trust too, PEM (AWS_CA_BUNDLE)")

	fs.StringVar(&c.Workload, "workload", c.Workload, "`name` of a workload, or a mix like get:90,update:10")
	fs.IntVar(&c.Connections, "connections", c.Connections, "connections, a `number`; each has one request under way")
	fs.Float64Var(&c.Rate, "rate", 0, "operations a second, a `number`, due at even distances; 0: as fast as they are answered")
	fs.DurationVar(&c.Duration, "duration", c.Duration, "`duration` of the measured window")
	fs.Uint64Var(&c.Operations, "operations", 0, "end after this `number` of operations, without --duration only then")
	fs.DurationVar(&c.Warmup, "warmup", c.Warmup, "`duration` of the load before the window")

	fs.Uint64Var(&c.Items, "items", c.Items, "items in the table, a `number`")
	fs.StringVar(&o.size, "item-size", "400", "`bytes` of an item: 400, 100-4096 or 100-4096:zipfian")
	fs.StringVar(&o.values, "values", "text", "`kind` of the values: text, or random, which does not compress")
	fs.Uint64Var(&c.PerPartition, "partition-items", 0, "items in a partition, a `number` (20; 100 for ycsbe)")
	fs.StringVar(&c.Distribution, "distribution", "", "which items are asked for: `uniform`, zipfian or latest (the workload's own)")
	fs.BoolVar(&c.Consistent, "consistent", false, "strongly consistent reads")
	fs.BoolVar(&c.Verify, "verify", false, "look into every answer, and count the wrong ones as errors")

	fs.StringVar(&c.Table, "table", "", "`name` of the table (gramme-bench- and the time)")
	fs.BoolVar(&c.Keep, "keep", false, "leave the table for another run, which then need not load it")
	fs.BoolVar(&c.Existing, "existing", false, "write into --table although gramme bench has not made it; it stays")
	fs.StringVar(&c.Provisioned, "provisioned", "", "capacity `units` of a new table, READ,WRITE; without it on demand")

	fs.DurationVar(&c.Timeout, "timeout", c.Timeout, "`duration` that a request may take")
	fs.IntVar(&c.Retries, "retries", c.Retries, "how often a request is sent again after a failure that may pass, a `number`")
	fs.Uint64Var(&c.Seed, "seed", 0, "`number` that the random choices follow from; 0: from the clock")
	fs.IntVar(&c.ServerPID, "server-pid", 0, "process `id` of a server on this machine: report its CPU time and memory (Linux)")
	fs.StringVar(&o.json, "json", "", "write the result to this `file`")
	fs.StringVar(&o.html, "html", "", "write a report with plots to this `file`")
	fs.BoolVar(&o.quiet, "quiet", false, "show no progress; it is shown on a terminal only")
	fs.BoolVar(&o.compare, "compare", false, "compare two results: gramme bench --compare a.json b.json")
	return fs
}

// runBench is the command.
func runBench(ctx context.Context, args []string, std stdio) error {
	o := new(benchOptions)
	fs := o.flags()
	err := o.parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		return helpFor([]string{"bench"}, std)
	}
	if err != nil {
		return fmt.Errorf("%w; %w", err, errBench)
	}
	if o.compare {
		return o.compareResults(std)
	}
	if err := o.configure(fs, std); err != nil {
		return fmt.Errorf("%w; %w", err, errBench)
	}
	debug.SetGCPercent(400) // the client allocates little; it should not take the server's CPU
	res, err := bench.Run(ctx, o.Config)
	if res == nil {
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted before anything was measured")
		}
		return err
	}
	return errors.Join(err, o.report(res, std), allFailed(res))
}

// parse reads the command line; flags may stand behind the files to compare.
func (o *benchOptions) parse(fs *flag.FlagSet, args []string) error {
	var err error
	o.args, err = parseMixed(fs, args)
	switch {
	case err != nil:
		return err
	case o.compare && len(o.args) != 2:
		return errors.New("--compare takes two files")
	case !o.compare && len(o.args) > 0:
		return fmt.Errorf("bench takes flags only, not %q", o.args[0])
	}
	return nil
}

// configure completes the configuration from the flags and the environment.
func (o *benchOptions) configure(fs *flag.FlagSet, std stdio) (err error) {
	c := &o.Config
	c.Version = release()
	if std.terminal && !o.quiet {
		c.Live = std.out
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["operations"] && !given["duration"] {
		c.Duration = 0
	}
	if c.Size, err = workload.ParseSize(o.size); err != nil {
		return fmt.Errorf("--item-size %w", err)
	}
	switch o.values {
	case "text", "random":
		c.Random = o.values == "random"
	default:
		return fmt.Errorf("--values %s: want text or random", o.values)
	}
	if err := o.connect(std.getenv); err != nil {
		return err
	}
	for _, path := range []string{o.json, o.html} { // a run should not be lost to a misspelt directory
		if err := writable(path); err != nil {
			return err
		}
	}
	return bench.Check(*c)
}

// connect says where the server is and who calls.
func (o *benchOptions) connect(getenv func(string) string) error {
	c := &o.Config
	r, err := findRemote(o.endpoint, o.region, getenv)
	if err != nil {
		return err
	}
	cred := &r.cred
	if o.key != "" {
		var ok bool
		if cred.AccessKey, cred.Secret, ok = strings.Cut(o.key, ":"); !ok || cred.AccessKey == "" || cred.Secret == "" {
			return errors.New("--key is written ID:SECRET")
		}
		cred.Token = o.token
	} else {
		cred.Token = cmp.Or(o.token, cred.Token)
	}
	if r.endpoint.Loopback() {
		r.anyone()
	}
	if cred.AccessKey == "" || cred.Secret == "" {
		return errors.New("--key is missing, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
	}
	c.URL, c.Endpoint, c.Credentials = r.url, r.endpoint, r.cred
	return o.trust(getenv("AWS_CA_BUNDLE"))
}

func (o *benchOptions) trust(bundle string) error {
	path := cmp.Or(o.caFile, bundle)
	if path == "" || o.caFile == "" && o.Endpoint.TLS == nil {
		return nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := o.Endpoint.Trust(pem); err != nil {
		return fmt.Errorf("--ca-file %s: %w", path, err)
	}
	return nil
}

// writable makes sure that a file can be written.
func writable(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// report writes what was asked for.
func (o *benchOptions) report(res *result.Result, std stdio) error {
	if o.Live != nil {
		fmt.Fprintln(std.out)
	}
	err := res.Summary(std.out)
	if o.json != "" {
		err = errors.Join(err, res.Write(o.json))
	}
	if o.html != "" {
		err = errors.Join(err, writeFile(o.html, func(w io.Writer) error { return report.Write(w, res) }))
	}
	return err
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// allFailed is the error of a run without a success.
func allFailed(res *result.Result) error {
	if res.Totals.Operations > 0 || res.Totals.Errors == 0 {
		return nil
	}
	return fmt.Errorf("every operation failed: %s", result.Codes(res.Errors))
}

// compareResults compares two files.
func (o *benchOptions) compareResults(std stdio) error {
	a, err := result.Read(o.args[0])
	if err != nil {
		return err
	}
	b, err := result.Read(o.args[1])
	if err != nil {
		return err
	}
	c := result.Compare(a, b)
	if o.html != "" {
		if err := writeFile(o.html, func(w io.Writer) error { return report.WriteComparison(w, c) }); err != nil {
			return err
		}
	}
	return c.WriteText(std.out)
}

// helpBench explains the command.
func helpBench(w io.Writer) {
	fmt.Fprint(w, `
It makes a table, loads it, warms up, measures and removes the table. It works against Gramme, DynamoDB Local, AWS (where it
costs money) and everything else that speaks DynamoDB's API.

`)
	listFlags(w, new(benchOptions).flags())
	fmt.Fprintln(w, "\nWorkloads:")
	for _, op := range workload.Operations() {
		fmt.Fprintf(w, "  %-12s %s\n", op.Name, op.About)
	}
	for _, p := range workload.Presets() {
		fmt.Fprintf(w, "  %-12s %s: %s; %s keys\n", p.Name, p.About, p.Mix, p.Distribution)
	}
	fmt.Fprintf(w, `
With --rate latency counts from the moment an operation was due, so that a stall is charged for all that came during it. Without
it each connection sends its next request when the last one is answered. An interrupt (Ctrl-C) ends the run early; it is reported
all the same. The status is 1 if every operation failed.

Examples:
  gramme bench                                                  GetItem, 16 connections, %v
  gramme bench --workload ycsba --rate 5000 --html report.html  YCSB A at 5000 operations a second, with a report
  gramme bench --workload get:80,put:15,query:5 --item-size 100-4096 --verify
  gramme bench --table perf --keep --json a.json                keep the loaded table for the next runs
  gramme bench --compare a.json b.json --html compare.html      ratios between two results
  gramme bench --endpoint aws --region eu-west-1 --items 10000 --operations 50000
`, time.Duration(bench.Defaults().Duration))
}
