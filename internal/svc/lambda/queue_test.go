package lambda

import (
	"fmt"
	"testing"
	"time"
)

func TestQueue(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	q := queue{functions: map[reference]*functionQueue{}}
	add := func(function string, n int, due time.Duration) {
		q.add(event{ID: fmt.Sprint(function, n), Function: function, Due: now.Add(due)})
	}
	take := func(want string) event {
		t.Helper()
		ev, pause := q.take(now)
		if ev.ID != want || (pause == 0) != (want != "") {
			t.Fatalf("took %q after %v, want %q", ev.ID, pause, want)
		}
		return ev
	}
	take("")
	for _, n := range []int{3, 1, 2} {
		add("f", n, time.Duration(n)*time.Minute)
	}
	take("")
	now = now.Add(2 * time.Minute)
	first := take("f1")
	take("f2")
	take("")
	if q.waiting != 1 || q.onWay != 2 {
		t.Errorf("%d wait, %d are on their way", q.waiting, q.onWay)
	}

	for n := range 10 { // of one function only some go at once, and of another some more
		add("f", 10+n, -time.Duration(10-n)*time.Second)
	}
	take("f10")
	take("f11")
	take("")
	add("g", 1, 0)
	take("g1")
	take("")
	q.done(first)
	take("f12")

	for i := range 100 {
		add(fmt.Sprint("h", i), 0, 0)
	}
	for q.onWay < maxOnWay {
		if _, pause := q.take(now); pause != 0 {
			t.Fatal("too few are on their way")
		}
	}
	take("")
}

// TestQueueForgets: functions without events take no memory.
func TestQueueForgets(t *testing.T) {
	q := queue{functions: map[reference]*functionQueue{}}
	for i := range 10 {
		q.add(event{Function: fmt.Sprint(i)})
	}
	for range 10 {
		ev, _ := q.take(time.Now())
		q.done(ev)
	}
	if len(q.functions) != 0 || q.waiting != 0 || q.onWay != 0 {
		t.Errorf("%+v", q)
	}
}
