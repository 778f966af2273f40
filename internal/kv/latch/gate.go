package latch

import (
	"sync/atomic"

	"github.com/grammedb/gramme/internal/kv"
)

// A Gate counts the calls inside and, once closed, lets nobody in. Unlike a sync.RWMutex it does not hold up calls made by
// those inside while it closes.
type Gate struct {
	state   atomic.Int64  // calls inside; plus shut once closed
	drained chan struct{} // receives once closed and empty
}

// shut is what a closed gate's state is greater by.
const shut = 1 << 62

// NewGate returns an open gate.
func NewGate() *Gate { return &Gate{drained: make(chan struct{}, 1)} }

// Enter must be followed by Leave unless it fails, with kv.ErrClosed.
func (g *Gate) Enter() error {
	if g.state.Add(1) > shut {
		g.Leave()
		return kv.ErrClosed
	}
	return nil
}

// Leave says that a call has ended.
func (g *Gate) Leave() {
	if g.state.Add(-1) == shut {
		g.signal()
	}
}

// signal must not block: a call that is turned away may empty the gate a second time.
func (g *Gate) signal() {
	select {
	case g.drained <- struct{}{}:
	default:
	}
}

// Close waits until nobody is inside. It fails if it was called before.
func (g *Gate) Close() error {
	for {
		n := g.state.Load()
		if n >= shut {
			return kv.ErrClosed
		}
		if g.state.CompareAndSwap(n, n+shut) {
			if n > 0 {
				<-g.drained
			}
			return nil
		}
	}
}
