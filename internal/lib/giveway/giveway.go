// Package giveway lets long work give way to short work that waits for a processor.
//
// Go lets a goroutine run for 10 ms before others have their turn, and asks the operating system for what has come in from the network when
// a processor has nothing else to run. So where every processor is busy with long work, a small request may wait for a hundred times of
// what it takes. Long work therefore calls Give now and then.
package giveway

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// turn is how long work goes on before it gives way. To look for short work takes a microsecond.
const turn = 100 * time.Microsecond

// A Way is where long work meets short work. The zero Way and a nil *Way know of none. Its methods may be called concurrently.
type Way struct {
	mu    sync.Mutex
	looks atomic.Pointer[[]*func()] // replaced under mu, never changed
}

// Add adds short work. look makes runnable what waits of it; it must not wait itself. The caller calls remove when there is no more.
func (w *Way) Add(look func()) (remove func()) {
	if w == nil {
		return func() {}
	}
	added := &look
	w.replace(func(looks []*func()) []*func() { return append(looks, added) })
	return func() {
		w.replace(func(looks []*func()) []*func() {
			return slices.DeleteFunc(looks, func(l *func()) bool { return l == added })
		})
	}
}

func (w *Way) replace(change func([]*func()) []*func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var looks []*func()
	if now := w.looks.Load(); now != nil {
		looks = slices.Clone(*now)
	}
	looks = change(looks)
	w.looks.Store(&looks)
}

// look makes all short work runnable that waits.
func (w *Way) look() {
	if looks := w.looks.Load(); looks != nil {
		for _, look := range *looks {
			(*look)()
		}
	}
}

// A Turn is the time for which one goroutine's long work has had a processor. The zero Turn never ends.
type Turn struct {
	way  *Way
	ends time.Duration // since start
}

var start = time.Now()

// Begin begins a turn.
func (w *Way) Begin() Turn {
	if w == nil {
		return Turn{}
	}
	return Turn{w, time.Since(start) + turn}
}

// Give ends the turn if it is time, lets others run, and begins another.
func (t *Turn) Give() {
	if t.way == nil || time.Since(start) < t.ends {
		return
	}
	t.way.look()
	runtime.Gosched()
	*t = t.way.Begin()
}
