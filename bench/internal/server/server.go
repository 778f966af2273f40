// Package server starts the server under test and ends it.
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
)

// A Command is a server to start, and where it then is.
type Command struct {
	Args        []string
	Dir         string // its working directory; "": this process's
	Endpoint    client.Endpoint
	Credentials client.Credentials
	// Any takes every answer to ListTables for a sign of life, not only a right one.
	Any bool
}

// A Server is one that runs.
type Server struct {
	cmd    *exec.Cmd
	stderr strings.Builder
	exited chan struct{}
	err    error // once exited
	took   time.Duration
}

const (
	patience = time.Minute            // to the first answer
	between  = 300 * time.Microsecond // two questions
	grace    = 30 * time.Second       // from SIGTERM to the end
)

// Start starts a server and returns when it has answered ListTables.
func Start(c Command) (*Server, error) {
	if len(c.Args) == 0 {
		return nil, errors.New("there is no command to start")
	}
	if nc, err := net.Dial("tcp", c.Endpoint.Address); err == nil {
		return nil, errors.Join(fmt.Errorf("something listens on %s already", c.Endpoint.Address), nc.Close())
	}
	s := &Server{cmd: exec.Command(c.Args[0], c.Args[1:]...), exited: make(chan struct{})}
	s.cmd.Dir, s.cmd.Stderr = c.Dir, &s.stderr
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	if err := s.await(c, begin); err != nil {
		return nil, errors.Join(err, s.Kill())
	}
	return s, nil
}

// await asks until the server answers.
func (s *Server) await(c Command, begin time.Time) error {
	conn := client.NewConn(c.Endpoint, c.Credentials, "gramme-bench", time.Second)
	defer conn.Close()
	for time.Since(begin) < patience {
		select {
		case <-s.exited:
			return fmt.Errorf("%s ended: %w: %s", c.Args[0], s.err, s.stderr.String())
		default:
		}
		var r client.Response
		_, err := conn.Do(context.Background(), "ListTables", []byte("{}"), &r)
		if err == nil && r.Status == http.StatusOK && (c.Any || bytes.Contains(r.Body, []byte("TableNames"))) {
			s.took = time.Since(begin)
			return nil
		}
		time.Sleep(between)
	}
	return fmt.Errorf("%s: no answer within %v", c.Args[0], patience)
}

// Took returns the time from the start of the process to its first answer.
func (s *Server) Took() time.Duration { return s.took }

// PID returns the server's process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop ends the server as an operator would, and waits for its end.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.exited:
		return nil // with whatever status: a JVM's is 143
	case <-time.After(grace):
		return errors.Join(fmt.Errorf("%s runs on after SIGTERM", s.cmd.Path), s.Kill())
	}
}

// Kill ends the server without a warning, and waits for its end.
func (s *Server) Kill() error {
	err := s.cmd.Process.Kill()
	<-s.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
