package pebblekv

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// scans keeps in memory what views have found in ranges within one item collection, as a Query reads: to walk over them again
// takes a tenth of what it takes Pebble.
//
// What is kept is current and durable by the rule that values states; marks and drops go by item collections here. It is kept when a
// range is scanned for the second time: copying it pays only if it is asked for again.
type scans struct {
	shards [scanShards]scanShard
	// held counts by stripe how many are kept, so that writers look only where there are some. Whoever keeps one counts it before it looks at
	// the mark, and a writer raises the mark before it looks at the count: one of them sees the other.
	held [stripes]atomic.Int32
	// seen holds a part of the hash of ranges that have been scanned, each in one place, for the last that came there.
	seen    [seenPlaces]atomic.Uint32
	largest int // bytes that are kept of one scan
}

const (
	scanShards = 16
	seenPlaces = 1 << 14
	// maxScan is the size from which on a scan is not kept: there copying is most of the work.
	maxScan = 64 << 10
)

// A scanShard holds the scans of some item collections.
type scanShard struct {
	mu sync.Mutex
	clock[*found]
	chains map[uint64]*found // by the hash of an item collection: the first of those kept
}

// A found is what a scan has found. Its bytes never change.
type found struct {
	span
	bytes  []byte // the bounds of the range, then the pairs
	pairs  int
	whole  bool   // these are all in the range; else they are as many as were wanted
	used   bool   // since the last visit
	before *found // in the chain of its item collection
	after  *found
}

// A span is a range within one item collection.
type span struct {
	collection, hash uint64
	lo, hi           int // how long its bounds are
	reverse          bool
}

// foundOverhead is about what a shard needs beside the bytes of a found.
const foundOverhead = 250

// spanOf returns r as a span, if it is one.
func spanOf(r kv.Range) (s span, ok bool) {
	c := keys.CollectionOf(r.Lo)
	if c == nil || !keys.Within(c, r.Lo, r.Hi) {
		return span{}, false
	}
	s = span{collection: hash(c), hash: hash(r.Lo) + 2*hash(r.Hi), lo: len(r.Lo), hi: len(r.Hi), reverse: r.Reverse}
	if r.Reverse {
		s.hash++
	}
	return s, true
}

// answers reports whether f is what a scan of r, whose span is s, would find.
func (f *found) answers(s span, r kv.Range) bool {
	return f.span == s && string(f.bytes[:s.lo]) == string(r.Lo) && string(f.bytes[s.lo:s.lo+s.hi]) == string(r.Hi) &&
		(f.whole || r.Most > 0 && r.Most <= f.pairs)
}

// size implements clocked.
func (f *found) size() int { return len(f.bytes) + foundOverhead }

// spare implements clocked.
func (f *found) spare() bool {
	used := f.used
	f.used = false
	return used
}

func newScans(bytes int64) *scans {
	budget := int(bytes / scanShards)
	c := &scans{largest: min(maxScan, budget/4)}
	for i := range c.shards {
		s := &c.shards[i]
		s.clock = newClock[*found](budget)
		s.chains = make(map[uint64]*found)
		s.gone = func(f *found) {
			s.unchain(f)
			c.count(f, -1)
		}
	}
	return c
}

// shard returns the shard of an item collection, by bits that do not choose the stripe of a mark.
func (c *scans) shard(collection uint64) *scanShard { return &c.shards[collection>>60] }

func (c *scans) count(f *found, n int32) { c.held[f.collection%stripes].Add(n) }

// get returns what a scan of r, whose span is s, would find, nil if it is not kept.
func (c *scans) get(s span, r kv.Range) *found {
	shard := c.shard(s.collection)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	f := shard.kept[s.hash]
	if f == nil || !f.answers(s, r) {
		return nil
	}
	f.used = true
	return f
}

