package ttl

import (
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// A pass is the way through the entries of one table that are due. It is used by one sweep at a time; what is atomic is read
// by others.
type pass struct {
	table   *table.Definition
	entries uint16 // the number of those that cursor is among

	now         time.Time // of the sweep
	cursor, end []byte    // what is between is still to be looked at
	anew        bool      // the look that comes next is the first from the oldest entry on

	looked time.Time     // when that was done last, by the process's own clock; zero: it must be done
	cost   time.Duration // what it took

	batch   int          // how many items the next commit deletes
	deleted atomic.Int64 // items, by this process
	lag     atomic.Int64 // how long the next item has been expired, as a time.Duration
}

// begin turns to what is due now: all of it, or what lies behind the cursor.
func (p *pass) begin(now time.Time, anew bool) {
	from, to := table.Due(now)
	lo, hi := keys.Expiry(p.table.Number, p.table.TTL.Entries, from, to)
	if anew || p.entries != p.table.TTL.Entries || string(p.cursor) < string(lo) {
		p.cursor, p.entries, p.anew = lo, p.table.TTL.Entries, true
	}
	p.now, p.end = now, hi
	if string(p.end) < string(p.cursor) { // the clock was set back
		p.end = p.cursor
	}
}

// looks reports whether it is time to begin with the oldest entry again, which is not before the end has been reached. There is
// something before the cursor only if an item was written that had expired already, but that is common in tests. It costs a walk over
// all that was deleted there and not yet compacted: nothing as a rule, some 20 ms after 300,000 items.
func (p *pass) looks() bool {
	return string(p.cursor) >= string(p.end) && time.Since(p.looked) >= p.cost*lookShare
}

// missed notes that an item before the cursor is still to be deleted.
func (p *pass) missed() { p.looked = time.Time{} }

// found notes the first entry that a look has found, nil for none, and how long that took.
func (p *pass) found(entry []byte, took time.Duration) {
	if p.anew {
		p.anew, p.looked, p.cost = false, time.Now(), took
	}
	lag := time.Duration(0)
	if entry != nil {
		expired := time.Unix(keys.ExpiryTime(entry), 0)
		if since := p.table.TTL.Changed; since.After(expired) {
			expired = since
		}
		lag = max(0, p.now.Sub(expired))
	}
	p.lag.Store(int64(lag))
}

func (p *pass) count(deleted int) { p.deleted.Add(int64(deleted)) }

// adapt chooses the size of the next commit by that of the last, which had so many items and read so many bytes.
func (p *pass) adapt(items, read int) {
	fitting := mostBytes / max(1, read/items)
	p.batch = max(1, min(fitting, 2*p.batch, mostItems))
}

// A TableStats tells of a table that has time to live or had it while the process ran.
type TableStats struct {
	table.Name
	Deleted int64         // items, since the process began
	Lag     time.Duration // how long the item that is deleted next has been expired; 0: there is none
}

// Stats returns the stats of all tables, in no order.
func (s *Sweeper) Stats() (list []TableStats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.passes {
		list = append(list, TableStats{p.table.FullName(), p.deleted.Load(), time.Duration(p.lag.Load())})
	}
	return list
}
