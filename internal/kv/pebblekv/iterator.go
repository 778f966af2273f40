package pebblekv

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/grammedb/gramme/internal/kv"
)

// Where an iterator is.
const (
	before = iota // the first pair
	within
	ended
)

// iterator implements kv.Iterator.
type iterator struct {
	db      *DB
	pebble  *pebble.Iterator // nil if the range is empty
	options pebble.IterOptions
	reverse bool
	most    int          // pairs; 0: no limit
	given   int          // pairs so far
	seeks   bool         // past other versions of a key
	crowded *atomic.Bool // what is to be told of a crowd
	state   int
	val     []byte
	err     error

	recording recording
}

// reset makes it as good as new, and keeps the memory of its recording.
func (it *iterator) reset() {
	*it = iterator{recording: recording{bytes: it.recording.bytes[:0]}}
}

// record makes it record what it will find. It comes before open: what is visible afterwards was durable now or raises a mark.
func (it *iterator) record(db *DB, s span, r kv.Range) {
	it.recording.begin(s, r, db.scans.largest)
	it.recording.durable = db.watermark.durable.Load()
}

// open begins to iterate over what a reader shows of a range.
func (it *iterator) open(db *DB, reader pebble.Reader, r kv.Range) (err error) {
	it.db = db
	it.options.LowerBound, it.options.UpperBound = r.Lo, r.Hi
	it.reverse, it.most = r.Reverse, r.Most
	it.crowded = db.crowds.of(r.Lo)
	it.seeks = it.crowded.Load()
	it.pebble, err = reader.NewIter(&it.options)
	return readError(err)
}

// Next implements kv.Iterator.
func (it *iterator) Next() bool {
	if it.state == ended || it.most > 0 && it.given == it.most {
		return false
	}
	if !it.step() {
		it.state = ended
		return false
	}
	it.state = within
	if it.val, it.err = it.pebble.ValueAndErr(); it.err != nil {
		it.state = ended
		return false
	}
	it.given++
	if it.recording.on {
		it.recording.add(it.pebble.Key(), it.val)
	}
	return true
}

func (it *iterator) step() bool {
	switch {
	case it.state == before && it.reverse:
		return it.pebble.Last()
	case it.state == before:
		return it.pebble.First()
	case it.reverse:
		return it.pebble.Prev()
	case it.seeks:
		return it.pebble.NextPrefix()
	}
	return it.pebble.Next()
}

// Key implements kv.Iterator.
func (it *iterator) Key() []byte { return it.pebble.Key() }

// Value implements kv.Iterator.
func (it *iterator) Value() []byte { return it.val }

// Close implements kv.Iterator.
func (it *iterator) Close() error {
	err := it.err
	if it.pebble != nil {
		if !it.seeks && metCrowd(it.pebble) {
			it.crowded.Store(true)
		}
		if cerr := it.pebble.Close(); err == nil {
			err = cerr
		}
		it.pebble = nil
		if err == nil {
			it.keep()
		}
	}
	it.state = ended
	return readError(err)
}

// keep keeps what has been recorded if it is all that was asked for.
func (it *iterator) keep() {
	rec, whole := &it.recording, it.state == ended
	if !rec.on || !whole && (it.most == 0 || it.given < it.most) {
		return
	}
	if it.db.marks.collection(rec.collection) <= rec.durable { // else it would be copied in vain
		it.db.scans.keep(rec.found(whole), &it.db.marks, rec.durable)
	}
}
