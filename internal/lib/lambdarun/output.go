package lambdarun

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"
)

const (
	maxTail   = 4 << 10   // of the log that a Result has
	maxLine   = 8 << 10   // a longer one is cut into several
	maxLogged = 256 << 10 // of one invocation, in the log
)

// An output takes what a process prints. A pipe says nothing of when its writer has written, so sync writes a mark into it: what
// was written before the mark has been read when the mark is.
type output struct {
	writer *os.File // the process's standard output and error
	reader *os.File
	mark   []byte // a line that nobody else writes
	seen   chan struct{}
	done   chan struct{} // closed when nothing more is read
	log    *slog.Logger

	mu     sync.Mutex
	name   string // guarded by mu, as are those below: of the function
	id     string // of the invocation
	tail   []byte
	logged int // bytes of the invocation
}

func newOutput(log *slog.Logger) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &output{reader: r, writer: w, mark: []byte(rand.Text() + "\n"), seen: make(chan struct{}, 1), done: make(chan struct{}), log: log}
	go o.read()
	return o, nil
}

// begin starts the log of an invocation.
func (o *output) begin(f *Function, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.name, o.id, o.tail, o.logged = f.Name, id, nil, 0
	o.keep(fmt.Appendf(nil, "START RequestId: %s Version: %s\n", id, f.Version))
}

// end ends the log of an invocation and returns its tail.
func (o *output) end(f *Function, id string, took time.Duration) []byte {
	ms := float64(took.Microseconds()) / 1000
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep(fmt.Appendf(nil, "END RequestId: %s\nREPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\t\n",
		id, id, ms, math.Ceil(ms), f.Memory))
	return bytes.Clone(o.tail)
}

// keep appends to the tail. REQUIRES: mu is held.
func (o *output) keep(b []byte) {
	o.tail = append(o.tail, b...)
	if n := len(o.tail) - maxTail; n > 0 {
		o.tail = append(o.tail[:0], o.tail[n:]...)
	}
}

// sync returns when everything that has been written so far is in the log.
func (o *output) sync() {
	if _, err := o.writer.Write(o.mark); err != nil {
		return
	}
	select {
	case <-o.seen:
	case <-o.done:
	}
}

// close ends reading. The process is gone.
func (o *output) close() {
	o.sync()
	_ = o.writer.Close()
	_ = o.reader.Close() // a descendant of the process may have the other end still
	<-o.done
}

// read takes lines until the pipe ends.
func (o *output) read() {
	defer close(o.done)
	var buf []byte
	chunk := make([]byte, maxLine)
	for {
		n, err := o.reader.Read(chunk)
		buf = o.lines(append(buf, chunk[:n]...))
		if err != nil {
			o.line(buf)
			return
		}
	}
}

// lines takes the complete lines of buf and returns what is left.
func (o *output) lines(buf []byte) []byte {
	rest := buf
	for {
		i := bytes.IndexByte(rest, '\n')
		switch {
		case i >= 0:
			o.line(rest[:i+1])
			rest = rest[i+1:]
		case len(rest) > maxLine:
			cut := len(rest) - len(o.mark) // which may be the beginning of the mark
			o.line(rest[:cut])
			rest = rest[cut:]
		default:
			return append(buf[:0], rest...)
		}
	}
}

// line takes one line, or a part of a long one.
func (o *output) line(b []byte) {
	if text, ok := bytes.CutSuffix(b, o.mark); ok {
		o.write(text)
		o.seen <- struct{}{}
		return
	}
	o.write(b)
}

func (o *output) write(b []byte) {
	if len(b) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep(b)
	before := o.logged
	o.logged += len(b)
	switch {
	case o.logged <= maxLogged:
		o.log.Info(string(bytes.TrimRight(b, "\r\n")), "function", o.name, "request", o.id)
	case before <= maxLogged:
		o.log.Warn("the rest of what the function prints is left out of the log", "function", o.name, "request", o.id)
	}
}
