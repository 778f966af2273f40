package lifecycle

import (
	"reflect"
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/db/table"
)

// A machine knows the steps between states. It is pure: what it decides follows from a definition and a moment.
type machine struct {
	delay time.Duration
	now   time.Time
}

func (m *Manager) machine() machine { return machine{delay: m.delay, now: m.now()} }

// create gives a new definition its first state.
func (m machine) create(d *table.Definition) {
	d.Created = m.now
	d.Status, d.ChangeAt = table.Creating, m.now.Add(m.delay)
	if d.Settings.OnDemandBilling {
		d.Settings.OnDemandSince = m.now
	}
	d.NextIndex = 1
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		ix.Number = d.TakeNumber()
		ix.Status = table.Creating // without ChangeAt: it becomes active with the table, which is empty till then
	}
	if len(d.Streams) > 0 {
		view := d.Streams[0].View
		d.Streams = nil
		d.EnableStream(view, m.now)
	}
}

// mayRemove reports whether a table, nil if there is none, can be deleted, and why not.
func (m machine) mayRemove(d *table.Definition) (why Reason, ok bool) {
	switch {
	case d == nil:
		return Missing, false
	case d.Status == table.Updating && streamChanging(d):
		return StreamChanging, false
	case d.Status == table.Updating && !throughputChanging(d) && indexesChanging(d):
		return IndexesChanging, false
	case d.Status != table.Active:
		return Busy(d).Reason, false
	case indexesChanging(d):
		return IndexesChanging, false
	case m.pending(d.TagsSettle):
		return TagsChanging, false
	case d.Settings.DeletionProtection:
		return Protected, false
	}
	return "", true
}

// throughputChanging reports whether other provisioned throughput of the table, or another billing mode, is pending.
func throughputChanging(d *table.Definition) bool {
	return d.Pending != nil &&
		(d.Pending.Settings.OnDemandBilling != d.Settings.OnDemandBilling || d.Pending.Settings.Throughput != d.Settings.Throughput)
}

// indexesChanging reports whether an index is on its way in or out or to other settings.
func indexesChanging(d *table.Definition) bool {
	return slices.ContainsFunc(d.Indexes, func(ix table.Index) bool { return ix.Status != table.Active || d.Changing(&ix) })
}

// remove begins the deletion of a table.
func (m machine) remove(d *table.Definition) {
	d.Status, d.ChangeAt = table.Deleting, m.now.Add(m.delay)
}

// update turns next, an edited copy of old, into the first state on the way to what the edit wants: settings wait in Pending,
// new indexes are CREATING, dropped ones DELETING. It reports whether there is anything to do.
func (m machine) update(old, next *table.Definition) (changed bool, err error) {
	if reflect.DeepEqual(old.Settings, next.Settings) && reflect.DeepEqual(old.Indexes, next.Indexes) && reflect.DeepEqual(old.Streams, next.Streams) {
		return false, nil
	}
	postpone(old, next)
	m.beginStream(old, next)
	next.Status, next.ChangeAt = table.Updating, m.now.Add(m.delay)
	begun := m.begin(old, next)
	if begun > 1 || begun == 1 && len(unfinished(old)) > 0 && !onlyDrops(old, next) {
		return false, &Error{old.Name, OneIndex}
	}
	return true, nil
}

// beginStream enables the stream that next has over old, or disables the one that it disables. Records are taken, or are no longer,
// from this step on.
func (m machine) beginStream(old, next *table.Definition) {
	n := len(old.Streams)
	switch {
	case len(next.Streams) > n:
		view := next.Streams[n].View
		next.Streams = old.Streams
		next.EnableStream(view, m.now)
	case next.Stream() != nil && next.Stream().Status == table.Disabling:
		next.DisableStream(m.now)
	}
}

// begin starts creating the indexes that next has over old, and deleting those that it deletes; it counts them. The table is
// ACTIVE again once a new index is being filled.
func (m machine) begin(old, next *table.Definition) int {
	n := 0
	for i := range next.Indexes {
		ix := &next.Indexes[i]
		was := old.IndexNumbered(ix.Number)
		switch {
		case was == nil:
			ix.Number = next.TakeNumber()
			ix.Status, ix.ChangeAt = table.Creating, m.now.Add(m.delay/2)
			next.ChangeAt = ix.ChangeAt
			n++
		case ix.Status == table.Deleting && was.Status != table.Deleting:
			ix.Backfilling, ix.ChangeAt = false, m.now.Add(m.delay)
			n++
		}
	}
	return n
}

