package pebblekv

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// member returns the key of a row of an item collection.
func member(collection uint64, sort string) []byte { return append(rowKey(nil, collection), sort...) }

// collectionRange returns the range of an item collection.
func collectionRange(collection uint64) kv.Range {
	lo := rowKey(nil, collection)
	return kv.Range{Lo: lo, Hi: keys.Next(lo)}
}

// walk returns what a scan finds: sort keys and values. It may fail.
func walk(db *DB, r kv.Range) (string, error) {
	v, err := db.View(context.Background(), kv.ViewOpts{})
	if err != nil {
		return "", err
	}
	it, err := v.Scan(r)
	if err != nil {
		return "", errors.Join(err, v.Close())
	}
	var got []string
	for it.Next() {
		sort := bytes.TrimPrefix(it.Key(), keys.CollectionOf(it.Key()))
		got = append(got, fmt.Sprintf("%s=%s", sort, it.Value()))
	}
	return strings.Join(got, " "), errors.Join(it.Close(), v.Close())
}

// wantScan scans and checks what is found.
func wantScan(t *testing.T, db *DB, r kv.Range, want string) {
	t.Helper()
	if got, err := walk(db, r); err != nil || got != want {
		t.Errorf("found %q, %v; want %q", got, err, want)
	}
}

// isKept reports whether a scan of r would be answered from memory.
func isKept(t *testing.T, db *DB, r kv.Range) bool {
	t.Helper()
	s, ok := spanOf(r)
	return ok && db.scans.get(s, r) != nil
}

// keepScan scans until what is found is kept.
func keepScan(t *testing.T, db *DB, r kv.Range, want string) {
	t.Helper()
	wantScan(t, db, r, want)
	wantScan(t, db, r, want)
	if !isKept(t, db, r) {
		t.Errorf("what was found between %x and %x is not kept", r.Lo, r.Hi)
	}
	wantScan(t, db, r, want)
}

func TestScansAreKept(t *testing.T) {
	db := openMemory(t)
	for _, s := range []string{"a", "b", "c", "d"} {
		put(t, db, member(1, s), "1")
	}
	r := collectionRange(1)
	wantScan(t, db, r, "a=1 b=1 c=1 d=1")
	if isKept(t, db, r) {
		t.Error("what was asked for once is kept")
	}
	keepScan(t, db, r, "a=1 b=1 c=1 d=1")
	keepScan(t, db, kv.Range{Lo: r.Lo, Hi: r.Hi, Reverse: true}, "d=1 c=1 b=1 a=1")
	keepScan(t, db, kv.Range{Lo: member(1, "b"), Hi: member(1, "d")}, "b=1 c=1")
	keepScan(t, db, kv.Range{Lo: member(1, "b\x00"), Hi: r.Hi}, "c=1 d=1") // as after an exclusive start key
	keepScan(t, db, collectionRange(2), "")

	for _, r := range []kv.Range{{Lo: r.Lo}, {Lo: r.Lo, Hi: keys.Next(keys.Space(r.Lo))}, {Lo: r.Lo, Hi: r.Lo}} {
		for range 3 {
			if _, err := walk(db, r); err != nil {
				t.Fatal(err)
			}
		}
		if isKept(t, db, r) {
			t.Errorf("%x to %x is kept", r.Lo, r.Hi)
		}
	}
}

func TestScansOfMost(t *testing.T) {
	db := openMemory(t)
	for _, s := range []string{"a", "b", "c", "d"} {
		put(t, db, member(1, s), "1")
	}
	most := func(n int) kv.Range {
		r := collectionRange(1)
		r.Most = n
		return r
	}
	keepScan(t, db, most(2), "a=1 b=1")
	for n, want := range []bool{false, true, true, false} {
		if got := isKept(t, db, most(n)); got != want {
			t.Errorf("with 2 kept a scan of %d is answered: %v", n, got)
		}
	}
	wantScan(t, db, most(1), "a=1")
	wantScan(t, db, most(3), "a=1 b=1 c=1") // replaces what was kept
	for n, want := range []bool{false, true, true, true, false} {
		if got := isKept(t, db, most(n)); got != want {
			t.Errorf("with 3 kept a scan of %d is answered: %v", n, got)
		}
	}
	wantScan(t, db, most(0), "a=1 b=1 c=1 d=1")
	for n := range 6 {
		if !isKept(t, db, most(n)) {
			t.Errorf("with all kept a scan of %d is not answered", n)
		}
	}
	wantScan(t, db, most(3), "a=1 b=1 c=1")
	wantScan(t, db, most(9), "a=1 b=1 c=1 d=1")
}

