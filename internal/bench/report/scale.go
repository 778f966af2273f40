package report

import (
	"math"
	"strconv"
)

// A scale maps values to places on an axis.
type scale struct {
	lo, hi   float64 // values
	from, to float64 // places
	log      bool
}

// at returns the place of a value. What is outside is put on the edge.
func (s scale) at(v float64) float64 {
	v = min(max(v, s.lo), s.hi)
	if s.log {
		return s.from + (math.Log(v)-math.Log(s.lo))/(math.Log(s.hi)-math.Log(s.lo))*(s.to-s.from)
	}
	return s.from + (v-s.lo)/(s.hi-s.lo)*(s.to-s.from)
}

// linear returns a scale from 0 to a round number not below hi.
func linear(hi, from, to float64) scale {
	if !(hi > 0) {
		hi = 1
	}
	step := niceStep(hi / 4)
	return scale{lo: 0, hi: math.Ceil(hi/step-1e-9) * step, from: from, to: to}
}

// logarithmic returns a scale that has lo and hi in it and ends at round numbers.
func logarithmic(lo, hi, from, to float64) scale {
	if !(lo > 0) || math.IsInf(lo, 1) { // there are no values
		lo = 0.001
	}
	if !(hi > lo) {
		hi = lo * 10
	}
	s := scale{lo: niceLog(lo, false), hi: niceLog(hi, true), from: from, to: to, log: true}
	if s.hi/s.lo < 5 { // too narrow to have ticks
		s.lo, s.hi = niceLog(s.lo*0.6, false), niceLog(s.hi*1.7, true)
	}
	return s
}

// niceStep returns the smallest of 1, 2, 5, 10... that is not below v.
func niceStep(v float64) float64 { return niceLog(v, true) }

// niceLog returns the number of 1, 2, 5 times a power of ten next to v, above or below.
func niceLog(v float64, up bool) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	if up {
		for _, m := range []float64{1, 2, 5} {
			if m*power >= v*(1-1e-9) {
				return m * power
			}
		}
		return 10 * power
	}
	for _, m := range []float64{5, 2} {
		if m*power <= v*(1+1e-9) {
			return m * power
		}
	}
	return power
}

// ticks returns round values along the axis.
func (s scale) ticks() (values []float64) {
	if !s.log {
		step := niceStep((s.hi - s.lo) / 5)
		for i := 0; s.lo+float64(i)*step <= s.hi*(1+1e-9); i++ {
			values = append(values, s.lo+float64(i)*step)
		}
		return values
	}
	decades := math.Log10(s.hi / s.lo)
	for v := niceLog(s.lo, true); v <= s.hi*(1+1e-9); v = niceLog(v*1.1, true) {
		if lead := math.Round(v / math.Pow(10, math.Floor(math.Log10(v)+1e-9))); decades <= 3.01 || lead == 1 {
			values = append(values, v)
		}
	}
	return values
}

// short writes a tick: 0.5, 20, 40k, 1.5M.
func short(v float64) string {
	write := func(v float64, unit string) string {
		return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'g', 6, 64) + unit
	}
	switch {
	case v >= 1e6:
		return write(v/1e6, "M")
	case v >= 1e3:
		return write(v/1e3, "k")
	}
	return write(v, "")
}

// value is the inverse of at.
func (s scale) value(place float64) float64 {
	part := (place - s.from) / (s.to - s.from)
	if s.log {
		return s.lo * math.Pow(s.hi/s.lo, part)
	}
	return s.lo + part*(s.hi-s.lo)
}
