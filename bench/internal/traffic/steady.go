package traffic

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
)

// A Steady is what calls at a steady rate have found. Latencies count from when a call was due, so that a server that stalls is not
// measured less often. Late is how long after that it was sent, by the client's own fault or because all its connections waited.
type Steady struct{ Latencies, Late Latencies }

// A job is what the process that sends is told.
type job struct {
	Address, Host string
	Credentials   client.Credentials
	Conns, Rate   int
	Operation     string
	Bodies        [][]byte // of which each call sends any
}

// A sample is one call: when it was due, and how long after that it was sent and answered.
type sample struct {
	Due        time.Time
	Sent, Done time.Duration
}

// processName is what a program is called as when it sends.
const processName = "gramme-bench-steady"

// Serve must be the first that main calls: in the process that Steady starts it sends, and does not return.
func Serve() {
	if os.Args[0] != processName {
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, processName+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve() error {
	var j job
	if err := gob.NewDecoder(os.Stdin).Decode(&j); err != nil {
		return err
	}
	s, err := newSender(j)
	if err != nil {
		return err
	}
	if err := s.run(); err != nil {
		return err
	}
	return gob.NewEncoder(os.Stdout).Encode(s.samples)
}

// Stamp is replaced, where a body that Steady sends holds it, by the time at which it is sent, in nanoseconds since 1970.
const Stamp = "1111111111111111111"

// Steady sends requests at a rate, in calls a second, until ctx ends: each with any of the bodies.
//
// They are sent by a process of its own, of one thread. A client on another machine would not compete with what loads
// the server for a processor, and here it does so as little as can be: beside other goroutines it would wait for its turn with them.
func (c Client) Steady(ctx context.Context, rate int, operation string, bodies [][]byte) (found Steady, err error) {
	program, err := os.Executable()
	if err != nil {
		return Steady{}, err
	}
	child := exec.Cmd{Path: program, Args: []string{processName}, Stderr: os.Stderr}
	in, err1 := child.StdinPipe()
	out, err2 := child.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return Steady{}, err
	}
	if err := child.Start(); err != nil {
		return Steady{}, err
	}
	defer func() { err = errors.Join(err, child.Wait()) }()
	stop := context.AfterFunc(ctx, func() { _ = in.Close() }) // which ends it
	defer stop()
	defer in.Close()
	j := job{c.Endpoint.Address, c.Endpoint.Host, c.Credentials, c.Conns, rate, operation, bodies}
	if err := gob.NewEncoder(in).Encode(j); err != nil {
		return Steady{}, err
	}
	var samples []sample
	if err := gob.NewDecoder(out).Decode(&samples); err != nil {
		return Steady{}, err
	}
	found = Steady{Latencies{}, Latencies{}}
	for _, s := range samples {
		found.Latencies.add(s.Due, s.Done)
		found.Late.add(s.Due, s.Sent)
	}
	return found, nil
}

// Compare does what Steady does with several servers at once, and returns what was found of each: of what the machine and the client
// do to latencies a server that only echoes has as much.
func Compare(ctx context.Context, rate int, operation string, bodies [][]byte, with ...Client) ([]Steady, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	found, errs := make([]Steady, len(with)), make([]error, len(with))
	var wg sync.WaitGroup
	for i, c := range with {
		wg.Go(func() {
			defer stop() // when one has failed
			found[i], errs[i] = c.Steady(ctx, rate, operation, bodies)
		})
	}
	wg.Wait()
	return found, errors.Join(errs...)
}

// Merge adds the calls of o.
func (s *Steady) Merge(o Steady) {
	if s.Latencies == nil {
		s.Latencies, s.Late = Latencies{}, Latencies{}
	}
	s.Latencies.Merge(o.Latencies)
	s.Late.Merge(o.Late)
}
