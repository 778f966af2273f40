// Package pace waits until a request is due, exactly: what a client oversleeps would be measured as latency.
package pace

import "time"

// A Timer waits. The zero Timer is ready; it must be closed. It is used by one goroutine.
type Timer struct{ fine fineTimer }

// The last part of a wait is left to the fine timer.
const fineWait = 2 * time.Millisecond

// Sleep waits. false: over was closed meanwhile.
func (t *Timer) Sleep(d time.Duration, over <-chan struct{}) bool {
	begin := time.Now()
	if d > fineWait {
		coarse := time.NewTimer(d - fineWait)
		defer coarse.Stop()
		select {
		case <-coarse.C:
		case <-over:
			return false
		}
	}
	if rest := d - time.Since(begin); rest > 0 {
		t.fine.sleep(rest)
	}
	return true
}

// Close releases what the timer holds.
func (t *Timer) Close() { t.fine.close() }
