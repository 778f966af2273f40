package pebblekv

import (
	"sync/atomic"

	"github.com/grammedb/gramme/internal/kv"
)

// A gate counts the calls inside and, once closed, lets nobody in. Unlike a sync.RWMutex it does not hold up calls made by
// those inside while it closes.
type gate struct {
	state   atomic.Int64  // calls inside; plus shut once closed
	drained chan struct{} // receives once closed and empty
}

const shut = 1 << 62

func newGate() *gate { return &gate{drained: make(chan struct{}, 1)} }

// enter must be followed by leave unless it fails.
func (g *gate) enter() error {
	if g.state.Add(1) > shut {
		g.leave()
		return kv.ErrClosed
	}
	return nil
}

func (g *gate) leave() {
	if g.state.Add(-1) == shut {
		g.signal()
	}
}

// signal must not block: a call that is turned away may empty the gate a second time.
func (g *gate) signal() {
	select {
	case g.drained <- struct{}{}:
	default:
	}
}

// close waits until nobody is inside. It fails if it was called before.
func (g *gate) close() error {
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
