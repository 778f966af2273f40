package giveway

import "golang.org/x/sys/unix"

// osYield puts the thread behind others that wait for its processor. It keeps Go's: the others have theirs.
func osYield() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
