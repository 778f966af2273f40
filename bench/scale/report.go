package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/bench/result"
)

// A row is one line of the table.
type row struct{ what, target, measured, verdict string }

// verdict adds a row that is judged.
func (t *test) verdict(what, target, measured string, good bool) {
	verdict := "**miss**"
	if good {
		verdict = "pass"
	}
	t.add(row{what, target, measured, verdict})
}

// fact adds a row that is not.
func (t *test) fact(what, measured string) { t.add(row{what: what, measured: measured}) }

func (t *test) add(r row) {
	progress("%s: %s %s", r.what, r.measured, r.verdict)
	t.rows = append(t.rows, r)
}

// report prints the table.
func (t *test) report(w io.Writer) {
	fmt.Fprint(w, "| what | target | measured | |\n|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", r.what, r.target, r.measured, r.verdict)
	}
	if len(t.others) > 0 {
		slices.Sort(t.others)
		fmt.Fprintf(w, "\nOther work took %.2f of %d cores in the median of the measurements.\n", t.others[len(t.others)/2], runtime.NumCPU())
	}
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func count(n uint64) string { return result.Count(n) }

func mib(bytes int64) string { return fmt.Sprintf("%.4g MiB", float64(bytes)/(1<<20)) }

func millis(d time.Duration) string { return fmt.Sprintf("%.3g ms", float64(d.Microseconds())/1e3) }

func round(d time.Duration) time.Duration { return d.Round(100 * time.Nanosecond) }
