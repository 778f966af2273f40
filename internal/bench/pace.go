package bench

import "time"

// A pacer waits until an operation is due, exactly: what it oversleeps would be measured as latency.
type pacer struct{ fine fineTimer }

// The last part of a wait is left to the fine timer.
const fineWait = 2 * time.Millisecond

// sleep waits. false: over was closed meanwhile.
func (p *pacer) sleep(d time.Duration, over <-chan struct{}) bool {
	begin := time.Now()
	if d > fineWait {
		t := time.NewTimer(d - fineWait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-over:
			return false
		}
	}
	if rest := d - time.Since(begin); rest > 0 {
		p.fine.sleep(rest)
	}
	return true
}

func (p *pacer) close() { p.fine.close() }
