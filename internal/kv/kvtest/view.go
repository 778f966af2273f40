package kvtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

var viewTests = []test{
	{"MultiGet", testMultiGet},
	{"ValuesLastUntilClose", testValuesLast},
	{"ScanBounds", testScanBounds},
	{"ScanWithoutEnd", testScanWithoutEnd},
	{"ScanIsOfOneMoment", testScanMoment},
	{"ScanClosedEarly", testScanEarly},
	{"ScanKeepsNoBounds", testScanKeepsNothing},
	{"SeveralScansInOneView", testSeveralScans},
	{"ScanMost", testScanMost},
	{"RandomAgainstModel", testRandom},
	{"RepeatedScansAgainstModel", testRepeatedScans},
	{"LatestIsLatest", testLatest},
	{"PinnedIsOfOneMoment", testPinned},
	{"PinnedAgainstModels", testPinnedRandom},
}

func testMultiGet(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "va")
	put(t, e, row("c"), "")
	view(t, e, kv.ViewOpts{}, func(v kv.View) {
		vals := [][]byte{[]byte("stale"), []byte("stale"), []byte("stale")}
		if err := v.MultiGet([][]byte{row("c"), row("b"), row("a")}, vals); err != nil {
			t.Fatal(err)
		}
		if vals[0] == nil || len(vals[0]) != 0 || vals[1] != nil || string(vals[2]) != "va" {
			t.Errorf("values of c, b, a are %q", vals)
		}
		if err := v.MultiGet(nil, nil); err != nil {
			t.Errorf("MultiGet of nothing: %v", err)
		}
	})
}

// testValuesLast checks that values stay as they are while the view is open, whatever happens to the rows.
func testValuesLast(t *testing.T, e kv.Engine) {
	const n = 50
	for i := range n {
		put(t, e, row(fmt.Sprint(i)), fmt.Sprint("value ", i))
	}
	view(t, e, kv.ViewOpts{}, func(v kv.View) {
		var vals [][]byte
		for i := range n {
			val, err := v.Get(row(fmt.Sprint(i)))
			if err != nil {
				t.Fatal(err)
			}
			vals = append(vals, val)
			put(t, e, row(fmt.Sprint(i)), "other")
		}
		for i, val := range vals {
			if string(val) != fmt.Sprint("value ", i) {
				t.Fatalf("value %d became %q", i, val)
			}
		}
	})
}

func testScanBounds(t *testing.T, e kv.Engine) {
	for _, n := range []string{"b", "d", "d\x00", "f"} {
		put(t, e, row(n), "1")
	}
	put(t, e, rowOf(0, "z"), "before")
	put(t, e, rowOf(2, "a"), "after")
	for _, c := range []struct{ lo, hi, want string }{
		{"", "\xff", "b=1 d=1 d\x00=1 f=1"},
		{"b", "f", "b=1 d=1 d\x00=1"},
		{"b\x00", "f\x00", "d=1 d\x00=1 f=1"},
		{"d", "d\x00", "d=1"},
		{"d", "d\x00\x00", "d=1 d\x00=1"},
		{"c", "c\xff", ""},
		{"d", "d", ""},
		{"f", "b", ""},
		{"a", "b", ""},
		{"f\x00", "z", ""},
	} {
		r := kv.Range{Lo: row(c.lo), Hi: row(c.hi)}
		up := scan(t, e, r)
		if got := text(up); got != c.want {
			t.Errorf("[%q, %q): %q, want %q", c.lo, c.hi, got, c.want)
		}
		r.Reverse = true
		down := scan(t, e, r)
		slices.Reverse(down)
		if got := text(down); got != c.want {
			t.Errorf("[%q, %q) from the end: %q, want %q", c.lo, c.hi, got, c.want)
		}
	}
}

func testScanWithoutEnd(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "1")
	put(t, e, row("b"), "2")
	if got := text(scan(t, e, kv.Range{Lo: row("b")})); got != "b=2" {
		t.Errorf("from b on: %s", got)
	}
	if got := text(scan(t, e, kv.Range{Lo: row("a"), Reverse: true})); got != "b=2 a=1" {
		t.Errorf("down to a: %s", got)
	}
}

func testScanMoment(t *testing.T, e kv.Engine) {
	for _, n := range []string{"a", "b", "c", "e"} {
		put(t, e, row(n), "1")
	}
	view(t, e, kv.ViewOpts{}, func(v kv.View) {
		it, err := v.Scan(rows())
		if err != nil {
			t.Fatal(err)
		}
		if !it.Next() {
			t.Fatal("nothing to scan")
		}
		put(t, e, row("b"), "2")
		del(t, e, row("c"))
		put(t, e, row("d"), "2")
		got := string(it.Value())
		for it.Next() {
			got += string(it.Value())
		}
		if got != "1111" {
			t.Errorf("values are %s, want 1111", got)
		}
		if it.Next() {
			t.Error("Next goes on after the end")
		}
		if err := it.Close(); err != nil {
			t.Error(err)
		}
		if got := text(scanIn(t, v, rows())); got != "a=1 b=2 d=2 e=1" {
			t.Errorf("the next scan of the view returned %s", got)
		}
	})
}

