//go:build unix && !linux

package lambdarun

import "syscall"

// endWithParent does nothing where the system has no such thing: bootstraps watch the Runtime API.
func endWithParent(*syscall.SysProcAttr) {}

// killStrays does nothing where the system does not show the environment of a process: one that has left the group stays.
func killStrays(string) {}
