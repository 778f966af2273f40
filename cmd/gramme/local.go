package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grammedb/gramme"
)

// isLocal reports whether a command line is one of DynamoDB Local's: flags with a single dash and no command, or what is
// passed to java to start it.
func isLocal(args []string) bool {
	if len(args) == 0 {
		return false
	}
	switch first := args[0]; {
	case slices.Contains([]string{"-h", "-help", "-v", "-version"}, first):
		return false
	case first == "java":
		return true
	default:
		return strings.HasPrefix(first, "-") && !strings.HasPrefix(first, "--")
	}
}

// local is what DynamoDB Local can be told.
type local struct {
	port     int
	inMemory bool
	sharedDB bool
	dbPath   string
	cors     string
	delay    bool
	optimize bool
}

// localDelay is how long tables stay in a state with -delayTransientStatuses.
const localDelay = 2 * time.Second

// readLocal reads DynamoDB Local's flags.
func readLocal(args []string) (*local, error) {
	l := new(local)
	fs := flag.NewFlagSet("DynamoDB Local", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.IntVar(&l.port, "port", 8000, "")
	fs.BoolVar(&l.inMemory, "inMemory", false, "")
	fs.BoolVar(&l.sharedDB, "sharedDb", false, "")
	fs.StringVar(&l.dbPath, "dbPath", "", "")
	fs.StringVar(&l.cors, "cors", "", "")
	fs.BoolVar(&l.delay, "delayTransientStatuses", false, "")
	fs.BoolVar(&l.optimize, "optimizeDbBeforeStartup", false, "") // there is nothing to optimise
	fs.Bool("disableTelemetry", false, "")                        // there is none
	if err := fs.Parse(withoutJava(args)); err != nil {
		return nil, err
	}
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("DynamoDB Local's command line takes flags only, not %q", fs.Arg(0))
	case l.inMemory && l.dbPath != "":
		return nil, fmt.Errorf("-inMemory and -dbPath exclude each other")
	case l.optimize && l.dbPath == "":
		return nil, fmt.Errorf("-optimizeDbBeforeStartup needs -dbPath")
	}
	return l, nil
}

// withoutJava drops what is for the Java machine: java -Djava.library.path=… -Xmx… -jar DynamoDBLocal.jar
func withoutJava(args []string) []string {
	for len(args) > 0 {
		switch first := args[0]; {
		case first == "java", strings.HasPrefix(first, "-D"), strings.HasPrefix(first, "-X"):
			args = args[1:]
		case first == "-jar" && len(args) > 1:
			args = args[2:]
		default:
			return args
		}
	}
	return args
}

// serveLocal behaves as DynamoDB Local does: it listens on all interfaces and accepts any credentials. Strange web pages are
// kept out all the same.
func serveLocal(ctx context.Context, args []string, std stdio) error {
	l, err := readLocal(args)
	if err != nil {
		return fmt.Errorf("%w (a command line that begins with one dash is DynamoDB Local's; for Gramme's own see: gramme help)", err)
	}
	logger, err := newLogger(std.err, "text", "info")
	if err != nil {
		return err
	}
	cfg := gramme.Config{
		Dir:       filepath.Join(l.dbPath, "gramme-data"),
		Memory:    l.inMemory,
		OneRegion: l.sharedDB,
		Logger:    logger,
	}
	if l.delay {
		cfg.LifecycleDelay = localDelay
	}
	if l.cors != "" {
		cfg.Origins = strings.Split(l.cors, ",")
	}
	l.print(std.out)
	listen := ":" + strconv.Itoa(l.port)
	return listenAndServe(ctx, listen, cfg, func(addr string) { announce(std, addr, &cfg) })
}

// print writes what DynamoDB Local writes when it starts: some wait for its first line.
func (l *local) print(w io.Writer) {
	orNull := func(s string) string {
		if s == "" {
			return "null"
		}
		return s
	}
	fmt.Fprintf(w, "Initializing DynamoDB Local with the following configuration:\n"+
		"Port:\t%d\nInMemory:\t%t\nDbPath:\t%s\nSharedDb:\t%t\nshouldDelayTransientStatuses:\t%t\nCorsParams:\t%s\n\n",
		l.port, l.inMemory, orNull(l.dbPath), l.sharedDB, l.delay, orNull(l.cors))
}
