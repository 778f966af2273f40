package evloop

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// These are system calls that never wait, without the bookkeeping that Go's scheduler needs for those that may.

func rawRead(fd int, b []byte) (int, syscall.Errno) {
	n, _, err := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), err
}

// rawWrite writes a and then b.
func rawWrite(fd int, a, b []byte) (int, syscall.Errno) {
	if len(b) == 0 {
		n, _, err := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(a))), uintptr(len(a)))
		return int(n), err
	}
	both := [2]unix.Iovec{{Base: unsafe.SliceData(a)}, {Base: unsafe.SliceData(b)}}
	both[0].SetLen(len(a))
	both[1].SetLen(len(b))
	n, _, err := syscall.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&both)), uintptr(len(both)))
	return int(n), err
}

// rawEpollWait returns how many events there are now.
func rawEpollWait(ep int, events []unix.EpollEvent) int {
	n, _, err := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if err != 0 {
		return 0
	}
	return int(n)
}

// again reports whether a call may be made again later.
func again(err syscall.Errno) bool { return err == unix.EAGAIN || err == unix.EINTR }

// rawReadable reports whether a descriptor is ready for reading: an epoll instance, whether it has events. They stay there.
func rawReadable(fd int) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	var now unix.Timespec
	n, _, _ := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), uintptr(len(p)), uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return n == 1 && p[0].Revents&unix.POLLIN != 0
}
