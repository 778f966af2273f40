//go:build unix

package usage

import (
	"syscall"
	"time"
)

// self returns the CPU seconds used by this process.
func self() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