// TestScansFollowWrites changes an item collection whose scan is kept in every way there is, beside another that stays.
func TestScansFollowWrites(t *testing.T) {
	db := openMemory(t)
	r, other := collectionRange(1), collectionRange(2)
	put(t, db, member(1, "a"), "1")
	put(t, db, member(2, "a"), "1")
	change := func(fill func(b *kv.Batch)) func() error {
		return func() error {
			return db.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error { fill(b); return nil })
		}
	}
	count := string(binary.BigEndian.AppendUint64(nil, 5))
	keepScan(t, db, r, "a=1")
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"put", change(func(b *kv.Batch) { b.Put(member(1, "b"), []byte("2")) }), "a=1 b=2"},
		{"replace", change(func(b *kv.Batch) { b.Put(member(1, "a"), []byte("3")) }), "a=3 b=2"},
		{"delete", change(func(b *kv.Batch) { b.Delete(member(1, "b")) }), "a=3"},
		{"add", change(func(b *kv.Batch) { b.Add(member(1, "n"), 5) }), "a=3 n=" + count},
		{"delete a range", func() error { return db.DeleteRange(t.Context(), member(1, "b"), member(1, "z")) }, "a=3"},
	} {
		keepScan(t, db, other, "a=1")
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if isKept(t, db, r) {
			t.Errorf("%s: what was found before is kept", c.name)
		}
		if all := c.name == "delete a range"; isKept(t, db, other) == all {
			t.Errorf("%s: another item collection is kept: %v", c.name, !all)
		}
		keepScan(t, db, r, c.want)
	}
}

// TestScansNotKept scans while commits are on their way.
func TestScansNotKept(t *testing.T) {
	db := openMemory(t)
	r := collectionRange(1)
	k := member(1, "a")
	put(t, db, k, "old")
	keepScan(t, db, r, "a=old")

	n := db.watermark.begin() // a commit that has announced itself and is not done
	db.change(k, n)
	if isKept(t, db, r) {
		t.Error("kept although a commit is on its way")
	}
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	drain(t, v, r)
	if isKept(t, db, r) {
		t.Error("kept although a commit was on its way")
	}
	db.watermark.finish(n)
	if err := v.Close(); err != nil { // which waits for the commit
		t.Fatal(err)
	}
	keepScan(t, db, r, "a=old")

	put(t, db, k, "new")
	if v, err = db.View(t.Context(), kv.ViewOpts{}); err != nil {
		t.Fatal(err)
	}
	it, err := v.Scan(r)
	if err != nil || !it.Next() {
		t.Fatal("nothing found", err)
	}
	put(t, db, k, "newer") // between the scan and keeping what it finds
	for it.Next() {
	}
	if err := errors.Join(it.Close(), v.Close()); err != nil {
		t.Fatal(err)
	}
	if isKept(t, db, r) {
		t.Error("kept although it has changed since")
	}
	s, _ := spanOf(r)
	rec := recording{}
	rec.begin(s, r, maxScan)
	db.scans.keep(rec.found(true), &db.marks, 0) // as if the mark had risen at the last moment
	if isKept(t, db, r) || db.scans.held[s.collection%stripes].Load() != 0 {
		t.Error("kept or counted although the mark had risen")
	}
	keepScan(t, db, r, "a=newer")
}

