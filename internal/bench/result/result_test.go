package result

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/bench/hist"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares with a file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not as it was; -rewrite accepts this:\n%s", path, got)
	}
}

// sample is a result with everything in it. The latencies are multiples of mean microseconds.
func sample(mean, rate float64) *Result {
	of := func(n int, times float64) Latency {
		var h hist.Hist
		for i := range n {
			q := (float64(i) + 0.5) / float64(n)
			h.Add(uint64(q / (1 - q) * mean * times * 1000)) // the same on every processor
		}
		return LatencyOf(&h)
	}
	service := of(300, 0.8)
	r := &Result{
		Schema: Schema, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Settings: Settings{
			Workload: "ycsba", Mix: []Share{{"get", 50}, {"update", 50}}, Connections: 16, Rate: rate, WarmupS: 3, DurationS: 4,
			Items: 100_000, PerPartition: 20, ItemSize: "400", Values: "text", Distribution: "zipfian", Verify: true, TimeoutS: 10, MaxRetries: 8,
			Endpoint: "http://127.0.0.1:8000", Region: "us-east-1", Table: "gramme-bench-1", Seed: 7,
		},
		Client: Client{Version: "v1.2.3", Go: "go1.26", OS: "linux", Arch: "amd64", CPUs: 2, Cores: 0.5, OtherCores: 0.25, CPUUSPerOp: 12.5},
		Server: Server{Header: "Gramme", PID: 42, Cores: 1.2, CPUUSPerOp: 31.4, RSSMiB: 144, PeakRSSMiB: 150},
		Totals: Totals{
			Seconds: 4, Operations: 300, InTime: 299, PerSecond: 747.5, MedianSecond: 750, ItemsPerSecond: 747.5, Errors: 7, Retries: 3,
			RequestBytes: 581, ResponseBytes: 795, LoadSeconds: 2.5, LoadItemsPerSecs: 40_000,
		},
		Latency:    of(300, 1),
		Operations: []Operation{{"get", 2, 150, of(150, 0.5)}, {"update", 5, 150, of(150, 1.5)}},
		Errors:     map[string]uint64{"InternalServerError": 5, "Timeout": 2},
		Retries:    map[string]uint64{"ThrottlingException": 3},
		Sample:     "InternalServerError: {\"__type\":\"<b>\"}",
		Verified:   &Verified{Answers: 3000, CRC32: 3000, Wrong: 0},
		Series: []Second{
			{0, 1, 750, 0, 1, mean, 2 * mean, 4 * mean, 6 * mean, 7 * mean}, {1, 1, 760, 0, 0, mean, 2 * mean, 4 * mean, 6 * mean, 7 * mean},
			{2, 1, 0, 7, 2, 0, 0, 0, 0, 0}, {3, 1, 740, 0, 0, mean, 2 * mean, 5 * mean, 9 * mean, 9 * mean},
		},
	}
	if rate > 0 {
		lag := of(300, 0.01)
		r.Service, r.Lag = &service, &lag
	}
	return r
}

// TestWrite pins the document, and reads it back.
func TestWrite(t *testing.T) {
	for name, r := range map[string]*Result{"a.json": sample(1000, 0), "b.json": sample(800, 1000)} {
		path := filepath.Join(t.TempDir(), name)
		if err := r.Write(path); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, text)
		back, err := Read(path)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%s: read back: %v", name, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		`{`: "is not a result", `{"schema":99}`: "has schema version 99", `[]`: "is not a result", `{"label":"x"}`: "has schema version 0",
	} {
		path := filepath.Join(dir, "x.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Read(filepath.Join(dir, "missing")); err == nil {
		t.Error("a missing file")
	}
}

func TestSummary(t *testing.T) {
	var b bytes.Buffer
	for _, r := range []*Result{sample(1000, 0), sample(800, 1000)} {
		if err := r.Summary(&b); err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n")
	}
	golden(t, "summary.txt", b.Bytes())
}

