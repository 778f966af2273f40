package traffic

import (
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/bench/hist"
)

// Latencies are those of the calls that were due in each second.
type Latencies map[int64]*hist.Hist

func (l Latencies) add(due time.Time, took time.Duration) {
	h := l[due.Unix()]
	if h == nil {
		h = new(hist.Hist)
		l[due.Unix()] = h
	}
	h.Add(uint64(took))
}

// Merge adds the calls of o.
func (l Latencies) Merge(o Latencies) {
	for second, h := range o {
		if l[second] == nil {
			l[second] = new(hist.Hist)
		}
		l[second].Merge(h)
	}
}

// All returns the distribution of all calls.
func (l Latencies) All() *hist.Hist {
	all := new(hist.Hist)
	for _, h := range l {
		all.Merge(h)
	}
	return all
}

// MedianSecond returns the quantile q of the second in which it is the median of all seconds', 0 without calls: other work on
// the machine disturbs it less.
func (l Latencies) MedianSecond(q float64) time.Duration {
	var each []uint64
	for _, h := range l {
		each = append(each, h.Quantile(q))
	}
	if len(each) == 0 {
		return 0
	}
	slices.Sort(each)
	return time.Duration(each[len(each)/2])
}
