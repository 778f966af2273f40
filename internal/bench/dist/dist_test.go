package dist

import (
	"math"
	"testing"
)

// TestZipf compares what is drawn with what Zipf's law says. The generator is approximate behind the first two ranks.
func TestZipf(t *testing.T) {
	const n, draws = 1000, 400_000
	z, r := NewZipf(n), RNG(1)
	count := make([]float64, n)
	for range draws {
		count[z.Rank(&r)]++
	}
	total := 0.0
	for rank := range uint64(n) {
		total += z.Probability(rank)
	}
	if math.Abs(total-1) > 1e-9 {
		t.Errorf("probabilities add up to %v", total)
	}
	for rank, within := range map[uint64]float64{0: 0.03, 1: 0.03, 2: 0.35, 10: 0.2, 100: 0.2} {
		got, want := count[rank]/draws, z.Probability(rank)
		if math.Abs(got-want) > within*want {
			t.Errorf("rank %d came with probability %.5f, want about %.5f", rank, got, want)
		}
	}
	got, want := 0.0, 0.0
	for rank := range uint64(n / 10) {
		got += count[rank] / draws
		want += z.Probability(rank)
	}
	if math.Abs(got-want) > 0.02 {
		t.Errorf("the first tenth came with probability %.3f, want %.3f", got, want)
	}
}

func TestZipfOfFew(t *testing.T) {
	for n := uint64(1); n < 5; n++ {
		z, r, seen := NewZipf(n), RNG(n), map[uint64]bool{}
		for range 10_000 {
			seen[z.Rank(&r)] = true
		}
		for rank := range seen {
			if rank >= n {
				t.Errorf("rank %d of %d", rank, n)
			}
		}
		if uint64(len(seen)) != n {
			t.Errorf("%d ranks of %d came", len(seen), n)
		}
	}
}

func TestKeys(t *testing.T) {
	const n, draws = 1000, 200_000
	inserted := NewCounter(n)
	for _, tt := range []struct {
		name    string
		keys    Keys
		hottest float64 // share of the most frequent key
		at      int     // that key; -1: any
	}{
		{"uniform", Uniform(n), 0.001, -1},
		{"zipfian", Zipfian{NewZipf(n)}, 0.128, -1}, // 1/zeta(1000, 0.99)
		{"latest", Latest{NewZipf(n), inserted}, 0.128, n - 1},
	} {
		r, count := RNG(7), make([]float64, n)
		for range draws {
			count[tt.keys.Next(&r)]++
		}
		hot, untouched := 0, 0
		for k, v := range count {
			if v > count[hot] {
				hot = k
			}
			if v == 0 {
				untouched++
			}
		}
		if share := count[hot] / draws; share < tt.hottest*0.9 || share > tt.hottest*1.6 {
			t.Errorf("%s: the hottest key has a share of %.4f, want about %.4f", tt.name, share, tt.hottest)
		}
		if tt.at >= 0 && hot != tt.at {
			t.Errorf("%s: the hottest key is %d, want %d", tt.name, hot, tt.at)
		}
		if tt.name == "uniform" && untouched > 0 {
			t.Errorf("%d keys never came", untouched)
		}
	}
}

// TestScattered: the popular keys do not lie side by side, where they would share a partition.
func TestScattered(t *testing.T) {
	const n = 10_000
	z, r, count := Zipfian{NewZipf(n)}, RNG(3), make([]int, n)
	for range 100_000 {
		count[z.Next(&r)]++
	}
	const popular = 300 // times; about 30 keys
	for k := 1; k < n; k++ {
		if count[k-1] > popular && count[k] > popular {
			t.Errorf("keys %d and %d came %d and %d times", k-1, k, count[k-1], count[k])
		}
	}
}

// TestLatestSeesInserts: what was inserted is read, what is still on its way is not.
func TestLatestSeesInserts(t *testing.T) {
	c := NewCounter(10)
	latest, r := Latest{NewZipf(10), c}, RNG(1)
	a, b, d := c.Next(), c.Next(), c.Next()
	if a != 10 || b != 11 || d != 12 {
		t.Fatalf("keys %d, %d, %d", a, b, d)
	}
	c.Done(b)
	if c.Last() != 9 {
		t.Errorf("last %d although %d is on its way", c.Last(), a)
	}
	c.Done(a)
	if c.Last() != b {
		t.Errorf("last %d, want %d", c.Last(), b)
	}
	seen := map[uint64]bool{}
	for range 1000 {
		seen[latest.Next(&r)] = true
	}
	if !seen[b] || seen[d] {
		t.Errorf("read %v", seen)
	}
}

func TestMix64IsABijection(t *testing.T) {
	seen := map[uint64]bool{}
	for i := range uint64(100_000) {
		seen[Mix64(i)] = true
	}
	if len(seen) != 100_000 {
		t.Errorf("%d values", len(seen))
	}
}

func BenchmarkZipfian(b *testing.B) {
	z, r := Zipfian{NewZipf(100_000)}, RNG(1)
	b.ReportAllocs()
	for b.Loop() {
		z.Next(&r)
	}
}
