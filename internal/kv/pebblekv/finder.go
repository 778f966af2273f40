package pebblekv

import "github.com/cockroachdb/pebble/v2"

// A finder looks up keys, all at the moment of the first. The zero finder is ready; it must be closed.
//
// It seeks with an iterator, because Pebble's Get asks no Bloom filter of the last level, where nearly all data is: to
// find out that a key is new, as that of most writes is, took Get a block read from the disk or the cache, ten times as long.
type finder struct {
	it      *pebble.Iterator
	durable uint64 // all commits up to this one had become durable, and so visible, before it was made
}

var pointOptions = pebble.IterOptions{UseL6Filters: true}

// find returns the value under key, nil if there is none. It is valid until the next find, or close.
func (f *finder) find(r pebble.Reader, w *watermark, key []byte) ([]byte, error) {
	if f.it == nil {
		f.durable = w.durable.Load()
		var err error
		if f.it, err = r.NewIter(&pointOptions); err != nil {
			return nil, readError(err)
		}
	}
	if !f.it.SeekPrefixGE(key) { // the whole key is the prefix
		return nil, readError(f.it.Error())
	}
	val, err := f.it.ValueAndErr()
	if err != nil {
		return nil, readError(err)
	}
	if len(val) == 0 {
		val = []byte{}
	}
	return val, nil
}

// close releases the iterator. What it has to say has been said by find.
func (f *finder) close() {
	if f.it != nil {
		_ = f.it.Close()
		f.it = nil
	}
}
