//go:build unix

package lambdarun

import (
	"os/exec"
	"syscall"
	"testing"
)

// alive reports whether there is a process of that number.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// TestStopGone: an instance whose process is gone ends nothing, for its number may be another's by now.
func TestStopGone(t *testing.T) {
	other := exec.Command("sleep", "60")
	other.SysProcAttr = groupOfItsOwn()
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- other.Wait() }()
	in := newInstance(nil, nil)
	in.cmd = other
	close(in.exited)
	in.stop()
	_ = other.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err == nil || err.Error() != "signal: terminated" {
		t.Error(err)
	}
}
