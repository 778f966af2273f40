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
	removeFirst := w.Add(func() { first++ })
	removeSecond := w.Add(func() { second++ })
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
	w.Add(func() { t.Error("looked") })()
	turn := w.Begin()
	turn.ends = 0
	turn.Give()
}
