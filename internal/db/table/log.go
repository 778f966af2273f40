package table

import (
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/kv/keys"
)

// A Log is the shard map of a table's change log: to which sequence of records a write appends, and which there are to be read.
//
// Each open shard takes the changes of the items whose hashes lie in its range; the open ones cover all hashes, or there are none
// and nothing is logged. A shard that is closed takes no more. The records of an item are thus in a chain of shards, each
// the parent of the next, and who finishes a shard before he begins with its children reads them in their order.
//
// Being a part of the definition the map changes behind the fence: no write ever appends to a shard that is closed.
type Log struct {
	Open   []Shard `json:",omitempty"` // by Lo
	Closed []Shard `json:",omitempty"` // in the order in which they were closed

	// Ticked is the newest moment at which shards were opened or closed. The next is later even if the clock is set back.
	Ticked time.Time `json:",omitzero"`
}

// A Shard is one sequence of records.
type Shard struct {
	Number uint64 // its log in the engine, never used again; given by the catalog
	Lo, Hi uint16 // the least and the greatest of its hashes (keys.Hash)

	Opened time.Time
	Closed time.Time `json:",omitzero"`

	// Parent is the shard that took these hashes before, 0 if there was none. It may be in the map no more.
	Parent       uint64    `json:",omitempty"`
	ParentOpened time.Time `json:",omitzero"`

	size []byte // key of the counter of its bytes, made once by the catalog
}

// hashes is how many hashes there are.
const hashes = 1 << 16

// SizeKey returns the key of the counter of the shard's bytes.
func (s *Shard) SizeKey() []byte {
	if s.size == nil {
		return keys.LogSize(s.Number)
	}
	return s.size
}

// For returns the open shard that takes the changes of an item, nil if there is none.
func (l *Log) For(rowKey []byte) *Shard {
	if len(l.Open) == 0 {
		return nil
	}
	h := keys.Hash(rowKey)
	lo, hi := 0, len(l.Open)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; l.Open[mid].Lo <= h {
			lo = mid
		} else {
			hi = mid
		}
	}
	return &l.Open[lo]
}

// Shards returns all shards that there are, parents before their children.
func (l *Log) Shards() []Shard {
	all := append(slices.Clip(l.Closed), l.Open...)
	slices.SortFunc(all, func(a, b Shard) int { return int(int64(a.Number) - int64(b.Number)) })
	return all
}

// tick returns the moment of a change of the map, to the millisecond.
func (l *Log) tick(now time.Time) time.Time {
	now = now.UTC().Truncate(time.Millisecond)
	if !now.After(l.Ticked) {
		now = l.Ticked.Add(time.Millisecond)
	}
	l.Ticked = now
	return now
}

// Begin closes the open shards and opens a child of each or, where there was none, n shards. It returns the moment from which on there
// are records: those of the shards opened then or later.
func (l *Log) Begin(now time.Time, n int) time.Time {
	if len(l.Open) > 0 {
		return l.Rotate(now, func(*Shard) bool { return true })
	}
	at := l.tick(now)
	for i := range n {
		l.Open = append(l.Open, Shard{Lo: uint16(i * hashes / n), Hi: uint16((i+1)*hashes/n - 1), Opened: at})
	}
	return at
}

// Stop closes the open shards. It returns the moment from which on there are no records.
func (l *Log) Stop(now time.Time) time.Time {
	at := l.tick(now)
	for _, s := range l.Open {
		l.close(s, at)
	}
	l.Open = nil
	return at
}

// Rotate closes those of the open shards that due names and opens a child of each.
func (l *Log) Rotate(now time.Time, due func(*Shard) bool) time.Time {
	return l.replace(now, due, func(s Shard) []Shard { return []Shard{{Lo: s.Lo, Hi: s.Hi}} })
}

