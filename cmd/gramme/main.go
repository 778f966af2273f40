// Command gramme is a database that speaks Amazon DynamoDB's API.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// A command is one subcommand.
type command struct {
	name string
	says string // one line for the list
	run  func(ctx context.Context, args []string, std stdio) error
	help func(io.Writer)
}

// commands lists all of them.
func commands() []command {
	return []command{
		{"serve", "run the server", serve, helpServe},
		{"tail", "print the changes of a table as they happen", tail, helpTail},
		{"bench", "measure a server under load", runBench, helpBench},
		{"version", "print the version", version, nil},
	}
}

// stdio is where a command reads its environment and writes.
type stdio struct {
	out, err io.Writer
	getenv   func(string) string
	terminal bool // out is one
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	std := stdio{out: os.Stdout, err: os.Stderr, getenv: os.Getenv, terminal: isTerminal(os.Stdout)}
	os.Exit(run(ctx, os.Args[1:], std))
}

// Errors in the command line wrap one of these.
var (
	errUsage = errors.New("see: gramme help")
	errServe = fmt.Errorf("%w serve", errUsage) // where the flags are listed
)

// run runs a command line and returns the status to exit with.
func run(ctx context.Context, args []string, std stdio) int {
	err := dispatch(ctx, args, std)
	if err == nil {
		return 0
	}
	fmt.Fprintln(std.err, "gramme:", strings.TrimPrefix(err.Error(), "gramme: ")) // the package's errors begin so too
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

func dispatch(ctx context.Context, args []string, std stdio) error {
	if isLocal(args) {
		return serveLocal(ctx, args, std)
	}
	if len(args) == 0 {
		help(std.out)
		return nil
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return helpFor(args[1:], std)
	case "-v", "-version", "--version":
		return version(ctx, args[1:], std)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], std)
		}
	}
	if strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("a command comes before %s, like: gramme serve %[1]s; %w", args[0], errUsage)
	}
	return fmt.Errorf("there is no command %q; %w", args[0], errUsage)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
