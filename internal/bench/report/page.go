package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"io"

	"github.com/grammedb/gramme/internal/bench/result"
)

//go:embed style.css
var style string

//go:embed hover.js
var script string

// A markup is HTML that is being written. The templates of the standard library would do, but they call methods by name, for
// which the linker keeps every method in the binary: a quarter of its size.
type markup struct{ bytes.Buffer }

// add writes a piece of HTML. Strings among the arguments are text and are escaped, in attributes too, which stand in double
// quotes.
func (m *markup) add(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = html.EscapeString(s)
		}
	}
	fmt.Fprintf(&m.Buffer, format, args...)
}

// write writes the page.
func (v *view) write(w io.Writer) error {
	m := new(markup)
	m.add("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n")
	m.add("<title>gramme bench: %s</title>\n<style>\n", v.Title)
	m.WriteString(style)
	m.add("</style>\n</head>\n<body>\n<main>\n")
	v.header(m)
	if len(v.Notes) > 0 || v.Sample != "" {
		v.notes(m)
	}
	m.add("<div class=\"charts\">\n")
	for _, c := range v.Charts {
		c.write(m)
	}
	m.add("</div>\n")
	for _, t := range v.Tables {
		t.write(m)
	}
	if v.Comparison != nil {
		ratios(m, v.Comparison)
	}
	m.add("<div class=\"facts\">\n")
	for _, f := range v.Facts {
		f.write(m)
	}
	m.add("</div>\n</main>\n<script>\n")
	m.WriteString(script)
	m.add("</script>\n</body>\n</html>\n")
	_, err := w.Write(m.Bytes())
	return err
}

func (v *view) header(m *markup) {
	m.add("<header>\n<p class=\"tool\">gramme bench</p>\n<h1>%s</h1>\n", v.Title)
	for _, s := range v.Subtitles {
		m.add("<p class=\"sub\">")
		if s.name != "" {
			m.add("<b class=\"%s\">%s</b> ", s.class, s.name)
		}
		m.add("%s</p>\n", s.text)
	}
	m.add("</header>\n")
	if len(v.Tiles) == 0 {
		return
	}
	m.add("<div class=\"tiles\">\n")
	for _, t := range v.Tiles {
		class := "tile"
		if t.Bad {
			class = "tile bad"
		}
		m.add("<div class=\"%s\"><p>%s</p><strong>%s</strong><small>%s</small></div>\n", class, t.Name, t.Value, t.Unit)
	}
	m.add("</div>\n")
}

func (v *view) notes(m *markup) {
	m.add("<section class=\"note\">\n")
	for _, n := range v.Notes {
		m.add("<p>%s</p>\n", n)
	}
	if v.Sample != "" {
		m.add("<p>First error: %s</p>\n", v.Sample)
	}
	m.add("</section>\n")
}

// write draws the chart.
func (c *chart) write(m *markup) {
	m.add("<figure data-hover=\"%s\">\n<figcaption><h2>%s</h2><p>%s</p></figcaption>\n", c.Hover, c.Title, c.Caption)
	if len(c.Legend) > 0 {
		m.add("<ul class=\"legend\">")
		for _, l := range c.Legend {
			m.add("<li class=\"%s\"><span class=\"key\"></span><span class=\"name\">%s</span></li>", l.Class, l.Name)
		}
		m.add("</ul>\n")
	}
	m.add("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n", chartWidth, chartHeight, c.Title)
	for _, t := range c.YTicks {
		m.add("<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%[3]g\" y2=\"%[3]g\"/>", plotLeft, plotRight, t.At)
		m.add("<text x=\"%g\" dx=\"-8\" y=\"%g\" dy=\"4\" text-anchor=\"end\">%s</text>\n", plotLeft, t.At, t.Label)
	}
	m.add("<line class=\"axis\" x1=\"%g\" x2=\"%g\" y1=\"%[3]g\" y2=\"%[3]g\"/>\n", plotLeft, plotRight, plotBottom)
	for _, t := range c.XTicks {
		m.add("<text x=\"%g\" y=\"%g\" dy=\"19\" text-anchor=\"middle\">%s</text>\n", t.At, plotBottom, t.Label)
	}
	for _, b := range c.Bars {
		m.add("<rect class=\"bar\" x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" rx=\"1.5\"/>\n", b.X, b.Y, b.Width, b.Height)
	}
	for _, l := range c.Lines {
		if l.Area != "" {
			m.add("<path class=\"area %s\" d=\"%s\"/>\n", l.Class, l.Area)
		}
		m.add("<path class=\"line %s\" d=\"%s\"/>\n", l.Class, l.Path)
	}
	m.add("<line class=\"cross\" y1=\"%g\" y2=\"%g\"/>\n</svg>\n<div class=\"tip\"></div>\n</figure>\n", plotTop, plotBottom)
}

func (t *table) write(m *markup) {
	m.add("<section>\n<h2>%s</h2>\n<table><thead><tr>", t.Title)
	for _, h := range t.Head {
		m.add("<th>%s</th>", h)
	}
	m.add("</tr></thead>\n<tbody>")
	for _, row := range t.Rows {
		m.add("<tr>")
		for _, cell := range row {
			m.add("<td>%s</td>", cell)
		}
		m.add("</tr>\n")
	}
	m.add("</tbody></table>\n</section>\n")
}

// ratios writes the table of a comparison and the settings that differ.
func ratios(m *markup, c *result.Comparison) {
	m.add("<section>\n<h2>Ratios</h2>\n<table><thead><tr><th></th><th>A</th><th>B</th><th>B/A</th></tr></thead>\n<tbody>")
	for _, r := range c.Rows {
		ratio := "–"
		if r.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f", r.Ratio)
		}
		verdict := [...]string{"worse", "same", "better"}[r.Better()+1]
		m.add("<tr><td>%s</td><td>%s</td><td>%s</td><td class=\"%s\">%s</td></tr>\n", r.Name, r.A, r.B, verdict, ratio)
	}
	m.add("</tbody></table>\n</section>\n")
	if len(c.Differ) == 0 {
		return
	}
	m.add("<section class=\"note\">\n<h2>Settings that differ</h2>\n")
	for _, d := range c.Differ {
		m.add("<p>%s</p>\n", d)
	}
	m.add("</section>\n")
}

func (f facts) write(m *markup) {
	m.add("<section><h2>%s</h2><dl>", f.Title)
	for _, pair := range f.List {
		m.add("<dt>%s</dt><dd>%s</dd>", pair[0], pair[1])
	}
	m.add("</dl></section>\n")
}
