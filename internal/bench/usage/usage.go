// Package usage reads the CPU time and the memory of processes, and how busy the machine is.
package usage

import "time"

// A Sample is a reading of the clocks that a run is charged by, in seconds of CPU. What the system does not tell is 0.
type Sample struct {
	At     time.Time
	Self   float64 // of this process
	Server float64 // of the process that was asked for, with its children that have ended
	Busy   float64 // of the whole machine
	Stolen float64 // that the machine's host took away
}

// Take reads the clocks; those of process pid too if it is not 0.
func Take(pid int) Sample {
	s := Sample{At: time.Now(), Self: self()}
	if pid > 0 {
		s.Server, _ = CPU(pid)
	}
	s.Busy, s.Stolen = machine()
	return s
}
