package latch

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/grammedb/gramme/internal/kv"
)

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate()
		for range 2 {
			if err := g.Enter(); err != nil {
				t.Fatal(err)
			}
		}
		closed := make(chan error, 1)
		go func() { closed <- g.Close() }()
		synctest.Wait()
		for range 3 {
			if err := g.Enter(); !errors.Is(err, kv.ErrClosed) {
				t.Errorf("Enter returned %v, want ErrClosed", err)
			}
		}
		g.Leave()
		synctest.Wait()
		select {
		case err := <-closed:
			t.Errorf("close returned %v with one inside", err)
		default:
		}
		g.Leave()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if err := g.Close(); !errors.Is(err, kv.ErrClosed) {
			t.Errorf("closing again returned %v", err)
		}
		if err := g.Enter(); !errors.Is(err, kv.ErrClosed) {
			t.Errorf("Enter returned %v", err)
		}
	})
}

func TestGateOfNobody(t *testing.T) {
	g := NewGate()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}
