// Package report writes a load test's result, or the comparison of two, as one HTML file that needs nothing else: plots in
// SVG, light and dark, for the screen and for paper.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/bench/result"
)

// A view is what a page shows.
type view struct {
	Title      string
	Subtitles  []subtitle
	Tiles      []tile
	Notes      []string
	Sample     string // of an error
	Charts     []*chart
	Tables     []*table
	Comparison *result.Comparison
	Facts      []facts
}

// A subtitle says where, how and when; of which of two results, if there are two.
type subtitle struct{ name, class, text string }

// A tile is one number.
type tile struct {
	Name, Value, Unit string
	Bad               bool
}

// A table has a head and rows.
type table struct {
	Title string
	Head  []string
	Rows  [][]string
}

// Facts are names and values under a title.
type facts struct {
	Title string
	List  [][2]string
}

// Write writes the report of a result.
func Write(w io.Writer, r *result.Result) error {
	t := &r.Totals
	v := &view{
		Title:     r.Settings.Title(),
		Subtitles: []subtitle{{text: circumstances(r)}},
		Tiles: []tile{
			{Name: "operations/s", Value: result.Rate(t.PerSecond)},
			{Name: "p50", Value: result.Millis(r.Latency.At(50)), Unit: "ms"},
			{Name: "p99", Value: result.Millis(r.Latency.At(99)), Unit: "ms"},
			{Name: "p99.9", Value: result.Millis(r.Latency.At(99.9)), Unit: "ms"},
			{Name: "longest", Value: result.Millis(r.Latency.Max), Unit: "ms"},
			{Name: "errors", Value: result.Count(t.Errors), Bad: t.Errors > 0},
		},
		Tables: []*table{latencies(r)},
		Notes:  r.Notes(),
		Sample: r.Sample,
		Facts:  []facts{settingFacts(r), countFacts(r), machineFacts(r)},
	}
	if t.Errors > 0 {
		v.Tables = append(v.Tables, codes("Errors", r.Errors))
	}
	if t.Retries > 0 {
		v.Tables = append(v.Tables, codes("Retries", r.Retries))
	}
	one := []named{{class: "c0", Result: r}}
	if len(r.Series) > 1 {
		v.Charts = append(v.Charts, throughput(one), latencyOverTime(one, percentiles()))
	}
	if r.Latency.Count > 0 {
		v.Charts = append(v.Charts, curve(distributions(r)), histogram(&r.Latency))
	}
	return v.write(w)
}

// WriteComparison writes two results side by side.
func WriteComparison(w io.Writer, c *result.Comparison) error {
	v := &view{
		Title:      "A and B",
		Comparison: c,
		Subtitles: []subtitle{
			{"A", "c0", c.A.Settings.Title() + " · " + circumstances(c.A)}, {"B", "c1", c.B.Settings.Title() + " · " + circumstances(c.B)},
		},
		Facts: []facts{named{name: "A: settings", Result: c.A}.settings(), named{name: "B: settings", Result: c.B}.settings()},
	}
	both := []named{{"A", "c0", c.A}, {"B", "c1", c.B}}
	if len(c.A.Series) > 1 && len(c.B.Series) > 1 {
		v.Charts = append(v.Charts, throughput(both), latencyOverTime(both, percentiles()[2:3]))
	}
	if c.A.Latency.Count > 0 && c.B.Latency.Count > 0 {
		v.Charts = append(v.Charts, curve([]distribution{{"A", "c0", &c.A.Latency}, {"B", "c1", &c.B.Latency}}),
			ratioCurve(&c.A.Latency, &c.B.Latency))
	}
	return v.write(w)
}

func (n named) settings() facts {
	f := settingFacts(n.Result)
	f.Title = n.name
	return f
}

// circumstances says where, how and when.
func circumstances(r *result.Result) string {
	early := ""
	if r.EndedEarly {
		early = ", ended early"
	}
	return fmt.Sprintf("%s · %s · %.4g s%s · %s", r.Settings.Endpoint, r.Settings.Loop(), r.Totals.Seconds, early,
		r.Started.Format("2006-01-02 15:04:05 MST"))
}

