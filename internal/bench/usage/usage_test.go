package usage

import (
	"os"
	"runtime"
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	before := Take(os.Getpid())
	for Take(0).Self == before.Self { // until the clock has moved
	}
	after := Take(os.Getpid())
	if after.Self <= before.Self || after.At.Sub(before.At) <= 0 {
		t.Errorf("from %+v to %+v", before, after)
	}
	if runtime.GOOS != "linux" {
		return
	}
	if after.Server <= 0 && time.Duration(after.Self*float64(time.Second)) > time.Second/10 || after.Busy <= 0 {
		t.Errorf("%+v", after)
	}
	if rss, peak := RSS(os.Getpid()); rss < 1<<20 || peak < rss {
		t.Errorf("resident %d, peak %d", rss, peak)
	}
	if _, err := CPU(1 << 30); err == nil {
		t.Error("no such process, no error")
	}
}
