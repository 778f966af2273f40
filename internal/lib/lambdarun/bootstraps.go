package lambdarun

import (
	"embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

//go:embed bootstrap
var bootstraps embed.FS

// Interpreters starts the functions whose runtime is a language: with the machine's own interpreter and a bootstrap of ours.
type Interpreters struct {
	dir string

	mu      sync.Mutex
	pythons map[string]string // guarded by mu: program by version
}

// NewInterpreters writes the bootstraps below dir.
func NewInterpreters(dir string) (*Interpreters, error) {
	files, err := bootstraps.ReadDir("bootstrap")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := bootstraps.ReadFile("bootstrap/" + f.Name())
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name()), text, 0o644); err != nil {
			return nil, err
		}
	}
	return &Interpreters{dir: dir, pythons: map[string]string{}}, nil
}

// Runs reports whether there is a way to run functions of a runtime, though its interpreter may not be installed.
func Runs(runtime string) bool {
	return isPython(runtime) || isNode(runtime) || isProvided(runtime)
}

// isPython tells python3.12 and its like.
func isPython(runtime string) bool {
	version, ok := strings.CutPrefix(runtime, "python3.")
	return ok && isNumber(version)
}

// isNode tells nodejs22.x and its like.
func isNode(runtime string) bool {
	version, ok := strings.CutPrefix(runtime, "nodejs")
	version, dotX := strings.CutSuffix(version, ".x")
	return ok && dotX && isNumber(version)
}

// isProvided tells the runtimes whose functions bring their own program.
func isProvided(runtime string) bool {
	return runtime == "provided" || runtime == "provided.al2" || runtime == "provided.al2023"
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Command returns how a function of a runtime is started. REQUIRES: Runs(runtime).
func (i *Interpreters) Command(name string) func(dir string) ([]string, error) {
	return func(dir string) ([]string, error) {
		switch {
		case isPython(name):
			program, err := i.findPython(name)
			return []string{program, filepath.Join(i.dir, "bootstrap.py")}, err
		case isNode(name):
			program, err := exec.LookPath("node")
			if err != nil {
				return nil, errors.New("no node is installed on this machine")
			}
			return []string{program, filepath.Join(i.dir, "bootstrap.mjs")}, nil
		default:
			return providedCommand(dir)
		}
	}
}

// findPython returns an interpreter of that very version if there is one that works, else the machine's Python 3.
func (i *Interpreters) findPython(version string) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if program, ok := i.pythons[version]; ok {
		return program, nil
	}
	for _, name := range []string{version, "python3", "python"} {
		program, err := exec.LookPath(name)
		if err == nil && exec.Command(program, "-c", "import sys; sys.exit(sys.version_info < (3, 8))").Run() == nil {
			i.pythons[version] = program
			return program, nil
		}
	}
	return "", errors.New("no Python 3.8 or newer is installed on this machine")
}

// providedCommand returns the program that a function brings with it.
func providedCommand(dir string) ([]string, error) {
	names := []string{"bootstrap"}
	if runtime.GOOS == "windows" {
		names = append(names, "bootstrap.exe")
	}
	for _, name := range names {
		program := filepath.Join(dir, name)
		if info, err := os.Stat(program); err == nil && info.Mode().IsRegular() {
			return []string{program}, nil
		}
	}
	return nil, errors.New("couldn't find valid bootstrap(s): [/var/task/bootstrap]")
}
