package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/bench/result"
	"github.com/grammedb/gramme/internal/bench/workload"
)

func mustRun(t *testing.T, c Config) *result.Result {
	t.Helper()
	res, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestRun: so many operations are done, verified, and the table is gone.
func TestRun(t *testing.T) {
	f := newFake(t)
	c := f.config(t)
	c.Verify, c.Warmup = true, 10*time.Millisecond
	var live bytes.Buffer
	c.Live = &live
	res := mustRun(t, c)
	tt := &res.Totals
	if tt.Operations != 100 || tt.InTime != 100 || tt.Errors != 0 || tt.Retries != 0 || res.EndedEarly {
		t.Errorf("totals %+v, sample %s", tt, res.Sample)
	}
	if res.Latency.Count != 100 || len(res.Operations) != 1 || res.Operations[0].Items != 100 || res.Service != nil {
		t.Errorf("latency of %d, operations %+v", res.Latency.Count, res.Operations)
	}
	if res.Verified.Answers != 100 || res.Verified.Wrong != 0 {
		t.Errorf("verified %+v", res.Verified)
	}
	if len(f.names()) > 0 {
		t.Errorf("tables %v are left", f.names())
	}
	if res.Server.Header != "fake" || res.Settings.Items != 200 || !strings.HasPrefix(res.Settings.Table, "gramme-bench-") {
		t.Errorf("server %+v, settings %+v", res.Server, res.Settings)
	}
	for _, want := range []string{"loading 200 items", "warming up", "ops/s"} {
		if !strings.Contains(live.String(), want) {
			t.Errorf("progress has no %q:\n%s", want, live.String())
		}
	}
}

// TestWorkloads runs every operation that the fake can answer for.
func TestWorkloads(t *testing.T) {
	f := newFake(t)
	for _, w := range []string{"put", "insert", "update", "rmw", "batchwrite", "txwrite", "list", "ycsba", "ycsbd", "ycsbf"} {
		c := f.config(t)
		c.Workload, c.Verify = w, true
		if res := mustRun(t, c); res.Totals.Operations != 100 || res.Totals.Errors != 0 {
			t.Errorf("%s: %+v %s", w, res.Totals, res.Sample)
		}
	}
}

// TestDuration: a window of time ends by time, and its series has a point for each part of it.
func TestDuration(t *testing.T) {
	c := newFake(t).config(t)
	c.Operations, c.Duration = 0, 1200*time.Millisecond
	res := mustRun(t, c)
	if res.Totals.Seconds != 1.2 || len(res.Series) != 2 || res.Series[0].Length != 1 || res.Series[1].Length != 0.2 {
		t.Errorf("%v s, series %+v", res.Totals.Seconds, res.Series)
	}
	var sum uint64
	for _, s := range res.Series {
		sum += s.Operations
	}
	if sum == 0 || sum > res.Totals.Operations || res.Totals.InTime > res.Totals.Operations {
		t.Errorf("%d operations in the series, totals %+v", sum, res.Totals)
	}
}

// TestRetries: failures that may pass are sent again and counted, and so is what is left of a batch; no item is lost.
func TestRetries(t *testing.T) {
	f := newFake(t)
	var gets, batches atomic.Int64
	f.answer = func(operation, body string) (int, string) {
		switch {
		case operation == "GetItem" && !strings.Contains(body, "gramme-bench\"}") && gets.Add(1)%5 == 0:
			return 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}`
		case operation == "BatchWriteItem" && batches.Add(1)%2 == 1:
			return 200, `{"UnprocessedItems":` + strings.TrimSuffix(strings.TrimPrefix(body, `{"RequestItems":`), "}") + `}`
		}
		return 0, ""
	}
	c := f.config(t)
	c.Keep, c.Table = true, "kept"
	res := mustRun(t, c)
	if n := len(f.tables["kept"]); n != 201 {
		t.Errorf("%d items in the table, want 200 and the marker", n)
	}
	if res.Totals.Operations != 100 || res.Totals.Errors != 0 || res.Retries["ProvisionedThroughputExceededException"] < 20 {
		t.Errorf("totals %+v, retries %v", res.Totals, res.Retries)
	}
}

// TestErrors: what fails for good is counted by its code and has no latency.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		status       int
		verify       bool
		code         string
	}{
		{"service", `{"__type":"x#ValidationException","message":"no"}`, 400, false, "ValidationException"},
		{"throttled for ever", `{"__type":"x#ThrottlingException"}`, 400, false, "ThrottlingException"},
		{"server", `oops`, 500, false, "HTTP500"},
		{"wrong", `{"Item":{"pk":{"S":"exp-000000"},"sk":{"N":"0"}}}`, 200, true, "WrongAnswer"},
		{"missing", `{}`, 200, true, "WrongAnswer"},
	} {
		f := newFake(t)
		f.answer = func(operation, body string) (int, string) {
			if operation == "GetItem" {
				return tt.status, tt.answer
			}
			return 0, ""
		}
		c := f.config(t)
		c.Verify, c.Retries, c.Operations = tt.verify, 1, 10
		res := mustRun(t, c)
		if res.Errors[tt.code] != 10 || res.Totals.Operations != 0 || res.Latency.Count != 0 || !strings.HasPrefix(res.Sample, tt.code) {
			t.Errorf("%s: errors %v, totals %+v, sample %q", tt.name, res.Errors, res.Totals, res.Sample)
		}
	}
}

// TestNoCoordinatedOmission: while the server answers nothing for a while, operations go on being due, and latency counts from
// then. The service time knows of one slow request only.
func TestNoCoordinatedOmission(t *testing.T) {
	const stall = 200 * time.Millisecond
	f := newFake(t)
	var stalled atomic.Bool
	f.answer = func(operation, body string) (int, string) {
		if operation == "GetItem" && stalled.CompareAndSwap(false, true) {
			time.Sleep(stall)
		}
		return 0, ""
	}
	c := f.config(t)
	c.Connections, c.Rate, c.Operations = 1, 100, 40
	res := mustRun(t, c)
	if res.Totals.Operations != 40 || res.Latency.Count != 40 || res.Service.Count != 40 {
		t.Fatalf("totals %+v", res.Totals)
	}
	slow := func(l *result.Latency) (n float64) {
		for _, b := range l.Buckets {
			if b[0] > 50_000 {
				n += b[1]
			}
		}
		return n
	}
	if got := slow(&res.Latency); got < 14 {
		t.Errorf("%v operations waited for more than 50 ms, want those that were due in the first 150 ms of the stall", got)
	}
	if got := res.Service.At(100); got < float64(stall.Microseconds()) {
		t.Errorf("the longest service time is %v us", got)
	}
	if res.Latency.Mean <= res.Service.Mean {
		t.Errorf("mean latency %v us, mean service time %v us", res.Latency.Mean, res.Service.Mean)
	}
}

// TestInterrupt: the run ends early, is reported, and the table is removed.
func TestInterrupt(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	f.answer = func(operation, _ string) (int, string) {
		if operation == "GetItem" && n.Add(1) == 50 {
			cancel()
		}
		return 0, ""
	}
	c := f.config(t)
	c.Operations, c.Duration = 0, time.Hour
	res, err := Run(ctx, c)
	if err != nil || !res.EndedEarly || res.Totals.Operations < 40 {
		t.Fatalf("%v %+v", err, res)
	}
	if len(f.names()) > 0 {
		t.Errorf("tables %v are left", f.names())
	}
}

// TestInterruptedEarly: before anything is measured there is nothing to report.
func TestInterruptedEarly(t *testing.T) {
	for _, at := range []string{"BatchWriteItem", "DescribeTable"} {
		f := newFake(t)
		ctx, cancel := context.WithCancel(t.Context())
		f.answer = func(operation, _ string) (int, string) {
			if operation == at {
				cancel()
			}
			return 0, ""
		}
		if res, err := Run(ctx, f.config(t)); res != nil || err == nil {
			t.Errorf("interrupted in %s: %v, %v", at, res, err)
		}
		if len(f.names()) > 0 {
			t.Errorf("interrupted in %s: tables %v are left", at, f.names())
		}
	}
}

// TestTable: who owns what.
func TestTable(t *testing.T) {
	f := newFake(t)
	c := f.config(t)
	c.Table = "mine"
	f.tables["mine"] = nil // somebody else's
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "was not made by gramme bench") {
		t.Errorf("a table of somebody else: %v", err)
	}
	if n := f.count("DeleteTable") + f.count("PutItem") + f.count("BatchWriteItem"); n > 0 {
		t.Errorf("%d requests touched it", n)
	}

	delete(f.tables, "mine")
	c.Existing = true
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "there is no table mine") {
		t.Errorf("--existing without it: %v", err)
	}
	f.tables["mine"] = map[string]json.RawMessage{}
	mustRun(t, c)
	if f.count("DeleteTable") > 0 || len(f.tables["mine"]) != 200 {
		t.Errorf("--existing: deleted %d, %d items", f.count("DeleteTable"), len(f.tables["mine"]))
	}

	c.Existing, c.Keep, c.Table = false, true, "kept"
	mustRun(t, c)
	loads := f.count("BatchWriteItem")
	mustRun(t, c)
	if f.count("BatchWriteItem") != loads {
		t.Error("a kept table was loaded again")
	}
	other := c
	other.Size = workload.FixedSize(1000)
	if _, err := Run(t.Context(), other); err == nil || !strings.Contains(err.Error(), "200 items of 400 bytes") {
		t.Errorf("a table with other items: %v", err)
	}
	c.Keep = false
	mustRun(t, c)
	if names := f.names(); len(names) != 1 || names[0] != "mine" {
		t.Errorf("tables %v are left", names)
	}
}

// TestLoadFails: the error says why, and the table is removed.
func TestLoadFails(t *testing.T) {
	f := newFake(t)
	f.answer = func(operation, _ string) (int, string) {
		if operation == "BatchWriteItem" {
			return 400, `{"__type":"x#AccessDeniedException","Message":"not you"}`
		}
		return 0, ""
	}
	if _, err := Run(t.Context(), f.config(t)); err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
		t.Error(err)
	}
	if len(f.names()) > 0 {
		t.Errorf("tables %v are left", f.names())
	}
}

func TestCheck(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"connections are from 1":    func(c *Config) { c.Connections = 0 },
		"items are from 200":        func(c *Config) { c.Items = 10 },
		"at most 10000 items":       func(c *Config) { c.PerPartition = 1e6 },
		"the rate is not negative":  func(c *Config) { c.Rate = -1 },
		"durations are not":         func(c *Config) { c.Warmup = -1 },
		"say how long":              func(c *Config) { c.Duration, c.Operations = 0, 0 },
		"timeout is more than 0":    func(c *Config) { c.Timeout = 0 },
		"retries are not negative":  func(c *Config) { c.Retries = -1 },
		"at least 250 bytes":        func(c *Config) { c.Workload, c.Size = "gsi", workload.FixedSize(100) },
		"an existing table has":     func(c *Config) { c.Existing = true },
		"there is no workload":      func(c *Config) { c.Workload = "nope" },
		"there is no distribution":  func(c *Config) { c.Distribution = "normal" },
		"capacity is written READ,": func(c *Config) { c.Provisioned = "many" },
	} {
		c := Defaults()
		change(&c)
		if err := Check(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	c := Defaults()
	c.Items, c.Workload = 201, "ycsbe"
	r, err := newRun(c)
	if err != nil || r.cfg.Items != 300 || r.cfg.PerPartition != 100 || r.cfg.Distribution != "zipfian" {
		t.Errorf("%v, configuration %+v", err, r.cfg)
	}
}