// Split closes those of the open shards that due names and opens two children of each, unless it has but one hash.
func (l *Log) Split(now time.Time, due func(*Shard) bool) time.Time {
	divisible := func(s *Shard) bool { return s.Lo < s.Hi && due(s) }
	return l.replace(now, divisible, func(s Shard) []Shard {
		mid := s.Lo + (s.Hi-s.Lo)/2
		return []Shard{{Lo: s.Lo, Hi: mid}, {Lo: mid + 1, Hi: s.Hi}}
	})
}

// replace puts children in the place of open shards.
func (l *Log) replace(now time.Time, due func(*Shard) bool, children func(Shard) []Shard) time.Time {
	at := l.tick(now)
	var open []Shard
	for i := range l.Open {
		s := l.Open[i]
		if !due(&s) {
			open = append(open, s)
			continue
		}
		l.close(s, at)
		for _, child := range children(s) {
			child.Opened, child.Parent, child.ParentOpened = at, s.Number, s.Opened
			if s.Number == 0 { // it was never there
				child.Parent, child.ParentOpened = s.Parent, s.ParentOpened
			}
			open = append(open, child)
		}
	}
	l.Open = open
	return at
}

// close moves a shard to those that are closed; one that was opened in the same change is forgotten, for nobody has written to it.
func (l *Log) close(s Shard, at time.Time) {
	if s.Number == 0 {
		return
	}
	s.Closed, s.size = at, nil
	l.Closed = append(slices.Clip(l.Closed), s)
}

// Drop forgets closed shards.
func (l *Log) Drop(gone func(*Shard) bool) {
	var kept []Shard
	for i := range l.Closed {
		if !gone(&l.Closed[i]) {
			kept = append(kept, l.Closed[i])
		}
	}
	l.Closed = kept
}

// number gives new shards their numbers, from a sequence whose last number was last, and returns the last one given.
func (l *Log) number(last uint64) uint64 {
	for i := range l.Open {
		if s := &l.Open[i]; s.Number == 0 {
			last++
			s.Number = last
		}
	}
	return last
}

// A Follower reads a table's log under a name of its own. What it has not read is kept for it, but not beyond its limits: one that
// stays behind for longer loses its place and must start over, or, if it can do without, only the records beyond them.
type Follower struct {
	Name     string
	Since    time.Time     // it follows the shards opened then or later
	MaxAge   time.Duration // 0: no limit
	MaxBytes int64         // of what is kept in the whole log; 0: no limit
	Skips    bool          `json:",omitempty"` // it goes on behind what is kept no more
}

// Covers reports whether the follower reads the shard.
func (f *Follower) Covers(s *Shard) bool { return !s.Opened.Before(f.Since) }

// BeginLog gives the table's log new shards, and returns the moment from which on they are open: see Log.Begin. A log that begins has as
// many shards as the service gives partitions to a new table: one for every 1,000 write and 3,000 read units, four on demand.
func (d *Definition) BeginLog(now time.Time) time.Time {
	n := 4
	if t := d.Settings.Throughput; !d.Settings.OnDemandBilling {
		n = max(1, int((t.Write*3+t.Read+2999)/3000))
	}
	return d.Log.Begin(now, n)
}

// Follow adds f, in the place of a follower of that name: it reads new shards that are opened for it, and f.Since is when that was.
func (d *Definition) Follow(f Follower, now time.Time) {
	d.Followers = without(d.Followers, f.Name)
	f.Since = d.BeginLog(now)
	d.Followers = append(d.Followers, f)
}

// Unfollow removes the follower of that name. The log ends too if nobody is left who needs it.
func (d *Definition) Unfollow(name string, now time.Time) {
	d.Followers = without(d.Followers, name)
	if len(d.Followers) == 0 && d.Stream() == nil {
		d.Log.Stop(now)
	}
}

func without(list []Follower, name string) []Follower {
	return slices.DeleteFunc(slices.Clone(list), func(f Follower) bool { return f.Name == name })
}

// Follower returns the follower of that name, nil if there is none.
func (d *Definition) Follower(name string) *Follower {
	for i := range d.Followers {
		if d.Followers[i].Name == name {
			return &d.Followers[i]
		}
	}
	return nil
}
