//go:build unix

package lambdarun

import (
	"os"
	"syscall"
)

// groupOfItsOwn makes the process the leader of a group, so that it can be ended with its children.
func groupOfItsOwn() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	endWithParent(attr)
	return attr
}

// killGroup ends a process and its children.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
