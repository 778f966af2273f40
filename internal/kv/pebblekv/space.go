package pebblekv

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// spaceWatch tells when the disk is nearly full. Beyond that point Pebble ends the process, so the reserve has to last
// for what it writes on its own: flushes and compactions.
type spaceWatch struct {
	usage   func() (vfs.DiskUsage, error)
	reserve int64
	log     *slog.Logger
	every   time.Duration // at most this long, and
	step    int64         // this many bytes written, between looking
	opened  time.Time

	looked  atomic.Int64 // when, as time since opened
	written atomic.Int64 // bytes since then
	low     atomic.Bool
}

func newSpaceWatch(c Config) *spaceWatch {
	s := &spaceWatch{
		usage: c.Usage, reserve: c.ReserveBytes, log: c.Logger,
		every: time.Second, step: 4 << 20, opened: time.Now(),
	}
	s.looked.Store(-int64(s.every)) // look at once
	return s
}

// room reports whether size more bytes may be written.
func (s *spaceWatch) room(size int) bool {
	if s.reserve < 0 {
		return true
	}
	now := int64(time.Since(s.opened))
	last := s.looked.Load()
	if s.written.Add(int64(size)) < s.step && now-last < int64(s.every) {
		return !s.low.Load()
	}
	if s.looked.CompareAndSwap(last, now) {
		s.written.Store(0)
		s.look()
	}
	return !s.low.Load()
}

// look asks the disk.
func (s *spaceWatch) look() {
	u, err := s.usage()
	if err != nil {
		return // a disk that cannot tell is not full
	}
	low := u.AvailBytes < s.needed(u.TotalBytes)
	if s.low.Swap(low) == low {
		return
	}
	if low {
		s.log.Error("the disk is nearly full: writes are refused until there is room", "free", u.AvailBytes, "needed", s.needed(u.TotalBytes))
	} else {
		s.log.Info("the disk has room again: writes are accepted", "free", u.AvailBytes)
	}
}

// needed returns the free space that a disk of this size must have.
func (s *spaceWatch) needed(total uint64) uint64 {
	if s.reserve > 0 {
		return uint64(s.reserve)
	}
	return min(max(total/20, 256<<20), 8<<30)
}
