package latch

import (
	"slices"
	"sync"

	"github.com/grammedb/gramme/internal/kv"
)

// stripes is how many stripes the keys share.
const stripes = 4096

// keyLocks exclude updates that declare a common key. Keys share stripes; a shared stripe only delays.
type keyLocks [stripes]sync.Mutex

// stripesOf appends the stripes of the keys with these hashes, each once and in the order in which they are locked.
func stripesOf(dst []uint16, hashes []uint64) []uint16 {
	for _, h := range hashes {
		dst = append(dst, uint16(h%stripes))
	}
	if len(dst) > 1 {
		slices.Sort(dst)
		dst = slices.Compact(dst)
	}
	return dst
}

func (l *keyLocks) lock(stripes []uint16) {
	for _, s := range stripes {
		l[s].Lock()
	}
}

func (l *keyLocks) unlock(stripes []uint16) {
	for _, s := range stripes {
		l[s].Unlock()
	}
}

// fenceStripes is how many stripes the definitions share.
const fenceStripes = 256

// fences let updates that were planned with a definition run beside each other, and the one that changes it alone.
type fences struct {
	stripes [fenceStripes]sync.RWMutex

	mu       sync.RWMutex
	versions map[string]uint64 // of definitions that exist and were asked for
}

// A fenceLock is one stripe that an update locks.
type fenceLock struct {
	stripe    uint8
	exclusive bool
}

// fenceLocks appends the fences that an update locks, each stripe once and in the order in which they are locked. Two
// shared locks of one stripe would wait for each other if somebody asked for it exclusively in between.
func fenceLocks(dst []fenceLock, t *kv.Txn) []fenceLock {
	for _, f := range t.Fence {
		dst = append(dst, fenceLock{uint8(Hash(f.Key) % fenceStripes), false})
	}
	for _, k := range t.Define {
		dst = append(dst, fenceLock{uint8(Hash(k) % fenceStripes), true})
	}
	if len(dst) <= 1 {
		return dst
	}
	slices.SortFunc(dst, func(a, b fenceLock) int {
		switch {
		case a.stripe != b.stripe:
			return int(a.stripe) - int(b.stripe)
		case a.exclusive == b.exclusive:
			return 0
		case a.exclusive:
			return -1 // first, so that it is the one that stays
		}
		return 1
	})
	return slices.CompactFunc(dst, func(a, b fenceLock) bool { return a.stripe == b.stripe })
}

func (f *fences) lock(locks []fenceLock) {
	for _, l := range locks {
		if l.exclusive {
			f.stripes[l.stripe].Lock()
		} else {
			f.stripes[l.stripe].RLock()
		}
	}
}

func (f *fences) unlock(locks []fenceLock) {
	for _, l := range locks {
		if l.exclusive {
			f.stripes[l.stripe].Unlock()
		} else {
			f.stripes[l.stripe].RUnlock()
		}
	}
}

// version returns the version of a definition. The caller holds its stripe, so it can't change meanwhile.
func (f *fences) version(key []byte, load func([]byte) (uint64, error)) (uint64, error) {
	f.mu.RLock()
	v, ok := f.versions[string(key)]
	f.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, err := load(key)
	if err == nil && v != 0 {
		f.set(key, v)
	}
	return v, err
}

// set changes what is known of a definition. The caller holds its stripe, exclusively if the definition has changed. Those
// that do not exist are not kept: there is no end of them.
func (f *fences) set(key []byte, version uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if version == 0 {
		delete(f.versions, string(key))
		return
	}
	f.versions[string(key)] = version
}
