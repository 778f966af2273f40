package pebblekv

import "github.com/cockroachdb/pebble/v2"

// A finder looks up keys, of a snapshot, or each as it is at the first look-up or later. It must be closed.
//
// It seeks with an iterator, because Pebble's Get asks no Bloom filter of the last level, where nearly all data is: to
// find out that a key is new, as that of most writes is, took Get a block read from the disk or the cache, ten times as long. Where the key is
// in no memtable, the iterator leaves those out.
type finder struct {
	db   *DB
	snap *pebble.Snapshot // or nil

	begun   bool
	durable uint64 // all commits up to this one had become durable, and so visible, before the first look-up
	eras    []*era // of before the iterators

	all, tables *pebble.Iterator
}

var (
	allOptions    = pebble.IterOptions{UseL6Filters: true}
	tablesOptions = pebble.IterOptions{UseL6Filters: true, OnlyReadGuaranteedDurable: true}
)

// find returns the value under key, whose hash is h, nil if there is none. It is valid until the next find, or close.
func (f *finder) find(key []byte, h uint64) ([]byte, error) {
	it, err := f.iterator(h)
	if err != nil {
		return nil, readError(err)
	}
	if !it.SeekPrefixGE(key) { // the whole key is the prefix
		return nil, readError(it.Error())
	}
	val, err := it.ValueAndErr()
	if err != nil {
		return nil, readError(err)
	}
	if len(val) == 0 {
		val = []byte{}
	}
	return val, nil
}

// iterator returns one that meets the key whose hash is h, if it is stored.
func (f *finder) iterator(h uint64) (it *pebble.Iterator, err error) {
	if !f.begun {
		f.begun = true
		f.durable = f.db.watermark.durable.Load()
		f.eras = *f.db.recent.eras.Load()
	}
	switch {
	case f.snap != nil:
		return open(&f.all, f.snap, &allOptions)
	case have(f.eras, h):
		return open(&f.all, f.db.pebble, &allOptions)
	default:
		return open(&f.tables, f.db.pebble, &tablesOptions)
	}
}

// open makes *it an iterator unless it is one.
func open(it **pebble.Iterator, r pebble.Reader, o *pebble.IterOptions) (_ *pebble.Iterator, err error) {
	if *it == nil {
		*it, err = r.NewIter(o)
	}
	return *it, err
}

// close releases the iterators. What they have to say has been said by find.
func (f *finder) close() {
	for _, it := range []*pebble.Iterator{f.all, f.tables} {
		if it != nil {
			_ = it.Close()
		}
	}
}