func drain(t *testing.T, v kv.View, r kv.Range) {
	t.Helper()
	it, err := v.Scan(r)
	if err != nil {
		t.Fatal(err)
	}
	for it.Next() {
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestScansTooLarge scans more than is kept, and a pinned view.
func TestScansTooLarge(t *testing.T) {
	db := openMemory(t)
	r := collectionRange(1)
	put(t, db, member(1, "a"), strings.Repeat("x", maxScan))
	for range 3 {
		if _, err := walk(db, r); err != nil {
			t.Fatal(err)
		}
	}
	if isKept(t, db, r) {
		t.Error("kept what is too large")
	}
	for range 3 {
		v, err := db.View(t.Context(), kv.ViewOpts{Pinned: true})
		if err != nil {
			t.Fatal(err)
		}
		drain(t, v, collectionRange(2))
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if isKept(t, db, collectionRange(2)) {
		t.Error("kept what a pinned view found")
	}
}

var noMarks marks // of a store that nobody has written to

// keepFound keeps a found of size bytes for a collection and a range of it.
func keepFound(c *scans, collection, n uint64, size int) span {
	s := span{collection: hash(rowKey(nil, collection)), hash: collection<<32 + n}
	c.keep(&found{span: s, bytes: make([]byte, size), whole: true}, &noMarks, 0)
	return s
}

// checkScans checks that everything that scans count is so, and returns how much is kept.
func checkScans(t *testing.T, c *scans) (bytes, queued int) {
	t.Helper()
	held := map[uint64]int32{}
	for i := range c.shards {
		s := &c.shards[i]
		sum, chained := 0, 0
		for h, f := range s.kept {
			if h != f.hash {
				t.Errorf("%x is under %x", f.hash, h)
			}
			sum += f.size()
			held[f.collection%stripes]++
		}
		for h, f := range s.chains {
			for ; f != nil; f = f.after {
				chained++
				if f.collection != h || s.kept[f.hash] != f || f.after != nil && f.after.before != f {
					t.Errorf("%x is wrongly in the chain of %x", f.hash, h)
				}
			}
		}
		if sum != s.bytes || chained != len(s.kept) {
			t.Errorf("a shard counts %d bytes, holds %d; keeps %d, chains %d", s.bytes, sum, len(s.kept), chained)
		}
		bytes, queued = bytes+sum, queued+len(s.queue)
	}
	for i := range c.held {
		if got, want := c.held[i].Load(), held[uint64(i)]; got != want {
			t.Errorf("stripe %d counts %d kept, want %d", i, got, want)
		}
	}
	return bytes, queued
}

func TestScansAreBounded(t *testing.T) {
	const budget = 4 << 20
	c := newScans(budget)
	for i := range uint64(20_000) {
		s := keepFound(c, i%3000, i%7, 1000)
		if i%5 == 0 {
			c.drop(s.collection)
		}
	}
	total, queued := checkScans(t, c)
	if total > budget || total < budget/2 {
		t.Errorf("%d bytes are kept, want nearly %d", total, budget)
	}
	if queued > 3*budget/1000 {
		t.Errorf("%d are queued", queued)
	}
	c.clear()
	if total, queued := checkScans(t, c); total != 0 || queued != 0 {
		t.Errorf("%d bytes, %d queued after clear", total, queued)
	}

	c = newScans(scanShards << 10) // less than one needs
	keepFound(c, 1, 1, 2<<10)
	if total, _ := checkScans(t, c); total != 0 {
		t.Errorf("%d bytes are kept, over the budget", total)
	}
}

// TestScansOfOneCollection keeps many ranges of one item collection and drops them together.
func TestScansOfOneCollection(t *testing.T) {
	c := newScans(8 << 20)
	var s span
	for n := range uint64(100) {
		s = keepFound(c, 1, n, 100)
		keepFound(c, 2, n, 100)
		keepFound(c, 1, n/2, 100) // replaces one
	}
	c.drop(s.collection)
	if total, _ := checkScans(t, c); total != 100*(100+foundOverhead) {
		t.Errorf("%d bytes are kept, want those of the other item collection", total)
	}
}

// TestScansAreCurrent counts up under scans that also know what was acknowledged. The two rows of an item collection are written together.
func TestScansAreCurrent(t *testing.T) {
	db := openMemory(t)
	const collections, rounds = 4, 2000
	var acked [collections]atomic.Uint64
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for i := range uint64(collections) {
		writers.Go(func() {
			for n := uint64(1); n <= rounds; n++ {
				val := binary.BigEndian.AppendUint64(nil, n)
				err := db.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
					b.Put(member(i, "a"), val)
					b.Put(member(i, "b"), val)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				acked[i].Store(n)
			}
		})
	}
	var hits atomic.Int64
	for i := range uint64(2 * collections) {
		readers.Go(func() { hits.Add(scanUp(t, db, collectionRange(i%collections), &acked[i%collections], stop)) })
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	t.Logf("%d scans were answered from memory", hits.Load())
	checkScans(t, db.scans)
	for i := range uint64(collections) {
		val := string(binary.BigEndian.AppendUint64(nil, rounds))
		keepScan(t, db, collectionRange(i), "a="+val+" b="+val)
	}
}

// scanUp scans a range until it is told to stop, and returns how often it was answered from memory.
func scanUp(t *testing.T, db *DB, r kv.Range, acked *atomic.Uint64, stop chan struct{}) (hits int64) {
	var last uint64
	for {
		select {
		case <-stop:
			return hits
		default:
		}
		least := max(last, acked.Load())
		v, err := db.View(context.Background(), kv.ViewOpts{})
		if err != nil {
			t.Error(err)
			return hits
		}
		it, err := v.Scan(r)
		if err != nil {
			t.Error(err)
			return hits
		}
		if _, ok := it.(*replay); ok {
			hits++
		}
		var found []uint64
		for it.Next() {
			found = append(found, binary.BigEndian.Uint64(it.Value()))
		}
		if err := errors.Join(it.Close(), v.Close()); err != nil {
			t.Error(err)
			return hits
		}
		switch {
		case len(found) == 0 && least == 0:
		case len(found) != 2 || found[0] != found[1] || found[0] < least:
			t.Errorf("found %d after %d was found or acknowledged", found, least)
		default:
			last = found[0]
		}
	}
}
