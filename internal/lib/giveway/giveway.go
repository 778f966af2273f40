// Package giveway lets long work give way to short work that waits for a processor.
//
// Go lets a goroutine run for 10 ms before others have their turn, and asks the operating system for what has come in from the network when
// a processor has nothing else to run. So where every processor is busy with long work, a small request may wait for a hundred times of
// what it takes. Long work therefore calls Give now and then.
//
// The operating system does the same with threads, for milliseconds: a goroutine may have one of Go's processors, but its thread none of the machine's,
// because long work has it. So while there is short work Give yields that, too.
package giveway

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// turn is how long work goes on before it gives way. To look for short work takes a microsecond.
const turn = 50 * time.Microsecond

// A Way is where long work meets short work. The zero Way and a nil *Way know of none. Its methods may be called concurrently.
type Way struct {
	mu    sync.Mutex
	looks atomic.Pointer[[]*func() bool] // replaced under mu, never changed
	owed  atomic.Int64                   // until then, since start, long work yields no thread: it has waited as long
}

// Add adds short work. look makes runnable what waits of it, and reports whether there is any, waiting or being done; it must not wait itself. The
// caller calls remove when there is no more.
func (w *Way) Add(look func() bool) (remove func()) {
	if w == nil {
		return func() {}
	}
	added := &look
	w.replace(func(looks []*func() bool) []*func() bool { return append(looks, added) })
	return func() {
		w.replace(func(looks []*func() bool) []*func() bool {
			return slices.DeleteFunc(looks, func(l *func() bool) bool { return l == added })
		})
	}
}

func (w *Way) replace(change func([]*func() bool) []*func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var looks []*func() bool
	if now := w.looks.Load(); now != nil {
		looks = slices.Clone(*now)
	}
	looks = change(looks)
	w.looks.Store(&looks)
}

// look makes all short work runnable that waits, and reports whether there is any.
func (w *Way) look() (any bool) {
	if looks := w.looks.Load(); looks != nil {
		for _, look := range *looks {
			any = (*look)() || any
		}
	}
	return any
}

// yieldThread lets other threads have the machine's processor; tests replace it.
var yieldThread = osYield

// yield lets other threads go on. A thread that yields pays with a turn of the kernel's, milliseconds, however short its own was: beside busy threads one that
// always does gets next to nothing done. So long work then goes on for as long as it has waited.
func (w *Way) yield() {
	before := time.Since(start)
	if int64(before) < w.owed.Load() {
		return
	}
	yieldThread()
	after := time.Since(start)
	w.owed.Store(int64(after + after - before))
}

// A Turn is the time for which one goroutine's long work has had a processor. The zero Turn never ends.
type Turn struct {
	way   *Way
	ends  time.Duration // since start
	keeps bool          // its thread
}

var start = time.Now()

// Begin begins a turn.
func (w *Way) Begin() Turn {
	if w == nil {
		return Turn{}
	}
	return Turn{way: w, ends: time.Since(start) + turn}
}

// Hurry begins a turn of work that must not fall behind further: it lets other goroutines run, but keeps its thread.
func (w *Way) Hurry() Turn {
	t := w.Begin()
	t.keeps = true
	return t
}

// Give ends the turn if it is time, lets others run, and begins another.
func (t *Turn) Give() {
	if t.way == nil || time.Since(start) < t.ends {
		return
	}
	short := t.way.look()
	runtime.Gosched()
	if short && !t.keeps {
		t.way.yield()
	}
	t.ends = time.Since(start) + turn
}
