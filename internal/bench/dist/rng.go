// Package dist draws the keys and sizes of a load test: uniform, zipfian and latest, as YCSB does. Nothing in it allocates
// while it draws.
package dist

// RNG is SplitMix64: small, fast and good enough to spread keys. It is not safe for concurrent use.
type RNG uint64

// Mix64 is SplitMix64's finaliser, a bijection: different inputs give different outputs that look random.
func Mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 draws 64 bits.
func (r *RNG) Uint64() uint64 {
	*r += 0x9e3779b97f4a7c15
	return Mix64(uint64(*r))
}

// Below draws from 0..n-1. The bias of the modulo does not matter for the sizes of tables.
func (r *RNG) Below(n uint64) uint64 { return r.Uint64() % n }

// Float draws from [0, 1).
func (r *RNG) Float() float64 { return float64(r.Uint64()>>11) / (1 << 53) }
