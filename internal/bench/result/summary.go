package result

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Shown are the percentiles of the tables.
var Shown = []float64{50, 90, 95, 99, 99.9, 99.99}

// Summary writes r for people.
func (r *Result) Summary(w io.Writer) error {
	var b bytes.Buffer
	s, t := &r.Settings, &r.Totals
	fmt.Fprintf(&b, "%s on %s\n%s, %s s", s.Title(), s.Endpoint, s.Loop(), significant(t.Seconds))
	if r.EndedEarly {
		b.WriteString(", ended early")
	}
	fmt.Fprintf(&b, "; %s items of %s bytes, %s keys\n\n", Count(s.Items), s.ItemSize, s.Distribution)

	fmt.Fprintf(&b, "  operations  %s/s", Rate(t.PerSecond))
	if t.MedianSecond > 0 {
		fmt.Fprintf(&b, " (median second %s)", Rate(t.MedianSecond))
	}
	fmt.Fprintf(&b, ", %s in all", Count(t.Operations))
	if t.ItemsPerSecond > 1.01*t.PerSecond {
		fmt.Fprintf(&b, ", %s items/s", Rate(t.ItemsPerSecond))
	}
	b.WriteByte('\n')
	fmt.Fprintf(&b, "  errors      %s\n", countsWithCodes(t.Errors, r.Errors))
	if t.Retries > 0 {
		fmt.Fprintf(&b, "  retries     %s\n", countsWithCodes(t.Retries, r.Retries))
	}
	if v := r.Verified; v != nil {
		fmt.Fprintf(&b, "  verified    %s answers, %s of them with a checksum; %s wrong\n", Count(v.Answers), Count(v.CRC32), Count(v.Wrong))
	}
	b.WriteByte('\n')
	r.latencies(&b)
	r.cpu(&b)
	for _, n := range r.Notes() {
		fmt.Fprintf(&b, "  note: %s\n", n)
	}
	if r.Sample != "" {
		fmt.Fprintf(&b, "  first error: %s\n", r.Sample)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func countsWithCodes(n uint64, codes map[string]uint64) string {
	if n == 0 {
		return "0"
	}
	return Count(n) + ": " + Codes(codes)
}

// Rows returns the distributions of r with their names: of all, of each operation if there are several, and the service time.
func (r *Result) Rows() (names []string, rows []*Latency) {
	names, rows = []string{"all"}, []*Latency{&r.Latency}
	if len(r.Operations) == 1 {
		names[0] = r.Operations[0].Name
	} else {
		for i := range r.Operations {
			names, rows = append(names, r.Operations[i].Name), append(rows, &r.Operations[i].Latency)
		}
	}
	if r.Service != nil {
		names, rows = append(names, "service time"), append(rows, r.Service)
	}
	return names, rows
}

func (r *Result) latencies(b *bytes.Buffer) {
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "latency, ms\t")
	for _, p := range Shown {
		fmt.Fprintf(tw, "p%v\t", p)
	}
	fmt.Fprint(tw, "max\tmean\tcount\t\n")
	names, rows := r.Rows()
	for i, l := range rows {
		if l.Count == 0 {
			continue
		}
		fmt.Fprintf(tw, "%s\t", names[i])
		for _, p := range Shown {
			fmt.Fprintf(tw, "%s\t", Millis(l.At(p)))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t\n", Millis(l.Max), Millis(l.Mean), Count(l.Count))
	}
	_ = tw.Flush() // into a buffer
	b.WriteByte('\n')
}

func (r *Result) cpu(b *bytes.Buffer) {
	c, s := &r.Client, &r.Server
	parts := []string{fmt.Sprintf("client %.2f of %d cores, %s us/operation", c.Cores, c.CPUs, significant(c.CPUUSPerOp))}
	if s.PID > 0 {
		parts = append(parts, fmt.Sprintf("server %.2f cores, %s us/operation, %.0f MiB resident (peak %.0f)",
			s.Cores, significant(s.CPUUSPerOp), s.RSSMiB, s.PeakRSSMiB))
	}
	if c.OtherCores > 0 {
		parts = append(parts, fmt.Sprintf("other processes %.2f cores", c.OtherCores))
	}
	fmt.Fprintf(b, "  CPU: %s\n", strings.Join(parts, "; "))
}

// Notes says what a reader of the numbers should know.
func (r *Result) Notes() (notes []string) {
	t, c := &r.Totals, &r.Client
	if t.NotSent > 0 {
		notes = append(notes, fmt.Sprintf(
			"%s operations were due but not sent, as all connections waited for answers: the rate is more than the server, or this number of connections, can do",
			Count(t.NotSent)))
	}
	if c.CPUs > 0 && c.Cores > 0.9*float64(c.CPUs) {
		notes = append(notes, "the client used nearly all of this machine's CPU: it may be what limits the numbers")
	}
	if r.Service == nil || r.Lag == nil || r.Latency.Count == 0 {
		return notes
	}
	const visible = 1000 // us
	busy := r.Service.Mean / 1e6 * float64(r.Service.Count) / (t.Seconds * float64(r.Settings.Connections))
	if lag := r.Lag.At(99.9); lag > visible && lag > r.Latency.At(99)/2 {
		notes = append(notes, fmt.Sprintf("the client itself was late by up to %s ms (p99.9): this machine is too busy for exact latencies", Millis(lag)))
	} else if busy > 0.8 && t.NotSent == 0 {
		notes = append(notes, fmt.Sprintf("the connections were busy for %.0f %% of the time, and operations waited for them: try more connections", 100*busy))
	}
	return notes
}
