package table

import (
	"slices"
	"time"
)

// EnableFailed is the state that only destinations have, spelled as in the API.
const EnableFailed Status = "ENABLE_FAILED"

// A Destination is a Kinesis data stream to which the changes of a table are delivered, by the follower DestinationFollower. It is
// ENABLING, ACTIVE, UPDATING or DISABLING, and at its end DISABLED or ENABLE_FAILED.
type Destination struct {
	Stream    string // its ARN
	Status    Status
	Changed   time.Time // when Status became what it is
	Why       string    `json:",omitempty"` // it is ENABLE_FAILED
	Precision string    `json:",omitempty"` // of times in records: MICROSECOND or MILLISECOND, which is meant by "" too
	Coming    string    `json:",omitempty"` // the Precision that is to be, while UPDATING
}

// DestinationFollower is the name of the follower that delivers to a destination.
const DestinationFollower = "kinesis"

// Ended reports whether nothing is delivered to the destination any more.
func (x *Destination) Ended() bool { return x.Status == Disabled || x.Status == EnableFailed }

// Destination returns the destination that is not at its end, nil if there is none.
func (d *Definition) Destination() *Destination {
	for i := range d.Destinations {
		if x := &d.Destinations[i]; !x.Ended() {
			return x
		}
	}
	return nil
}

// AddDestination begins a destination, from now on. Those at their ends that only told of past ones of the same stream, and those that
// failed, are forgotten. REQUIRES: there is none that is not at its end.
func (d *Definition) AddDestination(x Destination, f Follower, now time.Time) {
	d.Destinations = slices.DeleteFunc(slices.Clone(d.Destinations), func(old Destination) bool {
		return old.Stream == x.Stream || old.Status == EnableFailed
	})
	x.Status, x.Changed = Enabling, now
	d.Destinations = append(d.Destinations, x)
	f.Name = DestinationFollower
	d.Follow(f, now)
}

// SetDestination puts the destination that is not at its end into a state. At its end nobody follows the table for it any more; the
// row of the follower's place is the caller's to remove.
func (d *Definition) SetDestination(to Status, now time.Time) *Destination {
	d.Destinations = slices.Clone(d.Destinations)
	x := d.Destination()
	x.Status, x.Changed = to, now
	if x.Ended() {
		d.Unfollow(DestinationFollower, now)
	}
	return x
}
