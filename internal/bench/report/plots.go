package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/grammedb/gramme/internal/bench/result"
)

// A named is a result with the name and the colour that it has in plots; alone it has none.
type named struct {
	name, class string
	*result.Result
}

func msTick(us float64) string { return short(us / 1000) }
func ms(us float64) string     { return result.Millis(us) + " ms" }

// seconds returns the axis of time of some results.
func seconds(all []named) scale {
	end := 1.0
	for _, r := range all {
		if n := len(r.Series); n > 0 {
			end = max(end, r.Series[n-1].At+r.Series[n-1].Length)
		}
	}
	return scale{lo: 0, hi: end, from: plotLeft, to: plotRight}
}

func secondText(v float64) string { return short(v) + " s" }

// middle is where a second is drawn.
func middle(s result.Second) float64 { return s.At + s.Length/2 }

// throughput plots operations a second over time, and errors if there are some.
func throughput(all []named) *chart {
	var lines []series
	highest := 0.0
	for _, r := range all {
		ops := series{name: strings.TrimSpace(r.name + " operations/s"), class: r.class, area: len(all) == 1}
		errs := series{name: strings.TrimSpace(r.name + " errors/s"), class: "bad"}
		for _, s := range r.Series {
			ops.points = append(ops.points, point{middle(s), s.Rate()})
			errors := float64(s.Errors) / max(s.Length, 1e-3)
			errs.points = append(errs.points, point{middle(s), errors})
			highest = max(highest, s.Rate(), errors)
		}
		lines = append(lines, ops)
		if r.Totals.Errors > 0 {
			lines = append(lines, errs)
		}
	}
	a := axes{x: seconds(all), y: linear(highest, plotBottom, plotTop), xText: secondText, yText: short,
		hoverX: secondText, hoverY: result.Rate}
	return draw("Throughput", "Operations that succeeded, by the second in which they ended.", a, lines)
}

// percentile is one line of the latencies over time.
type percentile struct {
	name, class string
	of          func(result.Second) float64
}

func percentiles() []percentile {
	return []percentile{
		{"p50", "p0", func(s result.Second) float64 { return s.P50 }},
		{"p90", "p1", func(s result.Second) float64 { return s.P90 }},
		{"p99", "p2", func(s result.Second) float64 { return s.P99 }},
		{"p99.9", "p3", func(s result.Second) float64 { return s.P999 }},
	}
}

// latencyOverTime plots percentiles of each second: four of one result, or one of several.
func latencyOverTime(all []named, which []percentile) *chart {
	var lines []series
	lowest, highest := math.Inf(1), 0.0
	for _, r := range all {
		for _, p := range which {
			s := series{name: p.name, class: p.class}
			if len(all) > 1 {
				s = series{name: r.name + " " + p.name, class: r.class}
			}
			for _, second := range r.Series {
				v := p.of(second)
				if second.Operations == 0 {
					v = math.NaN()
				} else {
					lowest, highest = min(lowest, v), max(highest, v)
				}
				s.points = append(s.points, point{middle(second), v})
			}
			lines = append(lines, s)
		}
	}
	a := axes{x: seconds(all), y: logarithmic(lowest, highest, plotBottom, plotTop), xText: secondText, yText: msTick,
		hoverX: secondText, hoverY: ms}
	title := "Latency over time, ms"
	if len(which) == 1 {
		title = which[0].name + " over time, ms"
	}
	return draw(title, "Of the operations that ended in each second.", a, lines)
}

// A distribution is a latency to be plotted.
type distribution struct {
	name, class string
	*result.Latency
}

// curve plots latency by percentile, with more room for the last ones.
func curve(all []distribution) *chart {
	var lines []series
	lowest, highest, most := math.Inf(1), 0.0, 0.0
	for _, d := range all {
		if d.Count == 0 {
			continue
		}
		lowest, highest, most = min(lowest, d.At(100*firstOfCurve)), max(highest, d.Max), max(most, float64(d.Count))
		lines = append(lines, series{name: d.name, class: d.class, points: d.nines()})
	}
	a := axes{
		x: scale{lo: nines(firstOfCurve), hi: max(1, math.Log10(most)), from: plotLeft, to: plotRight}, y: logarithmic(lowest, highest, plotBottom, plotTop),
		xText: percentText, yText: msTick, hoverX: func(n float64) string { return "p" + percentText(n) }, hoverY: ms,
	}
	c := draw("Latency by percentile, ms", "So many percent of the operations took no longer.", a, lines)
	c.XTicks = percentTicks(a.x)
	return c
}