func TestCompare(t *testing.T) {
	var b bytes.Buffer
	c := Compare(sample(1000, 0), sample(800, 1000))
	if err := c.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", b.Bytes())
	if len(c.Differ) != 1 || !strings.HasPrefix(c.Differ[0], "rate: 0, 1000") {
		t.Errorf("differ: %v", c.Differ)
	}
	for _, tt := range []struct {
		row  Row
		want int
	}{
		{Row{Ratio: 1.5, MoreIsGood: true}, 1}, {Row{Ratio: 1.5}, -1}, {Row{Ratio: 0.5}, 1}, {Row{Ratio: 0.5, MoreIsGood: true}, -1},
		{Row{Ratio: 1.01}, 0}, {Row{}, 0},
	} {
		if got := tt.row.Better(); got != tt.want {
			t.Errorf("%+v is %d, want %d", tt.row, got, tt.want)
		}
	}
}

// TestNotes: each warning comes when it should, and not else.
func TestNotes(t *testing.T) {
	open := func(latency, service, lag float64) *Result {
		one := func(us float64) *Latency {
			return &Latency{Count: 1000, Mean: us, Max: us, Percentiles: []Percentile{{99, us}, {99.9, us}}}
		}
		return &Result{Latency: *one(latency), Service: one(service), Lag: one(lag),
			Settings: Settings{Rate: 100, Connections: 1}, Totals: Totals{Seconds: 10}, Client: Client{CPUs: 2, Cores: 0.1}}
	}
	for _, tt := range []struct {
		name string
		r    *Result
		want string // "": none
	}{
		{"quiet", open(2000, 1900, 50), ""},
		{"client late", open(5000, 500, 4000), "the client itself was late"},
		{"late, but too little to see", open(300, 100, 200), ""},
		{"connections busy", open(50_000, 9000, 100), "try more connections"},
		{"client at its limit", &Result{Client: Client{CPUs: 2, Cores: 1.9}}, "nearly all of this machine's CPU"},
		{"not sent", &Result{Totals: Totals{NotSent: 5}}, "5 operations were due but not sent"},
	} {
		notes := strings.Join(tt.r.Notes(), "\n")
		if tt.want == "" && notes != "" || !strings.Contains(notes, tt.want) {
			t.Errorf("%s: notes %q, want %q", tt.name, notes, tt.want)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(uint64(1446330)), "1,446,330"}, {Count(-1234.0), "-1,234"},
		{Rate(0), "0"}, {Rate(0.5), "0.500"}, {Rate(12.34), "12.3"}, {Rate(48211.4), "48,211"},
		{Millis(0), "0.000"}, {Millis(312), "0.312"}, {Millis(999.6), "1.00"}, {Millis(1240), "1.24"}, {Millis(12_400), "12.4"}, {Millis(1_234_000), "1,234"},
		{Codes(map[string]uint64{"b": 1, "a": 1, "c": 1200}), "1,200 c, 1 a, 1 b"},
		{(&Settings{Workload: "get", Mix: []Share{{"get", 1}}}).Title(), "get"},
		{(&Settings{Workload: "ycsbc", Mix: []Share{{"get", 1}}}).Title(), "ycsbc (get)"},
		{(&Settings{Workload: "get:1,put:2", Mix: []Share{{"get", 1}, {"put", 2}}}).Title(), "get 1, put 2"},
		{(&Settings{Connections: 1}).Loop(), "1 connection, closed loop"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestLatencyAt(t *testing.T) {
	var h hist.Hist
	for i := range uint64(1000) {
		h.Add((i + 1) * 1000)
	}
	l := LatencyOf(&h)
	for _, p := range []float64{50, 60, 90, 99.9, 100} { // listed and not
		if got, want := l.At(p), p*10; got < want || got > want*1.01 {
			t.Errorf("p%v is %v, want %v", p, got, want)
		}
	}
	empty := LatencyOf(new(hist.Hist))
	if empty.At(50) != 0 {
		t.Error("a latency of nothing")
	}
}