// distributions returns what the curve shows: all operations, each of several, and with a rate the service time.
func distributions(r *result.Result) (all []distribution) {
	names, rows := r.Rows()
	for i, l := range rows {
		class := fmt.Sprintf("c%d", max(0, i-1)%6)
		switch {
		case l == r.Service:
			class = "service"
		case len(rows) > 1 && i == 0 && len(r.Operations) > 1:
			class = "all"
		}
		all = append(all, distribution{names[i], class, l})
	}
	return all
}

func latencies(r *result.Result) *table {
	t := &table{Title: "Latency in ms", Head: []string{""}}
	for _, p := range result.Shown {
		t.Head = append(t.Head, fmt.Sprintf("p%v", p))
	}
	t.Head = append(t.Head, "max", "mean", "count")
	names, rows := r.Rows()
	for i, l := range rows {
		row := []string{names[i]}
		for _, p := range result.Shown {
			row = append(row, result.Millis(l.At(p)))
		}
		t.Rows = append(t.Rows, append(row, result.Millis(l.Max), result.Millis(l.Mean), result.Count(l.Count)))
	}
	return t
}

func codes(title string, counts map[string]uint64) *table {
	t := &table{Title: title, Head: []string{"code", "count"}}
	for part := range strings.SplitSeq(result.Codes(counts), ", ") {
		if n, code, ok := strings.Cut(part, " "); ok {
			t.Rows = append(t.Rows, []string{code, n})
		}
	}
	return t
}

func settingFacts(r *result.Result) facts {
	s := &r.Settings
	list := [][2]string{
		{"Workload", s.Title()}, {"Load", s.Loop()}, {"Warm-up", (time.Duration(s.WarmupS * float64(time.Second))).String()},
		{"Items", result.Count(s.Items) + " of " + s.ItemSize + " bytes"}, {"Items in a partition", result.Count(s.PerPartition)},
		{"Values", s.Values}, {"Keys", s.Distribution}, {"Reads", map[bool]string{false: "eventually consistent", true: "strongly consistent"}[s.Consistent]},
		{"Endpoint", s.Endpoint}, {"Region", s.Region}, {"Table", s.Table}, {"Seed", fmt.Sprint(s.Seed)},
		{"Timeout, retries", fmt.Sprintf("%v s, %d", s.TimeoutS, s.MaxRetries)},
	}
	return facts{"Settings", list}
}

func countFacts(r *result.Result) facts {
	t := &r.Totals
	list := [][2]string{
		{"Operations", result.Count(t.Operations)}, {"Seconds", fmt.Sprintf("%.4g", t.Seconds)},
		{"Median second", result.Rate(t.MedianSecond)}, {"Items/s", result.Rate(t.ItemsPerSecond)},
		{"Request, answer", fmt.Sprintf("%s, %s bytes", result.Count(t.RequestBytes), result.Count(t.ResponseBytes))},
		{"Retries", result.Count(t.Retries)},
	}
	if t.LoadSeconds > 0 {
		list = append(list, [2]string{"Loading", fmt.Sprintf("%.1f s, %s items/s", t.LoadSeconds, result.Rate(t.LoadItemsPerSecs))})
	}
	if v := r.Verified; v != nil {
		list = append(list, [2]string{"Verified", fmt.Sprintf("%s answers, %s with a checksum, %s wrong",
			result.Count(v.Answers), result.Count(v.CRC32), result.Count(v.Wrong))})
	}
	return facts{"Counts", list}
}

func machineFacts(r *result.Result) facts {
	c, s := &r.Client, &r.Server
	list := [][2]string{
		{"Client", fmt.Sprintf("gramme %s, %s, %s/%s", c.Version, c.Go, c.OS, c.Arch)},
		{"Client CPU", fmt.Sprintf("%.2f of %d cores, %.1f µs an operation", c.Cores, c.CPUs, c.CPUUSPerOp)},
	}
	if c.OtherCores > 0 {
		list = append(list, [2]string{"Other processes", fmt.Sprintf("%.2f cores", c.OtherCores)})
	}
	if s.Header != "" {
		list = append(list, [2]string{"Server", s.Header})
	}
	if s.PID > 0 {
		list = append(list, [2]string{"Server CPU", fmt.Sprintf("%.2f cores, %.1f µs an operation", s.Cores, s.CPUUSPerOp)},
			[2]string{"Server memory", fmt.Sprintf("%.0f MiB, peak %.0f MiB", s.RSSMiB, s.PeakRSSMiB)})
	}
	return facts{"Machines", list}
}
