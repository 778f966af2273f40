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
	// others wait for the one that it uses, some 400 us: commits of 128 items delayed them twice as much. Nobody waits until a commit
	// is on the disk, or the sweep would have to make fewer and larger ones to be as fast; with 16 items it was a third slower. The
	// first has firstItems, as nobody knows how large they are.
	mostItems  = 32
	mostBytes  = 1 << 20
	firstItems = 8

	// After working for workTime, which is a commit, a sweep rests restShare times as long as that took: on a machine with nothing
	// else to do it works for a quarter of the time, for some 18,000 items a second. A third made p99 of reads beside it a half worse.
	workTime  = 200 * time.Microsecond
	restShare = 3

	// If it wakes up later than lateness it has waited for a processor, as requests then do. Each time that happens it rests twice as
	// long from then on, up to mostRestShare, and each time that it does not it rests a little less: so it slows down where more than
	// one wake-up in 35 is late. Timers alone may be late by a millisecond.
	lateness      = 4 * time.Millisecond
	mostRestShare = 8
	recovery      = 0.98

	// lookShare bounds what looking at the same entries again costs: a fiftieth of the time.
	lookShare = 50
)

// A pacer holds a sweep to its share of the time. It lasts from one sweep to the next.
type pacer struct {
	worked time.Duration // since it has rested
	share  float64       // of rest to work

	sleep func(ctx context.Context, d time.Duration) error
}

func newPacer() pacer { return pacer{share: restShare, sleep: sleep} }

// rest notes some work and rests if it is time.
func (p *pacer) rest(ctx context.Context, worked time.Duration) error {
	if p.worked += worked; p.worked < workTime {
		return context.Cause(ctx)
	}
	rest, begin := time.Duration(p.share*float64(p.worked)), time.Now()
	p.worked = 0
	if err := p.sleep(ctx, rest); err != nil {
		return err
	}
	if time.Since(begin) > rest+lateness {
		p.share = min(2*p.share, mostRestShare)
	} else {
		p.share = max(p.share*recovery, restShare)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
