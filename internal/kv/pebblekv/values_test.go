package pebblekv

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

func openMemory(t *testing.T) *DB {
	t.Helper()
	db := testOpen(t, inMemory())
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func put(t *testing.T, db *DB, key []byte, val string) {
	t.Helper()
	err := db.Update(t.Context(), kv.Txn{Keys: [][]byte{key}}, func(_ [][]byte, b *kv.Batch) error {
		b.Put(key, []byte(val))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// look reads a key through a view and checks what it finds; "" is nothing.
func look(t *testing.T, db *DB, key []byte, want string) {
	t.Helper()
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Get(key)
	if err != nil || string(got) != want || (got == nil) != (want == "") {
		t.Errorf("Get: %q, %v; want %q", got, err, want)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
}

func kept(db *DB, key []byte) string {
	val, _ := db.values.get(hash(key), key)
	return string(val)
}

func TestValuesFollowWrites(t *testing.T) {
	db := openMemory(t)
	k := rowKey(nil, 1)
	look(t, db, k, "")
	put(t, db, k, "one")
	if got := kept(db, k); got != "" {
		t.Errorf("kept %q before anybody read it", got)
	}
	look(t, db, k, "one")
	if got := kept(db, k); got != "one" {
		t.Errorf("kept %q, want one", got)
	}
	look(t, db, k, "one")

	put(t, db, k, "two")
	if got := kept(db, k); got != "two" {
		t.Errorf("kept %q, want what replaced one", got)
	}
	look(t, db, k, "two")

	err := db.Update(t.Context(), kv.Txn{Keys: [][]byte{k}}, func(vals [][]byte, b *kv.Batch) error {
		if string(vals[0]) != "two" {
			t.Errorf("Update read %q, want two", vals[0])
		}
		b.Delete(k)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	look(t, db, k, "")

	put(t, db, k, "three")
	look(t, db, k, "three")
	if err := db.DeleteRange(t.Context(), k, append(bytes.Clone(k), 0)); err != nil {
		t.Fatal(err)
	}
	look(t, db, k, "")
}

// TestValuesOfCounters reads a counter between its changes, which are not declared.
func TestValuesOfCounters(t *testing.T) {
	db := openMemory(t)
	k := []byte("counter")
	for i := range int64(5) {
		if err := db.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error { b.Add(k, 1); return nil }); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			look(t, db, k, string(binary.BigEndian.AppendUint64(nil, uint64(i+1))))
		}
	}
}

// TestValuesWrittenTwice: an update that changes a key more than once leaves what the changes come to.
func TestValuesWrittenTwice(t *testing.T) {
	db := openMemory(t)
	k := []byte("k")
	put(t, db, k, "one")
	err := db.Update(t.Context(), kv.Txn{Keys: [][]byte{k}}, func(_ [][]byte, b *kv.Batch) error {
		b.Put(k, []byte("two"))
		b.Delete(k) // before all puts, whatever the order
		b.Put(k, []byte("three"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := kept(db, k); got != "three" {
		t.Errorf("kept %q, want three", got)
	}
	number := binary.BigEndian.AppendUint64(nil, 40)
	put(t, db, k, string(number))
	err = db.Update(t.Context(), kv.Txn{Keys: [][]byte{k}}, func(_ [][]byte, b *kv.Batch) error {
		b.Put(k, number)
		b.Add(k, 2)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	look(t, db, k, string(binary.BigEndian.AppendUint64(nil, 42)))
}

// TestValuesBesideAnEarlierCommit: an update keeps nothing while a commit with a lower number may still change the key after it, as adding to it and
// deleting a range do, which take no latch.
func TestValuesBesideAnEarlierCommit(t *testing.T) {
	db := openMemory(t)
	k := rowKey(nil, 1)
	put(t, db, k, "one")
	n := db.watermark.begin()
	db.change(k, n) // announced, not applied
	put(t, db, k, "two")
	if got := kept(db, k); got != "" {
		t.Errorf("kept %q although an earlier commit was on its way", got)
	}
	db.watermark.finish(n)
	put(t, db, k, "three")
	if got := kept(db, k); got != "three" {
		t.Errorf("kept %q, want three", got)
	}
}

// TestValuesNotKept reads what may not be kept.
func TestValuesNotKept(t *testing.T) {
	db := openMemory(t)
	k := rowKey(nil, 1)
	put(t, db, k, "old")

	n := db.watermark.begin() // a commit that has announced itself and is not done
	db.change(k, n)
	v, err := db.View(t.Context(), kv.ViewOpts{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Get(k); err != nil || string(got) != "old" {
		t.Errorf("Get: %q, %v; want the old value", got, err)
	}
	if got := kept(db, k); got != "" {
		t.Errorf("kept %q although a commit was on its way", got)
	}
	db.watermark.finish(n)
	if err := v.Close(); err != nil { // which waits for the commit
		t.Fatal(err)
	}
	look(t, db, k, "old")
	if got := kept(db, k); got != "old" {
		t.Errorf("kept %q, want old", got)
	}

	durable := db.watermark.durable.Load()
	db.change(k, db.watermark.begin()) // between the read and keep
	db.values.keep(hash(k), k, []byte("old"), &db.marks, durable)
	if got := kept(db, k); got != "" {
		t.Errorf("kept %q although its mark has risen", got)
	}
	db.watermark.finish(db.watermark.issued.Load())

	large := rowKey(nil, 2)
	put(t, db, large, string(make([]byte, maxKept)))
	look(t, db, large, string(make([]byte, maxKept)))
	if got := kept(db, large); got != "" {
		t.Error("kept a large value")
	}
}

// TestValuesShareAHash keeps two keys whose hashes are one.
func TestValuesShareAHash(t *testing.T) {
	c := newValues(1 << 20)
	var m marks
	c.keep(1, []byte("a"), []byte("of a"), &m, 0)
	c.keep(1, []byte("ab"), []byte("of ab"), &m, 0)
	if v, ok := c.get(1, []byte("a")); ok {
		t.Errorf("found %q", v)
	}
	if v, ok := c.get(1, []byte("ab")); !ok || string(v) != "of ab" {
		t.Errorf("found %q, %v", v, ok)
	}
}

func TestValuesAreBounded(t *testing.T) {
	const budget = 1 << 20
	c := newValues(budget)
	var m marks
	val := make([]byte, 400)
	for i := range uint64(20_000) {
		k := binary.BigEndian.AppendUint64(nil, i)
		c.keep(hash(k), k, val, &m, 0)
	}
	total, queued := 0, 0
	for i := range c.shards {
		s := &c.shards[i]
		sum := 0
		for _, e := range s.kept {
			sum += e.size()
		}
		if sum != s.bytes {
			t.Errorf("a shard counts %d bytes and holds %d", s.bytes, sum)
		}
		total, queued = total+sum, queued+len(s.queue)
	}
	if total > budget || total < budget/2 {
		t.Errorf("%d bytes are kept, want nearly %d", total, budget)
	}
	if queued > 2*20_000 {
		t.Errorf("%d are queued", queued)
	}
}

// TestValuesInUseStay reads some keys again and again while many others come and go.
func TestValuesInUseStay(t *testing.T) {
	c := newValues(1 << 20)
	var m marks
	val := make([]byte, 400)
	key := func(i uint64) (uint64, []byte) {
		k := binary.BigEndian.AppendUint64(nil, i)
		return hash(k), k
	}
	const popular = 100
	missed := 0
	for i := range uint64(20_000) {
		h, k := key(i)
		c.keep(h, k, val, &m, 0)
		h, k = key(i % popular)
		if _, ok := c.get(h, k); !ok {
			missed++
			c.keep(h, k, val, &m, 0)
		}
	}
	if missed > 2*popular {
		t.Errorf("%d reads of popular keys missed", missed)
	}
}

// TestValuesOfAChangingKey keeps and drops one key over and over: nothing may pile up.
func TestValuesOfAChangingKey(t *testing.T) {
	c := newValues(1 << 20)
	var m marks
	for range 10_000 {
		c.keep(1, []byte("k"), []byte("v"), &m, 0)
		c.drop(1)
	}
	if s := c.shard(1); len(s.kept) != 0 || s.bytes != 0 || len(s.queue) > 100 {
		t.Errorf("kept %d, %d bytes, %d queued; want nothing", len(s.kept), s.bytes, len(s.queue))
	}
}

// TestValuesAreCurrent counts up under readers that also know what was acknowledged.
func TestValuesAreCurrent(t *testing.T) {
	db := openMemory(t)
	const nKeys, rounds = 4, 3000
	var acked [nKeys]atomic.Uint64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i := range nKeys {
		key := rowKey(nil, uint64(i))
		wg.Go(func() { // one writer a key
			for n := uint64(1); n <= rounds; n++ {
				put(t, db, key, string(binary.BigEndian.AppendUint64(nil, n)))
				acked[i].Store(n)
			}
		})
	}
	var readers sync.WaitGroup
	for i := range 2 * nKeys {
		readers.Go(func() { readUp(t, db, rowKey(nil, uint64(i%nKeys)), &acked[i%nKeys], stop) })
	}
	wg.Wait()
	close(stop)
	readers.Wait()
}

func readUp(t *testing.T, db *DB, key []byte, acked *atomic.Uint64, stop chan struct{}) {
	var last uint64
	for {
		select {
		case <-stop:
			return
		default:
		}
		least := max(last, acked.Load())
		v, err := db.View(context.Background(), kv.ViewOpts{})
		if err != nil {
			t.Error(err)
			return
		}
		val, err := v.Get(key)
		if err != nil {
			t.Error(err)
		}
		if val != nil {
			last = binary.BigEndian.Uint64(val)
		}
		if last < least {
			t.Errorf("read %d after %d was read or acknowledged", last, least)
		}
		v.Close()
	}
}
