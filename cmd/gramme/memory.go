package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/grammedb/gramme/internal/kv/pebblekv"
)

// respectMemoryLimit tells the garbage collector of the control group's limit, so that it works harder instead of being
// killed. GOMEMLIMIT, if set, is the smaller already or wins.
func respectMemoryLimit() {
	limit := pebblekv.MemoryLimit()
	if limit > 0 && limit < debug.SetMemoryLimit(-1) {
		debug.SetMemoryLimit(limit / 10 * 9)
	}
}

const (
	garbageMost  = 96 << 20 // bytes by which the heap may grow past what is live
	leastPercent = 25       // of what is live: above 384 MiB to collect more often would be felt
	percentStep  = 10       // a smaller change is not worth stopping everything for a moment
)

// percent returns what GOGC should be with so many bytes live. Go's default of 100 costs 2 to 5 % of throughput against 200 and
// 400 and saves half of the memory. When caches and memtables are full it would be hundreds of MiB that nobody uses, and since
// blocks hold no pointers for the collector to follow, to collect more often costs nearly nothing.
func percent(live uint64) int {
	return int(min(100, max(leastPercent, 100*garbageMost/max(live, 1))))
}

// A collector is the garbage collector's setting, which follows what is live unless the user has made it.
type collector struct {
	fixed   bool
	percent int
}

// newCollector returns the setting of a server. A store that is only in memory is all pointers: to collect it more often would be felt.
func newCollector(memory bool) *collector {
	_, chosen := os.LookupEnv("GOGC")
	return &collector{fixed: memory || chosen, percent: 100}
}

func (c *collector) follow(live uint64) {
	if p := percent(live); !c.fixed && max(p-c.percent, c.percent-p) >= percentStep {
		c.percent = p
		debug.SetGCPercent(p)
	}
}

// A lull is found by what a process allocates, and by how long it has worked: reads from caches allocate nearly nothing, and would wait
// while memory is released.
type lull struct {
	released, last uint64 // bytes allocated
	worked         time.Duration
	calm           int // intervals in a row
}

const (
	settleTime   = 250 * time.Millisecond // after the start
	lullInterval = 2 * time.Second
	lullLength   = 5                     // calm intervals: what is given back too early costs a page fault for each 4 KB when work goes on
	lullBytes    = 1 << 20               // allocated in an interval: a server that is asked now and then
	lullWork     = 40 * time.Millisecond // of a processor in an interval
	burstBytes   = 8 << 20               // allocated since memory was last released: fewer are not worth a collection
)

// begins reports whether a lull begins after a time of work, by all that was ever allocated and worked.
func (l *lull) begins(allocated uint64, worked time.Duration) bool {
	if allocated-l.last < lullBytes && worked-l.worked < lullWork {
		l.calm++
	} else {
		l.calm = 0
	}
	l.last, l.worked = allocated, worked
	if l.calm < lullLength || allocated-l.released < burstBytes {
		return false
	}
	l.released = allocated
	return true
}

// tidyMemory keeps what the collector holds in reserve small, and gives it back to the system when a lull begins, until ctx ends. Without
// that a server that has nothing to do keeps up to twice of what it needs: Go collects again only when as much as is in
// use has been allocated, and memtables and caches are in use. The program's own pages go then too, and once after the start.
func tidyMemory(ctx context.Context, gc *collector, log *slog.Logger) {
	release := func() {
		if err := releaseProgram(); err != nil {
			log.Debug("the program's pages stay in memory", "err", err) // as they do on other systems
		}
	}
	t := time.NewTicker(lullInterval)
	defer t.Stop()
	settled := time.After(settleTime)
	var l lull
	heap := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-settled:
			release()
		case <-t.C:
			metrics.Read(heap)
			gc.follow(heap[1].Value.Uint64())
			if l.begins(heap[0].Value.Uint64(), processorTime()) {
				debug.FreeOSMemory()
				release()
			}
		}
	}
}
