package dist

import "math"

// theta is YCSB's skew: the hottest of 1000 keys gets 13 % of the requests.
const theta = 0.99

// A Zipf draws ranks by Zipf's law, in constant time (Gray et al., "Quickly generating billion-record synthetic databases").
type Zipf struct {
	n                  uint64
	zetan, second, eta float64
}

// NewZipf prepares to draw from n ranks. It takes time in proportion to n.
func NewZipf(n uint64) *Zipf {
	z := &Zipf{n: n, second: 1 + math.Pow(0.5, theta)}
	for i := uint64(1); i <= n; i++ {
		z.zetan += 1 / math.Pow(float64(i), theta)
	}
	z.eta = (1 - math.Pow(2/float64(n), 1-theta)) / (1 - z.second/z.zetan)
	return z
}

// Rank draws from 0..n-1; 0 is the most frequent.
func (z *Zipf) Rank(r *RNG) uint64 {
	u := r.Float()
	switch uz := u * z.zetan; {
	case uz < 1 || z.n == 1:
		return 0
	case uz < z.second:
		return 1
	}
	return min(z.n-1, uint64(float64(z.n)*math.Pow(z.eta*u-z.eta+1, 1/(1-theta))))
}

// Probability returns how often rank comes, from 0 to 1.
func (z *Zipf) Probability(rank uint64) float64 {
	return 1 / math.Pow(float64(rank+1), theta) / z.zetan
}
