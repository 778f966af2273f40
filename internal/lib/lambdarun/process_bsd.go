//go:build unix && !linux

package lambdarun

import "syscall"

// endWithParent does nothing where the system has no such thing: bootstraps watch the Runtime API.
func endWithParent(*syscall.SysProcAttr) {}
