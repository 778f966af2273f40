//go:build !linux

package pace

import "time"

// A fineTimer is Go's own where that is exact enough.
type fineTimer struct{}

func (*fineTimer) sleep(d time.Duration) { time.Sleep(d) }
func (*fineTimer) close()                {}
