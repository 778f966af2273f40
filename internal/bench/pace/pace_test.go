package pace_test

import (
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/bench/pace"
)

func TestTimer(t *testing.T) {
	var p pace.Timer
	defer p.Close()
	for _, d := range []time.Duration{10 * time.Microsecond, 300 * time.Microsecond, 4 * time.Millisecond} {
		begin := time.Now()
		if !p.Sleep(d, nil) || time.Since(begin) < d {
			t.Errorf("slept %v, want %v", time.Since(begin), d)
		}
	}
	over := make(chan struct{})
	close(over)
	if p.Sleep(time.Hour, over) {
		t.Error("slept on after the end")
	}
}
