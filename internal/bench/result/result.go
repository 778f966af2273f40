// Package result is what a load test has found: a JSON document with a version, a summary for people, and the comparison of
// two of them.
package result

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/grammedb/gramme/internal/bench/hist"
)

// Schema is the version of the JSON document. Members may be added to it; if one is removed or changes its meaning, the
// number changes.
const Schema = 1

// A Result is one run.
type Result struct {
	Schema     int               `json:"schema"`
	Started    time.Time         `json:"started"`
	EndedEarly bool              `json:"ended_early"` // by a signal
	Settings   Settings          `json:"settings"`
	Client     Client            `json:"client"`
	Server     Server            `json:"server"`
	Totals     Totals            `json:"totals"`
	Latency    Latency           `json:"latency"`                // of all operations that succeeded; with a rate: from when they were due
	Service    *Latency          `json:"service_time,omitempty"` // with a rate: from when they were sent
	Lag        *Latency          `json:"send_lag,omitempty"`     // with a rate: how late the client itself was
	Operations []Operation       `json:"operations"`
	Errors     map[string]uint64 `json:"errors"`  // operations that failed, by code
	Retries    map[string]uint64 `json:"retries"` // requests that were sent again, by the code that was answered
	Sample     string            `json:"error_sample,omitempty"`
	Verified   *Verified         `json:"verified,omitempty"`
	Series     []Second          `json:"series"`
}

// Settings are what the run was told.
type Settings struct {
	Workload     string  `json:"workload"`
	Mix          []Share `json:"mix"`
	Connections  int     `json:"connections"`
	Rate         float64 `json:"rate,omitempty"` // operations a second; 0: closed loop
	WarmupS      float64 `json:"warmup_s"`
	DurationS    float64 `json:"duration_s,omitempty"`
	Operations   uint64  `json:"operations,omitempty"`
	Items        uint64  `json:"items"`
	PerPartition uint64  `json:"items_per_partition"`
	ItemSize     string  `json:"item_size"`
	Values       string  `json:"values"`
	Distribution string  `json:"distribution"`
	Consistent   bool    `json:"consistent_reads"`
	Verify       bool    `json:"verify"`
	TimeoutS     float64 `json:"timeout_s"`
	MaxRetries   int     `json:"max_retries"`
	Endpoint     string  `json:"endpoint"`
	Region       string  `json:"region"`
	Table        string  `json:"table"`
	Seed         uint64  `json:"seed"`
}

// A Share is one operation of the mix and its weight.
type Share struct {
	Operation string `json:"operation"`
	Weight    uint64 `json:"weight"`
}

// Client is the side that made the load.
type Client struct {
	Version     string  `json:"version"`
	Go          string  `json:"go"`
	OS          string  `json:"os"`
	Arch        string  `json:"arch"`
	CPUs        int     `json:"cpus"`
	Cores       float64 `json:"cores"` // in use, by this process
	OtherCores  float64 `json:"other_cores"`
	StolenCores float64 `json:"stolen_cores"`
	CPUUSPerOp  float64 `json:"cpu_us_per_operation"`
}

// Server is what the server says of itself, and what its process used if it is known.
type Server struct {
	Header     string  `json:"server_header,omitempty"`
	PID        int     `json:"pid,omitempty"`
	Cores      float64 `json:"cores,omitempty"`
	CPUUSPerOp float64 `json:"cpu_us_per_operation,omitempty"`
	RSSMiB     float64 `json:"rss_mib,omitempty"`
	PeakRSSMiB float64 `json:"peak_rss_mib,omitempty"`
}

