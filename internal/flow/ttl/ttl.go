// Package ttl deletes items whose time to live is over.
//
// In a table with time to live every item that will expire has an entry under the second at which it does (keys.Expiry), which
// writes keep as they keep the entries of an index. A sweep reads the entries that are due, in the order of their times, and deletes
// their items by the write path of all others, so that indexes, counters and streams follow. Whether an item has expired is decided
// there, by the item as it is and the setting as it is: an entry only tells where to look. What a crash cuts off the next sweep
// finds again.
//
// Until it is swept an expired item is an item like any other.
package ttl

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A Config names what a Sweeper works with.
type Config struct {
	Engine  kv.Engine
	Catalog *table.Catalog
	Store   *store.Store
	Now     func() time.Time // nil: time.Now
}

// A Sweeper deletes the expired items of all tables. Its methods may be called concurrently.
type Sweeper struct {
	engine  kv.Engine
	catalog *table.Catalog
	store   *store.Store
	now     func() time.Time

	sweeping sync.Mutex // held by a sweep
	pace     pacer      // guarded by sweeping

	mu     sync.Mutex
	passes map[uint64]*pass // guarded by mu; by table number
}

// New returns a Sweeper. Somebody must call Tick from time to time.
func New(c Config) *Sweeper {
	s := &Sweeper{engine: c.Engine, catalog: c.Catalog, store: c.Store, now: c.Now, pace: newPacer(), passes: map[uint64]*pass{}}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Sweep deletes all items that have expired now.
func (s *Sweeper) Sweep(ctx context.Context) error {
	return s.sweep(ctx, func(*pass) bool { return true }, func() bool { return true })
}

// Tick is Sweep for every Interval: if there is much to delete it stops when the next one is due, which goes on from there, and it
// does not always look at what it has looked at before, see pass.looks.
func (s *Sweeper) Tick(ctx context.Context) error {
	begin := time.Now()
	return s.sweep(ctx, (*pass).looks, func() bool { return time.Since(begin) < Interval })
}

// sweep goes through all tables in turns, one commit each, so that one with much to delete does not hold up the others. A
// table that fails ends its turn alone.
func (s *Sweeper) sweep(ctx context.Context, anew func(*pass) bool, goOn func() bool) error {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	var errs []error
	for turn := s.begin(anew); len(turn) > 0 && goOn(); {
		var next []*pass
		for _, p := range turn {
			begin := time.Now()
			more, err := s.step(ctx, p)
			if err != nil && !errors.Is(err, kv.ErrNoSpace) { // which is told elsewhere, and passes
				errs = append(errs, err)
			}
			if more && err == nil {
				next = append(next, p)
			}
			if err := s.pace.rest(ctx, time.Since(begin)); err != nil {
				return err
			}
		}
		turn = next
	}
	return errors.Join(errs...)
}

// begin returns the passes of this sweep: one for each table that has time to live.
func (s *Sweeper) begin(anew func(*pass) bool) (turn []*pass) {
	tables := s.catalog.All(func(table.Name) bool { return true })
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.passes
	s.passes = map[uint64]*pass{}
	for _, d := range tables {
		p := known[d.Number]
		if p == nil && !swept(d) {
			continue
		}
		if p == nil {
			p = &pass{batch: firstItems}
		}
		s.passes[d.Number] = p
		p.table = d
		if swept(d) {
			p.begin(s.now(), anew(p))
			turn = append(turn, p)
		}
	}
	slices.SortFunc(turn, func(a, b *pass) int { return cmp.Compare(a.table.Number, b.table.Number) })
	return turn
}

// swept reports whether expired items of the table are to be deleted.
func swept(d *table.Definition) bool {
	return d.TTL.Kept() && d.TTL.Status == "" && (d.Status == table.Active || d.Status == table.Updating)
}

// step deletes some of the items that are due. It reports whether there are more.
func (s *Sweeper) step(ctx context.Context, p *pass) (more bool, err error) {
	found, err := s.look(ctx, p)
	if err != nil {
		return false, err
	}
	if len(found.rows) > 0 {
		done, err := s.delete(ctx, p, found.rows)
		p.count(done.Items)
		if err != nil {
			return false, err
		}
		p.adapt(len(found.rows), done.Bytes)
	}
	p.cursor = found.next
	return found.more, nil
}

// delete deletes those of the items that have expired. Where a transaction holds one of them the others are deleted in smaller
// commits; that one is left to another sweep.
func (s *Sweeper) delete(ctx context.Context, p *pass, rows [][]byte) (done store.Expired, err error) {
	done, err = s.store.Expire(ctx, p.table, rows, p.now)
	switch {
	case !errors.Is(err, store.ErrInTransaction):
		return done, err
	case len(rows) == 1:
		p.missed()
		return store.Expired{}, nil
	}
	half := len(rows) / 2
	first, err := s.delete(ctx, p, rows[:half])
	if err != nil {
		return first, err
	}
	second, err := s.delete(ctx, p, rows[half:])
	return store.Expired{Items: first.Items + second.Items, Bytes: first.Bytes + second.Bytes}, err
}

// A finding is some of the items that are due.
type finding struct {
	rows   [][]byte // their rows' keys
	memory []byte   // of rows
	next   []byte   // where to look for more
	more   bool     // there may be
}

// look finds the next items of a pass.
func (s *Sweeper) look(ctx context.Context, p *pass) (f finding, err error) {
	begin := time.Now()
	view, err := s.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return f, err
	}
	defer closing(view, &err)
	it, err := view.Scan(kv.Range{Lo: p.cursor, Hi: p.end})
	if err != nil {
		return f, err
	}
	defer closing(it, &err)
	for it.Next() {
		if len(f.rows) == 0 {
			p.found(it.Key(), time.Since(begin))
		}
		f.add(it.Key())
		if f.more = len(f.rows) == p.batch; f.more {
			return f, nil
		}
	}
	if len(f.rows) == 0 {
		p.found(nil, time.Since(begin))
	}
	f.next = bytes.Clone(p.end)
	return f, nil
}

// closing closes c, as deferred, and keeps the first error.
func closing(c interface{ Close() error }, err *error) {
	if cerr := c.Close(); *err == nil {
		*err = cerr
	}
}

// add adds the item of an entry.
func (f *finding) add(entry []byte) {
	n := len(f.memory)
	f.memory = keys.AppendExpiryRow(f.memory, entry) // when it grows the rows before stay where they are
	f.rows = append(f.rows, f.memory[n:len(f.memory):len(f.memory)])
	f.next = append(append(f.next[:0], entry...), 0) // the first key after it
}
