package table

import (
	"time"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/decimal"
)

// TTL is the setting of time to live, and the state of the entries by which expired items are found.
type TTL struct {
	Enabled   bool
	Attribute string    `json:",omitempty"` // kept after disabling
	Changed   time.Time `json:",omitzero"`

	// Status is Enabling or Disabling while the setting is on its way to what Enabled says, else empty.
	Status Status `json:",omitempty"`
	// ChangeAt is when Status changes, or the earliest moment at which it does while the entries are made.
	ChangeAt time.Time `json:",omitzero"`

	// Entries is the number of the entries, one of those that indexes have; 0: there are none.
	Entries uint16 `json:",omitempty"`
	// Filling tells that items which were there when writes began to keep the entries may still lack theirs.
	Filling bool `json:",omitempty"`
}

// Kept reports whether writes keep the entries.
func (t *TTL) Kept() bool { return t.Enabled && t.Entries != 0 }

// Shown returns the status as clients see it.
func (t *TTL) Shown() Status {
	switch {
	case t.Status != "":
		return t.Status
	case t.Enabled:
		return Enabled
	}
	return Disabled
}

// lastExpiry is the last second of the year 9999: what lies beyond was not meant as seconds.
const lastExpiry = 253402300799

// Expiry returns the second since 1970 after which the item has expired; ok is false if it never does. A fraction of a second counts
// as a whole one.
func (t *TTL) Expiry(it attr.Item) (at int64, ok bool) {
	v := it.Get(t.Attribute)
	if v.Type() != attr.N {
		return 0, false
	}
	at, ok = decimal.Ceil(v.Bytes())
	return at, ok && at >= 0 && at <= lastExpiry
}

// longAgo is how many years a time may be past. Beyond that it is taken for a mistake, and the item stays.
const longAgo = 5

// Due returns the times from <= at < to that items have which are to be deleted now.
func Due(now time.Time) (from, to int64) {
	return max(0, now.AddDate(-longAgo, 0, 0).Unix()), max(0, now.Unix())
}
