//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

func TestBoto3(t *testing.T) {
	t.Parallel()
	python := findPython(t)
	env := clientEnv(t, startServer(t))
	runClient(t, "python", env, python, "-W", "ignore::ResourceWarning", "-m", "unittest", "discover", "--verbose", "--pattern", "*_test.py")
}

// findPython returns a Python that has boto3.
func findPython(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} { // the second is the one that Debian's packages are for
		if exec.Command(python, "-c", "import boto3").Run() == nil {
			return python
		}
	}
	t.Fatal("no python3 has boto3: run make deps")
	return ""
}

func TestJavaScript(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("js/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatal("no tests", err)
	}
	args := []string{"--test"}
	for _, file := range files {
		args = append(args, filepath.Base(file))
	}
	env := clientEnv(t, startServer(t))
	runClient(t, "js", env, "node", args...)
}
