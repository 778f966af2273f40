package lambdarun

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// groupOfItsOwn has nothing to do: the system knows the children of a process.
func groupOfItsOwn() *syscall.SysProcAttr { return nil }

// killGroup ends a process and its children.
func killGroup(p *os.Process) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(p.Pid)).Run()
	_ = p.Kill()
}

// killStrays has nothing to do: the system knows the children of a process.
func killStrays(string) {}