// again reports whether a span was scanned before, and remembers that it is now. It may have forgotten.
func (c *scans) again(s span) bool {
	place, part := &c.seen[s.hash%seenPlaces], uint32(s.hash>>32)
	if place.Load() == part {
		return true
	}
	place.Store(part)
	return false
}

// keep keeps f if no commit after that with the number durable has announced a change in its item collection.
func (c *scans) keep(f *found, marks *marks, durable uint64) {
	s := c.shard(f.collection)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.count(f, 1)
	if marks.collection(f.collection) > durable {
		c.count(f, -1)
		return
	}
	s.chain(f)
	s.put(f.hash, f)
}

func (s *scanShard) chain(f *found) {
	if f.after = s.chains[f.collection]; f.after != nil {
		f.after.before = f
	}
	s.chains[f.collection] = f
}

func (s *scanShard) unchain(f *found) {
	if f.after != nil {
		f.after.before = f.before
	}
	switch {
	case f.before != nil:
		f.before.after = f.after
	case f.after != nil:
		s.chains[f.collection] = f.after
	default:
		delete(s.chains, f.collection)
	}
}

// drop forgets what is kept of an item collection that a commit is about to change and whose mark it has raised.
func (c *scans) drop(collection uint64) {
	if c.held[collection%stripes].Load() == 0 {
		return
	}
	s := c.shard(collection)
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := s.chains[collection]; f != nil; f = s.chains[collection] {
		s.clock.drop(f.hash)
	}
}

// clear forgets everything.
func (c *scans) clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.clear()
		s.mu.Unlock()
	}
}

// pairHeader is what stands before a pair in the bytes of a found: the lengths of key and value.
const pairHeader = 8

// A recording copies what a scan finds, to keep it.
type recording struct {
	span
	on      bool
	durable uint64 // all commits up to this one had become durable, and so visible, before the scan began
	largest int
	bytes   []byte // as in a found
	pairs   int
}

// begin begins to record a scan of r.
func (rec *recording) begin(s span, r kv.Range, largest int) {
	rec.span, rec.on, rec.largest = s, true, largest
	rec.bytes = append(append(rec.bytes[:0], r.Lo...), r.Hi...)
}

func (rec *recording) add(key, val []byte) {
	if len(rec.bytes)+pairHeader+len(key)+len(val) > rec.largest {
		rec.on = false
		return
	}
	b := binary.LittleEndian.AppendUint32(rec.bytes, uint32(len(key)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(val)))
	rec.bytes = append(append(b, key...), val...)
	rec.pairs++
}

// found returns a copy of what has been recorded.
func (rec *recording) found(whole bool) *found {
	b := make([]byte, len(rec.bytes))
	copy(b, rec.bytes)
	return &found{span: rec.span, bytes: b, pairs: rec.pairs, whole: whole}
}

// A replay iterates over what a scan has found. It implements kv.Iterator.
type replay struct {
	rest     []byte // the pairs that follow
	left     int    // how many of them
	key, val []byte
}

// replay returns an iterator over the pairs of f, the first most if most is not 0.
func (f *found) replay(most int) replay {
	n := f.pairs
	if most > 0 {
		n = min(n, most)
	}
	return replay{rest: f.bytes[f.lo+f.hi:], left: n}
}

// Next implements kv.Iterator.
func (it *replay) Next() bool {
	if it.left == 0 {
		return false
	}
	it.left--
	keyLen, valLen := binary.LittleEndian.Uint32(it.rest), binary.LittleEndian.Uint32(it.rest[4:])
	keyEnd := pairHeader + int(keyLen)
	end := keyEnd + int(valLen)
	it.key, it.val, it.rest = it.rest[pairHeader:keyEnd:keyEnd], it.rest[keyEnd:end:end], it.rest[end:]
	return true
}

// Key implements kv.Iterator.
func (it *replay) Key() []byte { return it.key }

// Value implements kv.Iterator.
func (it *replay) Value() []byte { return it.val }

// Close implements kv.Iterator.
func (it *replay) Close() error {
	it.left = 0
	return nil
}
