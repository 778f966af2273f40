package lambdarun

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// killStrays ends the processes that have left the group of a function's process, as daemons do, and have still inherited a variable
// of its environment that no other process's has. Each round ends those that were begun while the one before it looked.
func killStrays(variable string) {
	for range 10 {
		if killInheritors([]byte(variable)) == 0 {
			return
		}
	}
}

// killInheritors ends the processes of this user that have the variable, and returns how many there were.
func killInheritors(variable []byte) (n int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // fails for bad patterns only
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil || !hasVariable(environ, variable) {
			continue // of another user, gone, or dead
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
			n++
		}
	}
	return n
}

// hasVariable reports whether an environment, each variable of which ends with a zero, has one.
func hasVariable(environ, variable []byte) bool {
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		if bytes.Equal(v, variable) {
			return true
		}
	}
	return false
}
