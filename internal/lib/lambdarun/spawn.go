package lambdarun

import (
	"os/exec"
	"runtime"
)

// A spawner starts processes from one thread, which lives until close: on Linux a process may be told to end with the thread
// that started it.
type spawner struct {
	cmds chan *exec.Cmd
	errs chan error
}

func newSpawner() *spawner {
	s := &spawner{cmds: make(chan *exec.Cmd), errs: make(chan error)}
	go s.run()
	return s
}

func (s *spawner) run() {
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	for cmd := range s.cmds {
		s.errs <- cmd.Start()
	}
}

// start starts a process.
func (s *spawner) start(cmd *exec.Cmd) error {
	s.cmds <- cmd
	return <-s.errs
}

// close ends the thread. All processes are gone.
func (s *spawner) close() { close(s.cmds) }