func testScanEarly(t *testing.T, e kv.Engine) {
	for i := range 10 {
		put(t, e, row(fmt.Sprint(i)), "1")
	}
	for taken := range 4 {
		for _, reverse := range []bool{false, true} {
			view(t, e, kv.ViewOpts{}, func(v kv.View) {
				r := rows()
				r.Reverse = reverse
				it, err := v.Scan(r)
				if err != nil {
					t.Fatal(err)
				}
				for range taken {
					if !it.Next() {
						t.Error("the scan ended early")
					}
				}
				if err := it.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// testScanKeepsNothing checks that the memory of a range is the caller's again once the scan has begun.
func testScanKeepsNothing(t *testing.T, e kv.Engine) {
	for _, n := range []string{"a", "b", "c", "d"} {
		put(t, e, row(n), "1")
	}
	for _, reverse := range []bool{false, true} {
		view(t, e, kv.ViewOpts{}, func(v kv.View) {
			r := kv.Range{Lo: row("b"), Hi: row("d"), Reverse: reverse}
			it, err := v.Scan(r)
			if err != nil {
				t.Fatal(err)
			}
			clear(r.Lo)
			clear(r.Hi)
			n := 0
			for it.Next() {
				n++
			}
			if n != 2 {
				t.Errorf("reverse %v: %d rows, want 2", reverse, n)
			}
			if err := it.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func testSeveralScans(t *testing.T, e kv.Engine) {
	for _, n := range []string{"a", "b", "c"} {
		put(t, e, row(n), n)
	}
	view(t, e, kv.ViewOpts{}, func(v kv.View) {
		up, err := v.Scan(rows())
		if err != nil {
			t.Fatal(err)
		}
		down, err := v.Scan(kv.Range{Lo: rows().Lo, Hi: rows().Hi, Reverse: true})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for up.Next() && down.Next() {
			got += string(up.Value()) + string(down.Value()) + string(getIn(t, v, row("b")))
		}
		if got != "acbbbbcab" {
			t.Errorf("two scans and gets returned %s", got)
		}
		for _, it := range []kv.Iterator{up, down} {
			if err := it.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// testScanMost checks that a scan ends after as many pairs as were wanted, whatever was wanted of the range before.
func testScanMost(t *testing.T, e kv.Engine) {
	for _, n := range []string{"a", "b", "c", "d"} {
		put(t, e, row(n), "1")
	}
	for _, c := range []struct {
		most     int
		up, down string
	}{
		{2, "a=1 b=1", "d=1 c=1"},
		{1, "a=1", "d=1"},
		{3, "a=1 b=1 c=1", "d=1 c=1 b=1"},
		{4, "a=1 b=1 c=1 d=1", "d=1 c=1 b=1 a=1"},
		{0, "a=1 b=1 c=1 d=1", "d=1 c=1 b=1 a=1"},
		{9, "a=1 b=1 c=1 d=1", "d=1 c=1 b=1 a=1"},
		{1, "a=1", "d=1"},
	} {
		for range 3 {
			r := kv.Range{Lo: row(""), Hi: row("\xff"), Most: c.most}
			if got := text(scan(t, e, r)); got != c.up {
				t.Errorf("at most %d: %s, want %s", c.most, got, c.up)
			}
			r.Reverse = true
			if got := text(scan(t, e, r)); got != c.down {
				t.Errorf("at most %d from the end: %s, want %s", c.most, got, c.down)
			}
		}
	}
}

func testLatest(t *testing.T, e kv.Engine) {
	view(t, e, kv.ViewOpts{}, func(v kv.View) {
		for i := range 10 {
			put(t, e, row("a"), fmt.Sprint(i))
			if got := getIn(t, v, row("a")); string(got) != fmt.Sprint(i) {
				t.Fatalf("value is %q, want %d", got, i)
			}
		}
	})
}

func testPinned(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "1")
	put(t, e, row("b"), "1")
	view(t, e, kv.ViewOpts{Pinned: true}, func(v kv.View) {
		put(t, e, row("a"), "2")
		del(t, e, row("b"))
		put(t, e, row("c"), "2")
		if a, b, c := getIn(t, v, row("a")), getIn(t, v, row("b")), getIn(t, v, row("c")); string(a) != "1" || string(b) != "1" || c != nil {
			t.Errorf("the view shows a=%q b=%q c=%q", a, b, c)
		}
		if err := e.DeleteRange(t.Context(), row(""), row("\xff")); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := text(scanIn(t, v, rows())); got != "a=1 b=1" {
				t.Errorf("the view shows %s", got)
			}
		}
	})
	if got := scan(t, e, rows()); len(got) != 0 {
		t.Errorf("what is left is %s", text(got))
	}
}
