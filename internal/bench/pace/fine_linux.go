package pace

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A fineTimer sleeps to some microseconds by a timer of the kernel that the runtime's poller watches. Go's own timers are
// waited for with epoll, in whole milliseconds.
type fineTimer struct {
	file   *os.File
	failed bool
}

func (t *fineTimer) sleep(d time.Duration) {
	if t.file == nil && !t.failed {
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if t.failed = err != nil; !t.failed {
			t.file = os.NewFile(uintptr(fd), "timerfd")
		}
	}
	if t.failed || !t.wait(d) {
		time.Sleep(d)
	}
}

func (t *fineTimer) wait(d time.Duration) bool {
	raw, err := t.file.SyscallConn()
	if err != nil {
		return false
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	err = raw.Control(func(fd uintptr) { t.failed = unix.TimerfdSettime(int(fd), 0, &spec, nil) != nil })
	if err != nil || t.failed {
		return false
	}
	var expirations [8]byte
	_, err = t.file.Read(expirations[:])
	return err == nil
}

func (t *fineTimer) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
}
