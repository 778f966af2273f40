package pebblekv

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// recent knows which keys may be in memtables. A look-up of any other leaves them out: most writes are of new keys, and to find that one is in no
// memtable takes a walk down each, out of cold caches.
//
// Each commit notes what it changes in the present era before it becomes visible. An era ends with a flush, and is asked until all that was noted in it is in
// tables. When the commits of an ended era are durable, and so applied, the next commit gets a sequence number that is greater than all of theirs.
// Memtables are flushed in the order of sequence numbers; once that one is in a table, so is all of the era.
type recent struct {
	words int // of each era's filter; a power of two

	mu    sync.RWMutex           // held shared by who notes
	eras  atomic.Pointer[[]*era] // that are asked, the present one last; the slice never changes
	ended atomic.Pointer[era]    // the one whose last sequence number is not known yet, if there is one
}

// An era is a Bloom filter of the keys that have been noted, four bits of one word for each.
type era struct {
	filter []atomic.Uint64
	every  atomic.Bool // any key has been noted
	commit uint64      // when it has ended: no later commit has noted anything in it
	last   uint64      // a sequence number that is greater than all of its commits'; 0: not known yet
}

// eraShare is how many bytes of memtables there are for each of an era's filter: with rows of 400 bytes 50 bits a key, of 40 bytes 10.
const eraShare = 64

func newRecent(memtable int64) *recent {
	r := &recent{words: 1}
	for int64(r.words*8) < memtable/eraShare {
		r.words *= 2
	}
	r.eras.Store(&[]*era{r.newEra()})
	return r
}

func (r *recent) newEra() *era { return &era{filter: make([]atomic.Uint64, r.words)} }

// enter returns the era in which to note changes, before they become visible. It lasts until leave.
func (r *recent) enter() *era {
	r.mu.RLock()
	eras := *r.eras.Load()
	return eras[len(eras)-1]
}

func (r *recent) leave() { r.mu.RUnlock() }

// all notes that any key may be changed, or is in a memtable.
func (r *recent) all() {
	r.enter().every.Store(true)
	r.leave()
}

// add notes the key whose hash is h.
func (e *era) add(h uint64) {
	at, bits := place(h, len(e.filter))
	if w := &e.filter[at]; w.Load()&bits != bits {
		w.Or(bits)
	}
}

// have reports whether one of eras may have noted the key whose hash is h.
func have(eras []*era, h uint64) bool {
	for _, e := range eras {
		at, bits := place(h, len(e.filter))
		if e.filter[at].Load()&bits == bits || e.every.Load() {
			return true
		}
	}
	return false
}

// place returns the word of a filter of n that a hash belongs to, and the bits in it.
func place(h uint64, n int) (at int, bits uint64) {
	bits = 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
	return int(h>>32) & (n - 1), bits
}

// flushed is told that a flush has ended, and the greatest sequence number that it has put into tables. Issued is the newest commit.
func (r *recent) flushed(seq uint64, issued func() uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	eras := slices.DeleteFunc(slices.Clone(*r.eras.Load()), func(e *era) bool { return e.last > 0 && e.last <= seq })
	if r.ended.Load() == nil {
		e := eras[len(eras)-1]
		e.commit = issued() // who noted in it had a number by then
		eras = append(eras, r.newEra())
		r.ended.Store(e)
	}
	r.eras.Store(&eras)
}

// applied returns the era of which all commits have been applied, because they are durable, so that the next one's sequence number is greater than
// theirs; nil if there is none that waits for one.
func (r *recent) applied(durable uint64) *era {
	if e := r.ended.Load(); e != nil && e.commit <= durable {
		return e
	}
	return nil
}

// close tells the sequence number of a commit that began after applied had returned e.
func (r *recent) close(e *era, seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.last == 0 {
		e.last = seq
		r.ended.Store(nil)
	}
}

// greatest returns the greatest sequence number in tables.
func greatest(tables []pebble.TableInfo) (seq uint64) {
	for i := range tables {
		seq = max(seq, uint64(tables[i].LargestSeqNum))
	}
	return seq
}
