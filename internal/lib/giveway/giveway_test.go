package giveway

import (
	"testing"
	"time"
)

// spend gives way until looks have been made.
func spend(t *testing.T, turn *Turn, looked func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !looked(); {
		if time.Now().After(deadline) {
			t.Fatal("a turn does not end")
		}
		turn.Give()
	}
}

// TestGive: a turn ends, and then all that has been added and not removed is looked at.
func TestGive(t *testing.T) {
	var w Way
	turn := w.Begin()
	first, second := 0, 0
	removeFirst := w.Add(func() bool { first++; return false })
	removeSecond := w.Add(func() bool { second++; return false })
	spend(t, &turn, func() bool { return first == 1 && second == 1 })
	removeFirst()
	spend(t, &turn, func() bool { return second == 3 })
	if first != 1 {
		t.Errorf("what has been removed was looked at %d times", first-1)
	}
	removeSecond()
	w.look()
	if second != 3 {
		t.Error("looked at what has been removed")
	}
}

// TestNone: who has no Way never gives way.
func TestNone(t *testing.T) {
	var w *Way
	w.Add(func() bool { t.Error("looked"); return true })()
	for _, turn := range []Turn{w.Begin(), w.Hurry()} {
		turn.ends = 0
		turn.Give()
	}
}

// TestYield: at the end of a turn a thread is yielded if there is short work, and not if long work has waited for longer than it has worked since, or is behind.
func TestYield(t *testing.T) {
	defer func(was func()) { yieldThread = was }(yieldThread)
	const long = time.Hour // waited
	for _, tt := range []struct {
		name  string
		short bool
		begin func(*Way) Turn
		owed  time.Duration
		want  bool
	}{
		{"short work", true, (*Way).Begin, 0, true},
		{"none", false, (*Way).Begin, 0, false},
		{"has waited", true, (*Way).Begin, long, false},
		{"behind", true, (*Way).Hurry, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			yields, looks := 0, 0
			yieldThread = func() { yields++ }
			var w Way
			w.owed.Store(int64(time.Since(start) + tt.owed))
			defer w.Add(func() bool { looks++; return false })()
			defer w.Add(func() bool { return tt.short })()
			turn := tt.begin(&w)
			spend(t, &turn, func() bool { return looks == 2 })
			if yields > 0 != tt.want { // once or twice: a test that the machine holds up meanwhile has waited, too
				t.Errorf("%d yields", yields)
			}
		})
	}
}

// TestOwed: long work goes on for as long as it has waited.
func TestOwed(t *testing.T) {
	defer func(was func()) { yieldThread = was }(yieldThread)
	const wait = 20 * time.Millisecond
	yieldThread = func() { time.Sleep(wait) }
	var w Way
	began := time.Since(start)
	w.yield()
	if owed := time.Duration(w.owed.Load()) - began; owed < 2*wait {
		t.Errorf("after a wait of %v it yields again after %v", wait, owed-wait)
	}
}
