package lambda

import (
	"container/heap"
	"time"
)

// How many asynchronous invocations may wait, and how many of one function are under way at once: one that hangs holds up its own only.
const (
	maxQueued         = 100_000
	maxOnWay          = 32
	maxOnWayOfOne     = 4
	queueIsFull       = "There are too many asynchronous invocations that wait."
	emptyQueuePause   = time.Minute
	clockCheckedEvery = time.Second // the database's clock may be moved
)

// A queue holds the events that wait, by function. Payloads stay where they are. It is not safe for concurrent use.
type queue struct {
	functions map[reference]*functionQueue
	waiting   int
	onWay     int
}

// A functionQueue holds the events of one function, the one that is due first at the top.
type functionQueue struct {
	events []event
	onWay  int
}

func (q *functionQueue) Len() int           { return len(q.events) }
func (q *functionQueue) Less(i, j int) bool { return q.events[i].Due.Before(q.events[j].Due) }
func (q *functionQueue) Swap(i, j int)      { q.events[i], q.events[j] = q.events[j], q.events[i] }
func (q *functionQueue) Push(ev any)        { q.events = append(q.events, ev.(event)) }
func (q *functionQueue) Pop() any {
	last := len(q.events) - 1
	ev := q.events[last]
	q.events = q.events[:last]
	return ev
}

func (q *queue) add(ev event) {
	f := q.functions[ev.function()]
	if f == nil {
		f = &functionQueue{}
		q.functions[ev.function()] = f
	}
	heap.Push(f, ev)
	q.waiting++
}

// take takes an event that is due and may go on its way, which lasts until done. Otherwise it says how long to wait.
func (q *queue) take(now time.Time) (event, time.Duration) {
	pause := emptyQueuePause
	if q.onWay == maxOnWay {
		return event{}, pause
	}
	for _, f := range q.functions {
		if len(f.events) == 0 || f.onWay == maxOnWayOfOne {
			continue
		}
		left := f.events[0].Due.Sub(now)
		if left <= 0 {
			f.onWay++
			q.onWay++
			q.waiting--
			return heap.Pop(f).(event), 0
		}
		pause = min(pause, left, clockCheckedEvery)
	}
	return event{}, pause
}

// done notes that an event that was taken has come back.
func (q *queue) done(ev event) {
	f := q.functions[ev.function()]
	f.onWay--
	q.onWay--
	if f.onWay == 0 && len(f.events) == 0 {
		delete(q.functions, ev.function())
	}
}
