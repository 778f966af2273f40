//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The credentials of the server and of its clients.
const (
	accessKey = "AKIAEXAMPLE"
	secretKey = "an-example-of-a-secret"
	region    = "us-east-1"
)

// binary is the built gramme.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gramme-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "gramme")
	build := exec.Command("go", "build", "-o", binary, "../../cmd/gramme")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// startServer starts the binary with a data directory and keys of its own on a free port, and returns its URL. It stops with the
// test, which fails if it does not stop well.
func startServer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	if err := os.WriteFile(keys, []byte(accessKey+":"+secretKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--key-file", keys, "--functions")
	cmd.Env = append(os.Environ(), "PATH="+pathOfFunctions(t))
	var logs bytes.Buffer
	cmd.Stderr = &logs
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			default: // only the first line matters
			}
		}
	}()
	t.Cleanup(func() {
		stop(t, cmd, drained)
		if t.Failed() {
			t.Logf("the server said:\n%s", tail(logs.String()))
		}
	})
	select {
	case line := <-lines:
		url, ok := strings.CutPrefix(line, "gramme: ready on ")
		if !ok {
			t.Fatalf("the server's first line is %q", line)
		}
		return url
	case <-drained:
		t.Fatalf("the server ended:\n%s", tail(logs.String()))
	case <-time.After(time.Minute):
		t.Fatal("the server is not ready after a minute")
	}
	return ""
}

// pathOfFunctions returns a PATH in which the python3 that functions run in has boto3.
func pathOfFunctions(t *testing.T) string {
	path := os.Getenv("PATH")
	if python := findPython(t); filepath.IsAbs(python) {
		return filepath.Dir(python) + string(os.PathListSeparator) + path
	}
	return path
}

// tail returns the end of a text that may be long.
func tail(s string) string {
	const most = 8 << 10
	return s[max(0, len(s)-most):]
}

// stop asks the server to end, and waits until it has.
func stop(t *testing.T, cmd *exec.Cmd, drained <-chan struct{}) {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	hung := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer hung.Stop()
	<-drained
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// clientEnv is the environment of a client of the server, without any configuration of the machine's user.
func clientEnv(t *testing.T, url string) []string {
	t.Helper()
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			env = append(env, v)
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	return append(env,
		"GRAMME_URL="+url,
		"AWS_ACCESS_KEY_ID="+accessKey,
		"AWS_SECRET_ACCESS_KEY="+secretKey,
		"AWS_DEFAULT_REGION="+region,
		"AWS_REGION="+region,
		"AWS_CONFIG_FILE="+none,
		"AWS_SHARED_CREDENTIALS_FILE="+none,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=2",
		"AWS_PAGER=",
		"PYTHONDONTWRITEBYTECODE=1",
		"NODE_NO_WARNINGS=1", // of the SDK, about old versions of Node.js
		"NO_PROXY=127.0.0.1",
	)
}

// runClient runs a client's test runner and shows what it says.
func runClient(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	t.Logf("%s %s\n%s", name, strings.Join(args, " "), out)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
