package kinesis

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

// Why a destination is not changed.
var (
	ErrNoEndpoint    = errors.New("kinesis: no endpoint is configured")
	ErrEnabled       = errors.New("kinesis: the table has a destination already")
	ErrNotActive     = errors.New("kinesis: the destination is not active")
	ErrNoDestination = errors.New("kinesis: the table does not have the destination")
	ErrSamePrecision = errors.New("kinesis: the precision is what it is already")
)

// The precisions of times in records.
const (
	Millisecond = "MILLISECOND"
	Microsecond = "MICROSECOND"
)

// disabledFor is how long a destination is shown after it was disabled.
const disabledFor = 10 * time.Minute

// Destinations returns those of a table that are shown: the one there is and those that were until recently.
func (m *Manager) Destinations(d *table.Definition) (list []table.Destination) {
	for _, x := range d.Destinations {
		if x.Status != table.Disabled || m.Now().Sub(x.Changed) < disabledFor {
			list = append(list, x)
		}
	}
	return list
}

// Enable begins to deliver the changes of a table to the stream of that ARN: those that are committed from now on. It returns the
// definition as it is to be answered: ENABLING, though the destination may be ACTIVE by then. That the stream is there is looked for
// afterwards. Refusals are ErrNoEndpoint, ErrEnabled and *lifecycle.Error.
func (m *Manager) Enable(ctx context.Context, n table.Name, stream, precision string) (*table.Definition, error) {
	limits := m.Log.Limits()
	f := table.Follower{MaxAge: limits.Retention, MaxBytes: limits.Bytes, Skips: true}
	d, err := m.change(ctx, n, func(next *table.Definition) error {
		switch {
		case m.client == nil:
			return ErrNoEndpoint
		case next.Destination() != nil:
			return ErrEnabled
		}
		next.Destinations = m.Destinations(next) // what is shown no more need not be kept
		next.AddDestination(table.Destination{Stream: stream, Precision: precision}, f, m.Now())
		return nil
	})
	if err == nil {
		await(ctx, m.follow(d).settled)
	}
	return d, err
}

// Disable ends the delivery to the stream. What was committed before is delivered if the stream takes it. It returns the definition as
// it is to be answered: DISABLING, though the destination may be DISABLED by then. Refusals are ErrNotActive and *lifecycle.Error.
func (m *Manager) Disable(ctx context.Context, n table.Name, stream string) (*table.Definition, error) {
	d, err := m.change(ctx, n, func(next *table.Definition) error {
		if x := next.Destination(); x == nil || x.Stream != stream || x.Status != table.Active {
			return ErrNotActive
		}
		next.SetDestination(table.Disabling, m.Now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	if r := m.delivery(d.Number); r != nil {
		r.wake()
		await(ctx, r.ended)
	}
	return d, nil
}

// Update gives the times in records another precision. It returns the definition as it is to be answered: UPDATING, though the
// precision may be in force by then. Refusals are ErrNoDestination, ErrNotActive, ErrSamePrecision and *lifecycle.Error.
func (m *Manager) Update(ctx context.Context, n table.Name, stream, precision string) (shown *table.Definition, err error) {
	_, err = m.change(ctx, n, func(next *table.Definition) error {
		x := next.Destination()
		switch {
		case x == nil || x.Stream != stream:
			return ErrNoDestination
		case x.Status != table.Active:
			return ErrNotActive
		case precision == orMillisecond(x.Precision):
			return ErrSamePrecision
		}
		next.SetDestination(table.Updating, m.Now()).Coming = precision
		shown = next.Clone()
		if m.Delay == 0 {
			m.settle(next)
		}
		return nil
	})
	return shown, err
}

func orMillisecond(precision string) string {
	if precision == "" {
		return Millisecond
	}
	return precision
}

// settle makes the destination ACTIVE, with what was to come.
func (m *Manager) settle(d *table.Definition) {
	x := d.SetDestination(table.Active, m.Now())
	if x.Coming != "" {
		x.Precision, x.Coming = x.Coming, ""
	}
}

// due reports whether a state has been shown for as long as it is to be. One that began later than now began before the clock was set
// back: nobody shall wait for it.
func (m *Manager) due(x *table.Destination) bool {
	passed := m.Now().Sub(x.Changed)
	return passed >= m.Delay || passed < 0
}

// change changes the definition of a table that is there and not about to go or come, as edit changes a copy of it.
func (m *Manager) change(ctx context.Context, n table.Name, edit func(next *table.Definition) error) (*table.Definition, error) {
	return m.Catalog.Change(ctx, n, func(old *table.Definition, b *kv.Batch) (*table.Definition, error) {
		switch {
		case old == nil:
			return nil, &lifecycle.Error{Table: n.Table, Reason: lifecycle.Missing}
		case old.Status != table.Active && old.Status != table.Updating:
			return nil, lifecycle.Busy(old)
		}
		next := old.Clone()
		return next, edit(next)
	})
}

// move takes the delivery's destination into another state, if it still has one. At its end the follower's place is removed.
func (r *delivery) move(ctx context.Context, edit func(next *table.Definition)) error {
	_, err := r.Catalog.Change(ctx, r.name, func(old *table.Definition, b *kv.Batch) (*table.Definition, error) {
		if !r.owns(old) || old.Destination() == nil {
			return old, nil
		}
		next := old.Clone()
		edit(next)
		if next.Follower(table.DestinationFollower) == nil {
			b.Delete(keys.Hold(r.number, table.DestinationFollower))
		}
		return next, nil
	})
	return err
}

// release lets go of the log of a table that was deleted.
func (r *delivery) release(ctx context.Context) error {
	_, err := r.Catalog.ChangeRetired(ctx, r.number, func(old *table.Definition, b *kv.Batch) *table.Definition {
		next := old.Clone()
		next.Unfollow(table.DestinationFollower, r.Now())
		b.Delete(keys.Hold(r.number, table.DestinationFollower))
		return next
	})
	return err
}

// regionOf returns the region and the name in a stream's ARN: arn:aws:kinesis:us-east-1:000000000000:stream/name.
func regionOf(arn string) (region, name string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "kinesis" || !isRegion(parts[3]) {
		return "", "", false
	}
	name, ok = strings.CutPrefix(parts[5], "stream/")
	return parts[3], name, ok && name != ""
}

// isRegion reports whether s can be the name of a region. It may become a part of the endpoint's host.
func isRegion(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
