package lambdarun

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// daemon has a process start a child in a session of its own and returns the child's number.
func daemon(t *testing.T, r *Runner, f *Function) int {
	t.Helper()
	file := t.TempDir() + "/pid"
	res, err := r.Invoke(t.Context(), f, order("daemon", file))
	if err != nil || res.Failure != "" {
		t.Fatalf("%s %v", res.Payload, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // it would hold what this process was given open
	return pid
}

// TestStrays: what a function has started ends with its process, also if it has left the process's group. That of others stays.
func TestStrays(t *testing.T) {
	r, _ := newRunner(t, 4, 2)
	f, other := testFunction(t, "obey"), testFunction(t, "obey")
	other.ARN += "-other"
	child, stays := daemon(t, r, f), daemon(t, r, other)
	if _, err := r.Invoke(t.Context(), f, order("exit", "0")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child of a process that has ended ends", func() bool { return !alive(child) })
	if !alive(stays) {
		t.Error("the child of another function was ended")
	}
	r.Retire(other.ARN)
	eventually(t, "the child of a retired function ends", func() bool { return !alive(stays) })
}
