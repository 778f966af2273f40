package lambdarun

import "syscall"

// endWithParent has the system end the process when this one ends, however that happens.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
