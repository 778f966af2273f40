package bench

import (
	"runtime"
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/result"
	"github.com/grammedb/gramme/internal/bench/usage"
)

// fill writes what the measured phase has found into the result.
func (r *run) fill(p *phase, before, after usage.Sample) {
	res := &r.result
	res.Schema = result.Schema
	res.Settings = r.settings()
	res.Errors, res.Retries = map[string]uint64{}, map[string]uint64{}
	res.Series = p.record.series
	r.fillCounts(p)
	r.fillLatencies(p)
	r.fillUsage(before, after)
}

func (r *run) settings() result.Settings {
	c := &r.cfg
	s := result.Settings{
		Workload: c.Workload, Connections: c.Connections, Rate: c.Rate, WarmupS: c.Warmup.Seconds(),
		DurationS: c.Duration.Seconds(), Operations: c.Operations,
		Items: c.Items, PerPartition: c.PerPartition, ItemSize: c.Size.String(), Values: c.values(), Distribution: c.Distribution,
		Consistent: c.Consistent, Verify: c.Verify, TimeoutS: c.Timeout.Seconds(), MaxRetries: c.Retries,
		Endpoint: c.URL, Region: c.Credentials.Region, Table: c.Table, Seed: c.Seed,
	}
	for _, part := range r.mix.Parts {
		s.Mix = append(s.Mix, result.Share{Operation: part.Operation.Name, Weight: part.Weight})
	}
	return s
}

func (c *Config) values() string {
	if c.Random {
		return "random"
	}
	return "text"
}

// fillCounts adds up what the workers have counted.
func (r *run) fillCounts(p *phase) {
	res, t := &r.result, &r.result.Totals
	var sent, received, late, items, lateItems uint64
	var looked result.Verified
	for _, w := range r.workers {
		for code, n := range w.rec.errors {
			res.Errors[code] += n
			t.Errors += n
		}
		for code, n := range w.rec.retries {
			res.Retries[code] += n
			t.Retries += n
		}
		if res.Sample == "" {
			res.Sample = w.rec.sample
		}
		for i := range w.rec.parts {
			t.Operations += w.rec.parts[i].latency.Count()
			items += w.rec.parts[i].items
		}
		sent, received = sent+w.rec.bytes.sent, received+w.rec.bytes.received
		late, lateItems = late+w.rec.late, lateItems+w.rec.lateItems
		looked.Answers, looked.CRC32 = looked.Answers+w.rec.looked.answers, looked.CRC32+w.rec.looked.crcs
	}
	if r.cfg.Verify {
		looked.Wrong = res.Errors[client.CodeWrong] + res.Errors[client.CodeCRC32]
		res.Verified = &looked
	}
	t.Seconds = time.Duration(p.ended.Load()).Seconds()
	t.InTime = t.Operations - late
	t.PerSecond = float64(t.InTime) / t.Seconds
	t.ItemsPerSecond = float64(items-lateItems) / t.Seconds
	t.MedianSecond = medianSecond(res.Series)
	if n := float64(t.Operations + t.Errors); n > 0 {
		t.RequestBytes, t.ResponseBytes = float64(sent)/n, float64(received)/n
	}
	// A few of the last ones may have been waited for when the time was up.
	if due, ended := p.due(), t.Operations+t.Errors; due > ended+uint64(len(r.workers)) && !p.early {
		t.NotSent = due - ended
	}
}

// medianSecond returns the median of the whole seconds' operations, 0 if there are less than three.
func medianSecond(series []result.Second) float64 {
	var counts []uint64
	for _, s := range series {
		if s.Length == 1 {
			counts = append(counts, s.Operations)
		}
	}
	n := len(counts)
	if n < 3 {
		return 0
	}
	slices.Sort(counts)
	return float64(counts[n/2]+counts[(n-1)/2]) / 2
}

func (r *run) fillLatencies(p *phase) {
	res := &r.result
	s := p.record.histograms(len(r.mix.Parts))
	res.Latency = result.LatencyOf(&s.all)
	if s.service.Count() > 0 {
		service, lag := result.LatencyOf(&s.service), result.LatencyOf(&s.lag)
		res.Service, res.Lag = &service, &lag
	}
	for i, part := range r.mix.Parts {
		op := result.Operation{Name: part.Operation.Name, Latency: result.LatencyOf(&s.parts[i])}
		for _, w := range r.workers {
			op.Errors += w.rec.parts[i].errors
			op.Items += w.rec.parts[i].items
		}
		res.Operations = append(res.Operations, op)
	}
}

// fillUsage charges the CPU time of the window.
func (r *run) fillUsage(before, after usage.Sample) {
	secs := after.At.Sub(before.At).Seconds()
	perOp := func(cores float64) float64 {
		if r.result.Totals.InTime == 0 {
			return 0
		}
		return cores * secs * 1e6 / float64(r.result.Totals.InTime)
	}
	c, s := &r.result.Client, &r.result.Server
	*c = result.Client{
		Version: r.cfg.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0),
		Cores: (after.Self - before.Self) / secs, StolenCores: (after.Stolen - before.Stolen) / secs,
	}
	c.CPUUSPerOp = perOp(c.Cores)
	s.Header = r.table.server
	if pid := r.cfg.ServerPID; pid > 0 {
		rss, peak := usage.RSS(pid)
		s.PID, s.Cores = pid, (after.Server-before.Server)/secs
		s.CPUUSPerOp = perOp(s.Cores)
		s.RSSMiB, s.PeakRSSMiB = float64(rss)/(1<<20), float64(peak)/(1<<20)
	}
	if busy := (after.Busy - before.Busy) / secs; busy > 0 {
		c.OtherCores = max(0, busy-c.Cores-s.Cores)
	}
}
