package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/bench/result"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func read(t *testing.T, name string) *result.Result {
	t.Helper()
	r, err := result.Read(filepath.Join("..", "result", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReport pins the pages but for the style sheet and the script: what a browser shows for these was looked at.
func TestReport(t *testing.T) {
	a, b := read(t, "a.json"), read(t, "b.json")
	for name, write := range map[string]func(io.Writer) error{
		"closed-loop.html": func(w io.Writer) error { return Write(w, a) },
		"rate.html":        func(w io.Writer) error { return Write(w, b) },
		"comparison.html":  func(w io.Writer) error { return WriteComparison(w, result.Compare(a, b)) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		check(t, name, got.String())
		path := filepath.Join("testdata", name)
		page := strings.NewReplacer(style, "(style.css)\n", script, "(hover.js)\n").Replace(got.String())
		if *rewrite {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if page != string(want) {
			t.Errorf("%s is not as it was; look at it and accept it with -rewrite", path)
		}
	}
}

var (
	hoverText = regexp.MustCompile(`data-hover="([^"]*)"`)
	svgText   = regexp.MustCompile(`(?s)<svg.*?</svg>`)
)

// check looks for what no page may have: something from outside, numbers that are none, broken drawings.
func check(t *testing.T, name, page string) {
	t.Helper()
	for _, bad := range []string{"src=", "<link", "@import", "url(", "NaN", "Inf", "<b>\"", "ZgotmplZ", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("%s has %s", name, bad)
		}
	}
	drawings := svgText.FindAllString(page, -1)
	if len(drawings) != 4 {
		t.Errorf("%s has %d drawings", name, len(drawings))
	}
	for _, d := range drawings {
		if err := xml.Unmarshal([]byte(d), new(struct{})); err != nil {
			t.Errorf("%s: %v in %s", name, err, d)
		}
	}
	for _, m := range hoverText.FindAllStringSubmatch(page, -1) {
		var places []hover
		text := strings.NewReplacer("&#34;", `"`, "&amp;", "&", "&#43;", "+", "&lt;", "<", "&gt;", ">", "&#39;", "'").Replace(m[1])
		if err := json.Unmarshal([]byte(text), &places); err != nil || len(places) == 0 {
			t.Errorf("%s: %d places to point at, %v", name, len(places), err)
		}
	}
}

// TestExtremes: results with nothing, one operation or only errors make pages too.
func TestExtremes(t *testing.T) {
	one := result.Latency{Count: 1, Mean: 5, Min: 5, Max: 5, Buckets: []result.Bucket{{5, 1}}}
	zero := result.Latency{Count: 3, Buckets: []result.Bucket{{0, 3}}}
	second := result.Second{Length: 1, Operations: 1, P50: 5, P90: 5, P99: 5, P999: 5, Max: 5}
	for name, r := range map[string]*result.Result{
		"nothing":   {},
		"one":       {Latency: one, Totals: result.Totals{Seconds: 1, Operations: 1}, Series: []result.Second{second, {At: 1, Length: 1}}},
		"at once":   {Latency: zero},
		"errors":    {Totals: result.Totals{Errors: 9}, Errors: map[string]uint64{"Timeout": 9}, Series: []result.Second{{Length: 1, Errors: 9}, {At: 1, Length: 1}}},
		"no length": {Series: []result.Second{{}, {}}},
	} {
		var b bytes.Buffer
		if err := Write(&b, r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := WriteComparison(&b, result.Compare(r, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("%s has numbers that are none", name)
		}
	}
}

func TestScales(t *testing.T) {
	for _, tt := range []struct {
		s     scale
		ticks string
	}{
		{linear(23_000, 0, 100), "0 10k 20k 30k"},
		{linear(0, 0, 100), "0 0.2 0.4 0.6 0.8 1"},
		{linear(100, 0, 100), "0 20 40 60 80 100"},
		{logarithmic(0.3, 40, 0, 100), "0.2 0.5 1 2 5 10 20 50"},
		{logarithmic(0.01, 9000, 0, 100), "0.01 0.1 1 10 100 1k 10k"},
		{logarithmic(5, 5, 0, 100), "5 10 20 50"},
		{logarithmic(0, 0, 0, 100), "0.001 0.002 0.005 0.01"},
		{logarithmic(100, 110, 0, 100), "50 100 200 500"},
	} {
		var texts []string
		before := math.Inf(-1)
		for _, v := range tt.s.ticks() {
			texts = append(texts, short(v))
			if at := tt.s.at(v); at < 0 || at > 100.001 || at <= before {
				t.Errorf("%s: tick %v is at %v", tt.ticks, v, at)
			} else {
				before = at
			}
			if back := tt.s.value(tt.s.at(v)); math.Abs(back-v) > 1e-6*v {
				t.Errorf("%s: %v is at %v, where %v is", tt.ticks, v, tt.s.at(v), back)
			}
		}
		if got := strings.Join(texts, " "); got != tt.ticks {
			t.Errorf("ticks %s, want %s", got, tt.ticks)
		}
	}
}

func TestPercentText(t *testing.T) {
	for q, want := range map[float64]string{0.1: "10", 0.5: "50", 0.9: "90", 0.99: "99", 0.999: "99.9", 0.9999: "99.99", 0.99999: "99.999", 0.754: "75.4"} {
		if got := percentText(nines(q)); got != want {
			t.Errorf("%v is %s", q, got)
		}
	}
}
