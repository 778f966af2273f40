package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/grammedb/gramme/internal/bench/result"
)

// report prints a table: what each server did in the median of the rounds.
func (p peers) report(w io.Writer, workloads []string) {
	fmt.Fprint(w, "| |")
	for _, one := range p {
		fmt.Fprintf(w, " %s |", one.name)
	}
	fmt.Fprint(w, "\n|---|")
	for range p {
		fmt.Fprint(w, "---|")
	}
	fmt.Fprintln(w)
	for _, name := range workloads {
		p.line(w, name, func(one *peer) string { return one.cell(name) })
	}
	p.line(w, "start-up", func(one *peer) string {
		if one.server == nil {
			return ""
		}
		return fmt.Sprintf("%d ms", one.server.Took().Milliseconds())
	})
	p.line(w, "memory at its peak", func(one *peer) string { return fmt.Sprintf("%.0f MiB", one.peak()) })
	var others []float64
	for _, one := range p {
		for _, runs := range one.results {
			for _, r := range runs {
				others = append(others, r.Client.OtherCores)
			}
		}
	}
	fmt.Fprintf(w, "\nOperations a second; p99; CPU of the server for each. Other work took %.2f cores in the median of %d measurements.\n", median(others), len(others))
}

func (p peers) line(w io.Writer, name string, cell func(*peer) string) {
	fmt.Fprintf(w, "| %s |", name)
	for _, one := range p {
		fmt.Fprintf(w, " %s |", cell(one))
	}
	fmt.Fprintln(w)
}

// cell returns what the server did with a workload.
func (p *peer) cell(name string) string {
	runs := p.results[name]
	mid := func(f func(*result.Result) float64) float64 {
		var values []float64
		for _, r := range runs {
			values = append(values, f(r))
		}
		return median(values)
	}
	rate := mid(func(r *result.Result) float64 { return r.Totals.PerSecond })
	if rate == 0 {
		return "none"
	}
	return fmt.Sprintf("%s; %s ms; %.0f us", result.Count(uint64(rate)), result.Millis(mid(func(r *result.Result) float64 { return r.Latency.At(99) })),
		mid(func(r *result.Result) float64 { return r.Server.CPUUSPerOp }))
}

// peak returns the greatest memory that was seen, in MiB.
func (p *peer) peak() (mib float64) {
	for _, runs := range p.results {
		for _, r := range runs {
			mib = max(mib, r.Server.PeakRSSMiB)
		}
	}
	return mib
}

// median returns 0 for no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
