package ttl

import (
	"context"
	"time"
)

// How fast a sweep is. It must keep up with what expires, and clients must not notice it.
const (
	// Interval is how often to look: an expired item is gone after two seconds or so.
	Interval = time.Second

	// mostItems and mostBytes bound one commit. Whoever writes one of its items waits for it, and on a machine with few processors
	// others wait for the one that it uses; but each commit waits for the disk. The first has firstItems, as nobody knows how large
	// they are.
	mostItems  = 64
	mostBytes  = 1 << 20
	firstItems = 8

	// After working for workTime a sweep rests restShare times as long as that took. On a busy machine the same work takes longer,
	// so the sweep slows down with the rest.
	workTime  = time.Millisecond
	restShare = 2

	// lookShare bounds what looking at the same entries again costs: a fiftieth of the time.
	lookShare = 50
)

// A pacer holds a sweep to its share of the time.
type pacer struct{ worked time.Duration }

// rest notes some work and rests if it is time.
func (p *pacer) rest(ctx context.Context, worked time.Duration) error {
	if p.worked += worked; p.worked < workTime {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(p.worked * restShare)
	defer timer.Stop()
	p.worked = 0
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