// percentTicks marks percentiles: round values of nines are none.
func percentTicks(x scale) (ticks []tick) {
	for _, p := range []float64{10, 50, 75, 90, 99, 99.9, 99.99, 99.999, 99.9999} {
		if n := nines(p / 100); n <= x.hi {
			ticks = append(ticks, tick{round(x.at(n)), strconv.FormatFloat(p, 'f', -1, 64)})
		}
	}
	return ticks
}

// ratioCurve plots how many times as long b takes as a, by percentile.
func ratioCurve(a, b *result.Latency) *chart {
	end := max(1, math.Log10(float64(min(a.Count, b.Count))))
	s, even, highest := series{name: "B/A", class: "c1"}, series{name: "the same", class: "service"}, 1.0
	const steps = 160
	for i := range steps + 1 {
		n := nines(firstOfCurve) + (end-nines(firstOfCurve))*float64(i)/steps
		percent := 100 - 100*math.Pow(10, -n)
		ratio := b.At(percent) / a.At(percent)
		s.points, even.points = append(s.points, point{n, ratio}), append(even.points, point{n, 1})
		highest = max(highest, ratio)
	}
	frame := axes{
		x: scale{lo: nines(firstOfCurve), hi: end, from: plotLeft, to: plotRight}, y: linear(highest, plotBottom, plotTop),
		xText: percentText, yText: short, hoverX: func(n float64) string { return "p" + percentText(n) },
		hoverY: func(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) },
	}
	c := draw("Ratio of the latencies", "How many times as long B takes as A, by percentile.", frame, []series{s, even})
	c.XTicks = percentTicks(frame.x)
	return c
}

// nines returns the place of a quantile: 0.9 is 1, 0.99 is 2.
func nines(q float64) float64 { return -math.Log10(1 - q) }

// percentText is the inverse of nines, as text.
func percentText(n float64) string {
	digits := max(1, int(n))
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(100-100*math.Pow(10, -n), 'f', digits, 64), "0"), ".")
}

// firstOfCurve is where a curve begins: below it are the few that would take most of the scale.
const firstOfCurve = 0.1

// nines returns the curve of a distribution.
func (d *distribution) nines() []point {
	points := []point{{nines(firstOfCurve), d.At(100 * firstOfCurve)}}
	end, seen := math.Log10(float64(d.Count)), 0.0
	for _, b := range d.Buckets {
		if seen += b[1]; seen > firstOfCurve*float64(d.Count) && seen < float64(d.Count) {
			points = append(points, point{nines(seen / float64(d.Count)), b[0]})
		}
	}
	return append(thin(points), point{end, d.Max})
}

// thin leaves out points that fall upon each other.
func thin(points []point) []point {
	const apart = 0.004
	kept := points[:1]
	for _, p := range points[1:] {
		if last := kept[len(kept)-1]; p.x-last.x > apart || p.y > last.y*1.01 {
			kept = append(kept, p)
		}
	}
	return kept
}

// histogram plots how many operations took how long, in bars that are as wide as they look.
func histogram(l *result.Latency) *chart {
	const bins = 72
	x := logarithmic(l.At(0.05), l.At(99.99), plotLeft, plotRight)
	shares := make([]float64, bins)
	highest := 0.0
	for _, b := range l.Buckets {
		i := min(bins-1, int((x.at(b[0])-plotLeft)/(plotRight-plotLeft)*bins))
		shares[i] += 100 * b[1] / float64(l.Count)
		highest = max(highest, shares[i])
	}
	percent := func(v float64) string { return short(v) + " %" }
	a := axes{x: x, y: linear(highest, plotBottom, plotTop), xText: func(v float64) string { return msTick(v) + " ms" }, yText: percent}
	c := frame("Distribution", "Share of the operations by latency; the shortest and the longest are in the outer bars.", a)
	var hovers []hover
	width := (plotRight - plotLeft) / bins
	for i, share := range shares {
		if share == 0 {
			continue
		}
		at := plotLeft + float64(i)*width
		y := a.y.at(share)
		c.Bars = append(c.Bars, bar{X: round(at + 0.5), Y: round(y), Width: round(width - 1), Height: round(plotBottom - y)})
		hovers = append(hovers, hover{X: round(at + width/2), Title: fmt.Sprintf("%s to %s", ms(x.value(at)), ms(x.value(at+width))),
			Rows: [][3]string{{"c0", "operations", fmt.Sprintf("%.2f %%", share)}}})
	}
	c.Hover = marshal(hovers)
	return c
}