// unfinished returns the names of indexes that are on their way in or out.
func unfinished(d *table.Definition) []string {
	var names []string
	for i := range d.Indexes {
		if d.Indexes[i].Status != table.Active {
			names = append(names, d.Indexes[i].Name)
		}
	}
	return names
}

// onlyDrops reports whether every index that was on its way in old is one that next deletes: an index may be dropped while
// it is being filled.
func onlyDrops(old, next *table.Definition) bool {
	return len(next.Indexes) == len(old.Indexes) && !slices.ContainsFunc(unfinished(old), func(name string) bool {
		return next.Index(name).Status != table.Deleting
	})
}

// postpone moves the settings of next into its Pending and leaves those of old in force.
func postpone(old, next *table.Definition) {
	p := &table.Pending{Settings: next.Settings}
	next.Settings = old.Settings
	for i := range next.Indexes {
		ix := &next.Indexes[i]
		if was := old.IndexNumbered(ix.Number); was != nil {
			p.Indexes = append(p.Indexes, ix.Settings())
			ix.Set(was.Settings())
		}
	}
	next.Pending = p
}

// settle puts what is pending in force. Deletion protection may have been changed meanwhile: it takes effect at once always.
func settle(d *table.Definition) {
	p := d.Pending
	if p == nil {
		return
	}
	protected, changed := d.Settings.DeletionProtection, d.Settings.ProtectionChanged
	d.Settings = p.Settings
	d.Settings.DeletionProtection, d.Settings.ProtectionChanged = protected, changed
	for _, s := range p.Indexes {
		if ix := d.IndexNumbered(s.Number); ix != nil {
			ix.Set(s)
		}
	}
	d.Pending = nil
}

// streamChanging reports whether a stream is being enabled or disabled.
func streamChanging(d *table.Definition) bool {
	return slices.ContainsFunc(d.Streams, func(s table.Stream) bool { return s.Status == table.Enabling || s.Status == table.Disabling })
}

// advance takes d through every step that is due, in place, and returns what is to be purged for it.
func (m machine) advance(d *table.Definition) (drop []purge) {
	if m.due(d.ChangeAt) {
		if d.Status == table.Deleting {
			d.Retire(m.now)
			return []purge{{Table: d.Number}}
		}
		if d.Status == table.Creating {
			for i := range d.Indexes {
				d.Indexes[i].Status = table.Active
			}
		}
		settle(d)
		d.SettleStreams()
		d.Status, d.ChangeAt = table.Active, time.Time{}
	}
	d.Indexes = slices.DeleteFunc(d.Indexes, func(ix table.Index) bool {
		gone := ix.Status == table.Deleting && m.due(ix.ChangeAt)
		if gone {
			drop = append(drop, purge{Table: d.Number, Index: ix.Number})
		}
		return gone
	})
	for i := range d.Indexes {
		if ix := &d.Indexes[i]; ix.Status == table.Creating && !ix.Backfilling && m.due(ix.ChangeAt) {
			ix.Backfilling, ix.ChangeAt = true, m.now.Add(m.delay/2)
		}
	}
	return append(drop, m.advanceTTL(d)...)
}

// slack is how far clocks may disagree without one of them having been set.
const slack = time.Second

// due reports whether the time for a step has come. One that is farther away than any change takes was fixed before the clock
// was set back, or by a process with a longer delay: nobody shall wait for it.
func (m machine) due(t time.Time) bool {
	return !t.IsZero() && (!t.After(m.now) || t.After(m.now.Add(m.delay+slack)))
}

// pending reports whether something waits for a time that has not come.
func (m machine) pending(t time.Time) bool { return !t.IsZero() && !m.due(t) }

// next returns when the next step of d is due that a clock alone brings about; zero if none is.
func next(d *table.Definition) time.Time {
	at := earlier(d.ChangeAt, nextTTL(&d.TTL))
	for i := range d.Indexes {
		if ix := &d.Indexes[i]; !ix.Backfilling {
			at = earlier(at, ix.ChangeAt)
		}
	}
	return at
}

// earlier returns the earlier of two times of which the zero one is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