// Totals are counts of the measured window and rates in it.
type Totals struct {
	Seconds          float64 `json:"seconds"`
	Operations       uint64  `json:"operations"`    // that succeeded, those included that were under way at the end
	InTime           uint64  `json:"in_time"`       // of them those that ended within the window, from which the rates are
	PerSecond        float64 `json:"per_second"`    // operations
	MedianSecond     float64 `json:"median_second"` // operations in the median second: less moved by a disturbance
	ItemsPerSecond   float64 `json:"items_per_second"`
	Errors           uint64  `json:"errors"`
	Retries          uint64  `json:"retries"`
	NotSent          uint64  `json:"not_sent,omitempty"` // with a rate: that were due, and no connection was free in time
	RequestBytes     float64 `json:"request_bytes"`      // mean of an operation
	ResponseBytes    float64 `json:"response_bytes"`
	LoadSeconds      float64 `json:"load_seconds,omitempty"` // for the table's items
	LoadItemsPerSecs float64 `json:"load_items_per_second,omitempty"`
}

// An Operation is what was measured of one operation of the mix.
type Operation struct {
	Name    string  `json:"name"`
	Errors  uint64  `json:"errors"`
	Items   uint64  `json:"items"`
	Latency Latency `json:"latency"`
}

// Latency is a distribution of microseconds.
type Latency struct {
	Count       uint64       `json:"count"`
	Mean        float64      `json:"mean_us"`
	Min         float64      `json:"min_us"`
	Max         float64      `json:"max_us"`
	Percentiles []Percentile `json:"percentiles"`
	Buckets     []Bucket     `json:"buckets"` // those that are not empty, from short to long
}

// A Percentile is the duration that so many in a hundred do not exceed.
type Percentile struct {
	Percent float64 `json:"percent"`
	US      float64 `json:"us"`
}

// A Bucket of a histogram: the longest duration in it, in microseconds, and how many are in it.
type Bucket [2]float64

// Second is one second of the run.
type Second struct {
	At         float64 `json:"at_s"` // when it begins
	Length     float64 `json:"length_s"`
	Operations uint64  `json:"operations"`
	Errors     uint64  `json:"errors"`
	Retries    uint64  `json:"retries"`
	P50        float64 `json:"p50_us"`
	P90        float64 `json:"p90_us"`
	P99        float64 `json:"p99_us"`
	P999       float64 `json:"p999_us"`
	Max        float64 `json:"max_us"`
}

// Rate returns the operations in a second of that second.
func (s Second) Rate() float64 {
	if s.Length <= 0 {
		return 0
	}
	return float64(s.Operations) / s.Length
}

// Verified counts the answers that were looked into.
type Verified struct {
	Answers uint64 `json:"answers"`
	CRC32   uint64 `json:"crc32"` // that came with a checksum
	Wrong   uint64 `json:"wrong"`
}

// percents are the percentiles that a result lists.
var percents = []float64{1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100}

// US converts nanoseconds to microseconds with one decimal.
func US(ns uint64) float64 { return float64((ns+50)/100) / 10 }

// LatencyOf returns what h has counted.
func LatencyOf(h *hist.Hist) Latency {
	l := Latency{Count: h.Count(), Mean: US(uint64(h.Mean())), Min: US(h.Min()), Max: US(h.Max())}
	if h.Count() == 0 {
		return l
	}
	for _, p := range percents {
		l.Percentiles = append(l.Percentiles, Percentile{p, US(h.Quantile(p / 100))})
	}
	for ns, n := range h.Buckets() {
		l.Buckets = append(l.Buckets, Bucket{US(ns), float64(n)})
	}
	return l
}

// At returns the latency at a percentile in microseconds, from the buckets.
func (l *Latency) At(percent float64) float64 {
	for _, p := range l.Percentiles {
		if p.Percent == percent {
			return p.US
		}
	}
	want, seen := percent/100*float64(l.Count), 0.0
	for _, b := range l.Buckets {
		if seen += b[1]; seen >= want {
			return b[0]
		}
	}
	return l.Max
}

// Write writes r as JSON to a file, on one line: most of it is histograms.
func (r *Result) Write(path string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// Read reads a file that Write has written.
func Read(path string) (*Result, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(Result)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s is not a result of gramme bench: %w", path, err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("%s has schema version %d, want %d", path, r.Schema, Schema)
	}
	return r, nil
}
