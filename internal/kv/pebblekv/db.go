package pebblekv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/latch"
)

// DB is an open store.
type DB struct {
	config Config
	pebble *pebble.DB
	lock   *pebble.Lock
	gate   *latch.Gate

	latches *latch.Table
	logs    logs

	marks     marks
	crowds    crowds
	courtesy  courtesy
	recent    *recent
	watermark *watermark
	values    *values
	scans     *scans
	space     *spaceWatch

	settling sync.WaitGroup // commits that nobody waits for
	opened   atomic.Bool
	closing  atomic.Bool
	failure  sync.Once
	updates  sync.Pool // of *update
	views    sync.Pool // of *view
}

var _ kv.Engine = (*DB)(nil)

// Open opens the store in c.Dir, which it makes if there is none. It fails with a *DirError if the directory is in use or not
// one of ours.
func Open(c Config) (*DB, error) {
	c = c.withDefaults()
	db := &DB{
		config:    c,
		courtesy:  courtesy{way: c.Way},
		gate:      latch.NewGate(),
		recent:    newRecent(c.MemtableBytes),
		watermark: newWatermark(),
		values:    newValues(c.CacheBytes / 2),
		scans:     newScans(c.CacheBytes / 2),
		space:     newSpaceWatch(c),
	}
	db.latches = latch.NewTable(db.loadVersion)
	db.logs.heads = map[uint64]kv.Pos{}
	db.updates.New = func() any { return &update{db: db} }
	db.views.New = func() any { return &view{db: db} }
	lock, err := dir{c.FS, c.Dir}.claim()
	if err != nil {
		return nil, err
	}
	db.lock = lock
	if err := db.openPebble(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	db.opened.Store(true)
	return db, nil
}

func (db *DB) openPebble() (err error) {
	defer func() {
		if r := recover(); r != nil { // eventLog.Fatalf
			err = db.openError(fmt.Errorf("%v", r))
		}
	}()
	if db.pebble, err = pebble.Open(db.config.Dir, db.options()); err != nil {
		return db.openError(err)
	}
	found := db.pebble.Metrics()
	db.courtesy.l0.Store(found.Levels[0].TablesCount)
	if found.MemTable.Count > 1 { // what the log held should be in tables by now; Pebble does not promise it
		db.recent.all()
	}
	return nil
}

// options returns Pebble's options, with the lock that is held and a file system that watches for failures.
func (db *DB) options() *pebble.Options {
	o := pebbleOptions(db.config, &db.courtesy, &eventLog{db.config.Logger, db.fail})
	o.EventListener.FlushEnd = db.flushed
	o.EventListener.CompactionEnd = db.courtesy.compacted
	o.Lock = db.lock
	o.FS = givingFS{storeFS{db.config.FS, db.fail}, &db.courtesy}
	if db.config.FS == vfs.Default {
		o.WithFSDefaults() // reports slow disks
	}
	o.CompactionConcurrencyRange = db.compactions
	return o
}

// flushed is told that a flush has ended, or failed.
func (db *DB) flushed(i pebble.FlushInfo) {
	db.crowds.clear()
	if i.Err == nil {
		db.courtesy.flushed(i)
		db.recent.flushed(greatest(i.Output), db.watermark.issued.Load)
	}
}

// compactions returns how many compactions may run at once. While the store is opened or closed it need be none: Pebble would wait for the end of
// one that begins when the log has been written to tables, which takes seconds in a large store. The next flush brings it.
func (db *DB) compactions() (least, most int) {
	if db.opened.Load() && !db.closing.Load() {
		least = 1
	}
	return least, max(1, runtime.GOMAXPROCS(0)/2)
}

func (db *DB) openError(err error) error {
	if pebble.IsCorruptionError(err) {
		return &DirError{Dir: db.config.Dir, Reason: ErrDamaged, Detail: fmt.Sprintf("is damaged: restore it from a backup (%v)", err)}
	}
	return fmt.Errorf("open store in %s: %w", db.config.Dir, err)
}

// Close waits for running calls and open views, then closes the store.
func (db *DB) Close() error {
	if err := db.gate.Close(); err != nil {
		return err
	}
	db.settling.Wait()
	db.closing.Store(true)
	db.flush()
	return errors.Join(db.pebble.Close(), db.lock.Close())
}

const (
	// flushFrom is the size of the log from which a flush at the end is worth it: less is replayed in a few milliseconds, and each flush leaves
	// a sublevel of L0 that reads look into.
	flushFrom = 1 << 20
	// flushPatience is how long Close waits for it. All that counts is in the log, so nothing is lost if the disk is stuck.
	flushPatience = 5 * time.Second
)

// flush writes the memtables to tables, so that the next Open need not replay the log. Not on a full disk: Pebble panics when it cannot
// begin another log.
func (db *DB) flush() {
	if size := db.pebble.Metrics().WAL.Size; size < flushFrom || !db.space.room(int(size)) {
		return
	}
	flushed, err := db.pebble.AsyncFlush()
	if err != nil {
		return // Close finds out why
	}
	select {
	case <-flushed:
	case <-db.watermark.failed:
	case <-time.After(flushPatience):
	}
}

// fail ends the process: nothing that was not durable by now may be reported so. While the store is being opened it does
// nothing, since Open returns the error.
func (db *DB) fail(err error) {
	if !db.opened.Load() {
		return
	}
	db.failure.Do(func() {
		close(db.watermark.failed)
		db.config.Fatal(err)
	})
}

// Metrics returns what Pebble counts.
func (db *DB) Metrics() *pebble.Metrics { return db.pebble.Metrics() }

// Commits returns how many commits have begun since the store was opened, and how many of them while another was on its way to the disk.
func (db *DB) Commits() (all, overlaps uint64) {
	return db.watermark.issued.Load(), db.watermark.overlap.Load()
}

// Limits implements kv.Engine. Pebble's own limit is 4 GiB; the batch is held in memory three times.
func (db *DB) Limits() kv.Limits { return kv.Limits{TxnBytes: 512 << 20} }

// PreSplit implements kv.Engine: one machine has nothing to split.
func (db *DB) PreSplit(context.Context, [][]byte) error {
	if err := db.gate.Enter(); err != nil {
		return err
	}
	defer db.gate.Leave()
	return nil
}

// DeleteRange implements kv.Engine.
func (db *DB) DeleteRange(ctx context.Context, lo, hi []byte) error {
	if err := db.gate.Enter(); err != nil {
		return err
	}
	defer db.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	if bytes.Compare(lo, hi) >= 0 {
		return nil
	}
	b := db.pebble.NewBatch()
	if err := b.DeleteRange(lo, hi, nil); err != nil {
		return err
	}
	n := db.watermark.begin()
	raise(&db.marks.ranges, n)
	db.recent.all()
	db.values.clear()
	db.scans.clear()
	if err := db.apply(b); err != nil {
		return err
	}
	return db.settle(b, n)
}

// readError translates an error of Pebble's reads.
func readError(err error) error {
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w: %w", kv.ErrCorrupt, err)
	}
	return err
}
