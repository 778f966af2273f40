package crash

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// binary is the server, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gramme-crash-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "gramme")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/gramme").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the server: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// restless has shards of streams split and rotated all the time.
var restless = []string{"--stream-shard-age", "300ms", "--stream-shard-records", "500"}

// A server is a running process.
type server struct {
	cmd *exec.Cmd
	log *strings.Builder // standard error
	url string
}

// startServer starts the server on a directory and waits until it says that it is ready.
func startServer(t *testing.T, dir string) *server {
	t.Helper()
	s := &server{cmd: exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir}, restless...)...), log: new(strings.Builder)}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill) // if the test ends early
	timeout := time.AfterFunc(30*time.Second, s.kill)
	defer timeout.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "gramme: ready on "); ok {
			s.url = url
			return s
		}
	}
	s.kill()
	t.Fatalf("the server does not start:\n%s", s.log)
	return nil
}

// kill ends the process as if it had crashed, and waits for its end. Doing so twice does no harm.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
