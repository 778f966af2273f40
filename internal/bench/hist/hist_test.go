package hist

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBuckets: every duration falls into a bucket that reaches at most 0.8 % above it, and buckets do not overlap.
func TestBuckets(t *testing.T) {
	for _, v := range []uint64{0, 1, 63, 127, 128, 129, 255, 256, 257, 511, 512, 1e6, 1e9, 60e9, last} {
		row, col := bucket(v)
		if got := top(row, col); got < v || float64(got) > 1.008*float64(v) {
			t.Errorf("the bucket of %d reaches to %d", v, got)
		}
		if r, c := bucket(top(row, col)); r != row || c != col {
			t.Errorf("the end of the bucket of %d is in another", v)
		}
		if v < last {
			if r, c := bucket(top(row, col) + 1); r == row && c == col {
				t.Errorf("the bucket of %d does not end", v)
			}
		}
	}
	if row, col := bucket(last); row != rows-1 || col != sub-1 {
		t.Errorf("the last bucket is %d, %d", row, col)
	}
}

// TestQuantile compares with a sorted list.
func TestQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, draw := range []func() uint64{
		func() uint64 { return 5 },
		func() uint64 { return rng.Uint64N(100) },
		func() uint64 { return uint64(rng.ExpFloat64() * 1e6) },
		func() uint64 { return 1 << rng.UintN(41) },
	} {
		var h Hist
		all := make([]uint64, 1+rng.IntN(5000))
		sum := 0.0
		for i := range all {
			all[i] = draw()
			sum += float64(all[i])
			h.Add(all[i])
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
			want := float64(all[max(0, int(float64(len(all))*q+0.999999)-1)])
			if got := float64(h.Quantile(q)); got < want || got > want*1.008 {
				t.Errorf("quantile %v of %d: got %v, want %v", q, len(all), got, want)
			}
		}
		if h.Count() != uint64(len(all)) || h.Min() != all[0] || h.Max() != all[len(all)-1] {
			t.Errorf("count %d, from %d to %d; want %d, %d, %d", h.Count(), h.Min(), h.Max(), len(all), all[0], all[len(all)-1])
		}
		if mean := sum / float64(len(all)); h.Mean() < mean*0.9999 || h.Mean() > mean*1.0001 {
			t.Errorf("mean %v, want %v", h.Mean(), mean)
		}
	}
}

func TestMergeAndReset(t *testing.T) {
	var a, b, both Hist
	for i := range uint64(1000) {
		a.Add(i * 1000)
		b.Add(i * i)
		both.Add(i * 1000)
		both.Add(i * i)
	}
	a.Merge(&b)
	a.Merge(new(Hist))
	for _, q := range []float64{0, 0.3, 0.7, 1} {
		if a.Quantile(q) != both.Quantile(q) {
			t.Errorf("quantile %v: %d, want %d", q, a.Quantile(q), both.Quantile(q))
		}
	}
	if a.Count() != both.Count() || a.Mean() != both.Mean() || a.Min() != both.Min() || a.Max() != both.Max() {
		t.Error("the sum is not its parts")
	}
	a.Reset()
	if a.Count() != 0 || a.Quantile(0.5) != 0 || a.Mean() != 0 || a.Max() != 0 {
		t.Error("not empty after Reset")
	}
	for range a.Buckets() {
		t.Error("a bucket after Reset")
	}
	a.Add(7)
	if a.Min() != 7 || a.Quantile(0.5) != 7 {
		t.Error("no use after Reset")
	}
}

// TestTooLong: what is beyond the last bucket is in it, and the maximum is exact.
func TestTooLong(t *testing.T) {
	var h Hist
	h.Add(1)
	h.Add(1 << 50)
	if h.Max() != 1<<50 || h.Quantile(1) != last {
		t.Errorf("max %d, last quantile %d", h.Max(), h.Quantile(1))
	}
}

func TestNoAllocations(t *testing.T) {
	var h Hist
	h.Add(1000)
	if n := testing.AllocsPerRun(100, func() { h.Add(1001) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
