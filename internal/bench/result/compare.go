package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// A Comparison is two results side by side.
type Comparison struct {
	A, B   *Result
	Rows   []Row
	Differ []string // settings that differ: "connections: 16, 64"
}

// A Row compares one number.
type Row struct {
	Name       string
	A, B       string
	Ratio      float64 // of B to A; 0 if there is none
	MoreIsGood bool
}

// Better reports how B does against A: 1 better, -1 worse, 0 the same within 2 %.
func (r Row) Better() int {
	switch {
	case r.Ratio == 0 || r.Ratio > 0.98 && r.Ratio < 1.02:
		return 0
	case r.Ratio > 1 == r.MoreIsGood:
		return 1
	}
	return -1
}

// Compare compares b with a.
func Compare(a, b *Result) *Comparison {
	c := &Comparison{A: a, B: b, Differ: differ(&a.Settings, &b.Settings)}
	number := func(name string, x, y float64, write func(float64) string, good bool) {
		row := Row{Name: name, A: write(x), B: write(y), MoreIsGood: good}
		if x > 0 && y > 0 {
			row.Ratio = y / x
		}
		c.Rows = append(c.Rows, row)
	}
	number("operations/s", a.Totals.PerSecond, b.Totals.PerSecond, Rate, true)
	if a.Totals.ItemsPerSecond > 1.01*a.Totals.PerSecond {
		number("items/s", a.Totals.ItemsPerSecond, b.Totals.ItemsPerSecond, Rate, true)
	}
	latency := func(prefix string, x, y *Latency, percents []float64) {
		for _, p := range percents {
			number(fmt.Sprintf("%sp%v ms", prefix, p), x.At(p), y.At(p), Millis, false)
		}
	}
	latency("", &a.Latency, &b.Latency, Shown)
	number("max ms", a.Latency.Max, b.Latency.Max, Millis, false)
	number("mean ms", a.Latency.Mean, b.Latency.Mean, Millis, false)
	if len(a.Operations) > 1 || len(b.Operations) > 1 {
		for i := range a.Operations {
			if y := b.operation(a.Operations[i].Name); y != nil {
				latency(a.Operations[i].Name+" ", &a.Operations[i].Latency, &y.Latency, []float64{50, 99, 99.9})
			}
		}
	}
	number("errors", float64(a.Totals.Errors), float64(b.Totals.Errors), Count[float64], false)
	number("retries", float64(a.Totals.Retries), float64(b.Totals.Retries), Count[float64], false)
	number("client CPU us/operation", a.Client.CPUUSPerOp, b.Client.CPUUSPerOp, significant, false)
	if a.Server.PID > 0 && b.Server.PID > 0 {
		number("server CPU us/operation", a.Server.CPUUSPerOp, b.Server.CPUUSPerOp, significant, false)
		number("server RSS MiB", a.Server.RSSMiB, b.Server.RSSMiB, significant, false)
	}
	return c
}

func (r *Result) operation(name string) *Operation {
	for i := range r.Operations {
		if r.Operations[i].Name == name {
			return &r.Operations[i]
		}
	}
	return nil
}

// differ lists the settings that are not the same and matter for the numbers.
func differ(a, b *Settings) (list []string) {
	x, y := members(a), members(b)
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if !slices.Contains([]string{"table", "seed", "mix"}, name) && x[name] != y[name] {
			list = append(list, fmt.Sprintf("%s: %s, %s", name, x[name], y[name]))
		}
	}
	return list
}

// members returns the settings as JSON by name; one that is left out is the same as 0.
func members(s *Settings) map[string]string {
	text, err := json.Marshal(s)
	var raw map[string]json.RawMessage
	if err != nil || json.Unmarshal(text, &raw) != nil {
		return nil
	}
	all := map[string]string{"rate": "0", "duration_s": "0", "operations": "0"}
	for k, v := range raw {
		all[k] = string(v)
	}
	return all
}

// WriteText writes c as a table.
func (c *Comparison) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "A: %s, %s, on %s at %s\nB: %s, %s, on %s at %s\n\n",
		c.A.Settings.Title(), c.A.Settings.Loop(), c.A.Settings.Endpoint, c.A.Started.Format("2006-01-02 15:04:05"),
		c.B.Settings.Title(), c.B.Settings.Loop(), c.B.Settings.Endpoint, c.B.Started.Format("2006-01-02 15:04:05"))
	tw := tabwriter.NewWriter(&b, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "\tA\tB\tB/A\t\n")
	for _, r := range c.Rows {
		ratio := "-"
		if r.Ratio > 0 {
			ratio = significant(r.Ratio)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t\n", r.Name, r.A, r.B, ratio)
	}
	_ = tw.Flush() // into a buffer
	if len(c.Differ) > 0 {
		b.WriteString("\nSettings that differ (A, B):\n")
		for _, d := range c.Differ {
			fmt.Fprintf(&b, "  %s\n", d)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
