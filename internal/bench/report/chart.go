package report

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// The size of a chart and of its plot, in the units of its drawing.
const (
	chartWidth, chartHeight = 560.0, 236.0
	plotLeft, plotTop       = 46.0, 10.0
	plotRight, plotBottom   = 550.0, 208.0
	hoverPoints             = 240 // about as many places as a pointer can tell apart
)

// A chart is a drawing with what surrounds it.
type chart struct {
	Title, Caption string
	XTicks, YTicks []tick
	Lines          []line
	Bars           []bar
	Legend         []legend
	Hover          string // JSON: see the script
}

type tick struct {
	At    float64
	Label string
}

// A line is a path and perhaps the area under it.
type line struct{ Class, Path, Area string }

type bar struct{ X, Y, Width, Height float64 }

type legend struct{ Class, Name string }

// A hover is what is shown over one place of the x axis.
type hover struct {
	X     float64     `json:"x"`
	Title string      `json:"t"`
	Rows  [][3]string `json:"r"` // class, name, value
}

// A point in values.
type point struct{ x, y float64 }

// A series is a line to be drawn.
type series struct {
	name   string
	class  string
	points []point
	area   bool
}

// An axes is the frame that series are drawn into.
type axes struct {
	x, y           scale
	xText, yText   func(float64) string // of ticks
	hoverX, hoverY func(float64) string
}

// draw makes the chart of some series over common x values.
func draw(title, caption string, a axes, all []series) *chart {
	c := frame(title, caption, a)
	for _, s := range all {
		if len(s.points) == 0 {
			continue
		}
		c.Lines = append(c.Lines, a.line(s))
		if len(all) > 1 {
			c.Legend = append(c.Legend, legend{s.class, s.name})
		}
	}
	c.Hover = a.hovers(all)
	return c
}

// frame makes a chart without content.
func frame(title, caption string, a axes) *chart {
	c := &chart{Title: title, Caption: caption}
	for _, v := range a.x.ticks() {
		c.XTicks = append(c.XTicks, tick{round(a.x.at(v)), a.xText(v)})
	}
	for _, v := range a.y.ticks() {
		c.YTicks = append(c.YTicks, tick{round(a.y.at(v)), a.yText(v)})
	}
	return c
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

// line draws a series. It is interrupted where there is no value (NaN).
func (a axes) line(s series) line {
	var b strings.Builder
	command := "M%g %gh0" // no length, but an end that is round: one value alone is a dot
	for _, p := range s.points {
		if math.IsNaN(p.y) {
			command = "M%g %gh0"
			continue
		}
		fmt.Fprintf(&b, command, round(a.x.at(p.x)), round(a.y.at(p.y)))
		command = "L%g %g"
	}
	l := line{Class: s.class, Path: b.String()}
	if s.area {
		first, last := s.points[0], s.points[len(s.points)-1]
		l.Area = fmt.Sprintf("%sL%g %gL%g %gZ", l.Path, round(a.x.at(last.x)), plotBottom, round(a.x.at(first.x)), plotBottom)
	}
	return l
}

// hovers renders what is shown over the x values of the series with the most points; each of the others answers with its point
// that is next to it.
func (a axes) hovers(all []series) string {
	var longest []point
	for _, s := range all {
		if len(s.points) > len(longest) {
			longest = s.points
		}
	}
	list := []hover{}
	for i := 0; i < len(longest); i += 1 + len(longest)/hoverPoints {
		h := hover{X: round(a.x.at(longest[i].x)), Title: a.hoverX(longest[i].x)}
		for _, s := range all {
			if p, ok := s.near(longest[i].x); ok && !math.IsNaN(p.y) {
				h.Rows = append(h.Rows, [3]string{s.class, s.name, a.hoverY(p.y)})
			}
		}
		list = append(list, h)
	}
	return marshal(list)
}

// near returns the point of s at x, or the next one after it.
func (s series) near(x float64) (point, bool) {
	for _, p := range s.points {
		if p.x >= x {
			return p, true
		}
	}
	return point{}, false
}

func marshal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "[]"
	}
	return string(text)
}
