package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/bench/hist"
	"github.com/grammedb/gramme/internal/bench/usage"
)

// report is the result of one run.
type report struct {
	Label    string  `json:"label"`
	Workload string  `json:"workload"`
	Conns    int     `json:"conns"`
	Size     int     `json:"size"`
	Seconds  float64 `json:"seconds"`
	Ops      uint64  `json:"ops"`
	OpsPerS  float64 `json:"ops_s"`
	// MedianSecond is the median of the whole seconds' counts: less moved by
	// a short disturbance than OpsPerS.
	MedianSecond float64            `json:"ops_median_second"`
	ItemsPerS    float64            `json:"items_s"`
	MeanUS       float64            `json:"mean_us"`
	P50US        float64            `json:"p50_us"`
	P95US        float64            `json:"p95_us"`
	P99US        float64            `json:"p99_us"`
	P999US       float64            `json:"p999_us"`
	MaxUS        float64            `json:"max_us"`
	OpP50US      map[string]float64 `json:"op_p50_us,omitempty"`
	Errors       uint64             `json:"errors"`
	ErrorKinds   map[string]uint64  `json:"error_kinds,omitempty"`
	Sample       string             `json:"error_sample,omitempty"`
	ClientCores  float64            `json:"client_cores"`
	ServerCores  float64            `json:"server_cores"`
	OtherCores   float64            `json:"other_cores"`
	StealCores   float64            `json:"steal_cores"`
	ClientUSOp   float64            `json:"client_us_per_op"`
	ServerUSOp   float64            `json:"server_us_per_op"`
	RSSMiB       float64            `json:"rss_mib"`
	PeakRSSMiB   float64            `json:"peak_rss_mib"`
	Scans        uint64             `json:"segment_scans,omitempty"`
	SentBytes    float64            `json:"request_bytes"`
	RecvBytes    float64            `json:"response_bytes"`
}

// totals are what all workers have counted.
type totals struct {
	all                   hist.Hist
	byPart                []hist.Hist // of the mix
	seconds               []uint64    // completions in each
	items, sent, received uint64
}

// collect adds up what the workers have counted, errors into the report.
func (r *report) collect(cfg *config, workers []*worker) *totals {
	t := &totals{byPart: make([]hist.Hist, len(cfg.mix.Parts)), seconds: make([]uint64, len(workers[0].windows))}
	for _, w := range workers {
		for part := range w.hists {
			t.all.Merge(&w.hists[part])
			t.byPart[part].Merge(&w.hists[part])
		}
		for i, n := range w.windows {
			t.seconds[i] += n
		}
		t.items, t.sent, t.received = t.items+w.items, t.sent+w.sent, t.received+w.received
		for kind, n := range w.errors {
			r.ErrorKinds[kind] += n
			r.Errors += n
		}
		if r.Sample == "" {
			r.Sample = w.sample
		}
		for _, c := range w.conns {
			r.Scans += c.cursor.Scans
		}
	}
	return t
}

func summarize(cfg *config, workers []*worker, before, after usage.Sample) *report {
	r := &report{ErrorKinds: map[string]uint64{}, OpP50US: map[string]float64{}, Seconds: after.At.Sub(before.At).Seconds()}
	t := r.collect(cfg, workers)
	r.Ops = t.all.Count()
	r.OpsPerS = float64(r.Ops) / r.Seconds
	r.ItemsPerS = float64(t.items) / r.Seconds
	if n := int(cfg.dur / time.Second); n > 0 {
		whole := t.seconds[:n]
		slices.Sort(whole)
		r.MedianSecond = float64(whole[n/2]+whole[(n-1)/2]) / 2
	}
	r.latencies(cfg, t)
	r.usage(before, after)
	if n := float64(r.Ops); n > 0 {
		r.SentBytes, r.RecvBytes = float64(t.sent)/n, float64(t.received)/n
	}
	if cfg.pid > 0 {
		rss, peak := usage.RSS(cfg.pid)
		r.RSSMiB, r.PeakRSSMiB = float64(rss)/(1<<20), float64(peak)/(1<<20)
	}
	return r
}

func (r *report) latencies(cfg *config, t *totals) {
	us := func(q float64) float64 { return float64(t.all.Quantile(q)) / 1e3 }
	r.P50US, r.P95US, r.P99US, r.P999US = us(0.50), us(0.95), us(0.99), us(0.999)
	r.MeanUS, r.MaxUS = t.all.Mean()/1e3, float64(t.all.Max())/1e3
	if len(t.byPart) > 1 {
		for part := range t.byPart {
			r.OpP50US[cfg.op(part).Name] = float64(t.byPart[part].Quantile(0.5)) / 1e3
		}
	}
}

func (r *report) usage(before, after usage.Sample) {
	r.ClientCores = (after.Self - before.Self) / r.Seconds
	r.ServerCores = (after.Server - before.Server) / r.Seconds
	r.OtherCores = max(0, (after.Busy-before.Busy)/r.Seconds-r.ClientCores-r.ServerCores)
	r.StealCores = (after.Stolen - before.Stolen) / r.Seconds
	if n := float64(r.Ops); n > 0 {
		r.ClientUSOp = r.ClientCores * r.Seconds * 1e6 / n
		r.ServerUSOp = r.ServerCores * r.Seconds * 1e6 / n
	}
}

func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "%s %s, %d connections, %.1f s: %.0f ops/s (median second %.0f)", r.Label, r.Workload, r.Conns, r.Seconds, r.OpsPerS, r.MedianSecond)
	if r.ItemsPerS > 1.01*r.OpsPerS {
		fmt.Fprintf(out, ", %.0f items/s", r.ItemsPerS)
	}
	fmt.Fprintf(out, "\n  latency us: mean %.0f, p50 %.0f, p95 %.0f, p99 %.0f, p99.9 %.0f, max %.0f\n", r.MeanUS, r.P50US, r.P95US, r.P99US, r.P999US, r.MaxUS)
	fmt.Fprintf(out, "  cores: client %.2f, server %.2f, others %.2f, stolen %.2f; CPU us/op: client %.1f, server %.1f; bytes/op: %.0f out, %.0f in\n",
		r.ClientCores, r.ServerCores, r.OtherCores, r.StealCores, r.ClientUSOp, r.ServerUSOp, r.SentBytes, r.RecvBytes)
	if r.PeakRSSMiB > 0 {
		fmt.Fprintf(out, "  server RSS %.0f MiB, peak %.0f MiB\n", r.RSSMiB, r.PeakRSSMiB)
	}
	if r.Errors > 0 {
		fmt.Fprintf(out, "  ERRORS %d: %v %s\n", r.Errors, r.ErrorKinds, r.Sample)
	}
}

func appendJSON(path string, v any) error {
	if path == "" {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	return errors.Join(err, f.Close())
}
