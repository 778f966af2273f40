//go:build unix

package esm

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipe: a pipe that nobody reads does not hold up a shard.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := deliver(t.Context(), "file://"+path, []byte("{}")); err == nil {
		t.Error("no error")
	}
}
