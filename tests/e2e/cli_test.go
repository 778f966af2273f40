//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestCLI runs the commands of testdata/cli.txt, which says how they are written.
func TestCLI(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Fatal("the AWS CLI is not there: run make deps")
	}
	env := clientEnv(t, startServer(t))
	ran := 0
	for _, c := range readCommands(t, "testdata/cli.txt") {
		c.run(t, env)
		ran++
	}
	t.Logf("%d commands ran", ran)
}

// A command is a line for the shell, with its output, or part of its complaint.
type command struct {
	text  string
	fails bool
	want  string
}

// readCommands reads paragraphs that begin with "$ " or "! "; others are comments.
func readCommands(t *testing.T, file string) []command {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var commands []command
	for paragraph := range strings.SplitSeq(string(text), "\n\n") {
		for strings.HasPrefix(paragraph, "#") {
			_, paragraph, _ = strings.Cut(paragraph, "\n")
		}
		line, want, _ := strings.Cut(strings.TrimSpace(paragraph), "\n")
		if mark, text, ok := strings.Cut(line, " "); ok {
			commands = append(commands, command{text: text, fails: mark == "!", want: want})
		}
	}
	return commands
}

// endpointed has the CLI talk to the server, in a way that old ones understand too.
const endpointed = `aws() { command aws --endpoint-url "$GRAMME_URL" "$@"; }` + "\n"

func (c command) run(t *testing.T, env []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail\n"+endpointed+c.text)
	cmd.Env = env
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case c.fails && (err == nil || !strings.Contains(complaint.String(), c.want)):
		t.Errorf("%s\ngot  %v %s%s\nwant %s", c.text, err, out.String(), complaint.String(), c.want)
	case !c.fails && err != nil:
		t.Errorf("%s\n%v %s", c.text, err, complaint.String())
	case !c.fails && strings.TrimSpace(out.String()) != c.want:
		t.Errorf("%s\ngot  %s\nwant %s", c.text, out.String(), c.want)
	}
}
