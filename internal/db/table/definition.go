// Package table knows what a table is: its definition, the keys of its items, the catalog of all definitions, and the
// states that tables and indexes go through.
package table

import (
	"slices"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Definition describes one table. It is immutable: a change makes a new one with the next version, through the Catalog.
type Definition struct {
	Account, Region, Name string

	// Number is the table's place in the key space, never used again. ID is what clients see of it.
	Number  uint64
	ID      string
	Version uint64 `json:"-"` // kept in front of the stored form, see kv.Fence
	Created time.Time

	Status  Status
	Schema  Schema
	Indexes []Index // local ones first, each kind in the order in which it was made

	// NextIndex is the number of the next index; see TakeNumber. 0 is the table itself.
	NextIndex uint16

	Settings Settings
	Tags     map[string]string `json:",omitempty"`
	TTL      TTL

	// TagsSettle is until when a change of Tags is under way, in which no other one is taken.
	TagsSettle time.Time `json:",omitzero"`

	Log          Log        `json:",omitzero"`
	Streams      []Stream   `json:",omitempty"` // in the order in which they were made, those of the last day
	LatestStream string     `json:",omitempty"` // the label of the latest one there was
	Followers    []Follower `json:",omitempty"` // beside the streams

	Destinations []Destination `json:",omitempty"` // Kinesis data streams; at most one is not at its end

	// ChangeAt is when the next change of Status is due (see lifecycle); zero if none is. Pending is what is to be in force then,
	// nil if all stays as it is.
	ChangeAt time.Time `json:",omitzero"`
	Pending  *Pending  `json:",omitempty"`

	fence []byte // Key, made once by the catalog
}

// A Status is the state of a table or of an index, spelled as in the API.
type Status string

// The states.
const (
	Creating Status = "CREATING"
	Active   Status = "ACTIVE"
	Updating Status = "UPDATING"
	Deleting Status = "DELETING"
	Deleted  Status = "DELETED" // only its log is there, for those who follow it
)

// An Attribute is a key attribute: S, N or B.
type Attribute struct {
	Name string
	Type attr.Type
}

// A Schema is a key schema. Tables have one partition attribute and at most one sort attribute, global indexes up to four of each.
type Schema struct {
	Partition []Attribute
	Sort      []Attribute `json:",omitempty"`
}

// All returns the key attributes, partition attributes first.
func (s *Schema) All() []Attribute {
	all := make([]Attribute, 0, len(s.Partition)+len(s.Sort))
	return append(append(all, s.Partition...), s.Sort...)
}

// Find returns the key attribute of that name.
func (s *Schema) Find(name string) (Attribute, bool) {
	for _, list := range [2][]Attribute{s.Partition, s.Sort} {
		for _, a := range list {
			if a.Name == name {
				return a, true
			}
		}
	}
	return Attribute{}, false
}

// An Index is a secondary index.
type Index struct {
	Number uint16
	Name   string
	Local  bool
	Schema Schema

	// Status is Creating while the index is being filled: writes keep it, nobody reads it. Deleting: nothing touches it.
	Status Status
	// Backfilling tells, while Creating, that the index is being filled rather than waiting to be.
	Backfilling bool `json:",omitempty"`
	// ChangeAt is when the next change of Status or Backfilling is due; zero if none waits for a time.
	ChangeAt time.Time `json:",omitzero"`

	Projection Projection
	Throughput Throughput `json:",omitzero"` // of a global index
	OnDemand   OnDemand   `json:",omitzero"`
	Warm       Warm       `json:",omitzero"`
}

// Settings returns what can be set on the index.
func (ix *Index) Settings() IndexSettings {
	return IndexSettings{ix.Number, ix.Throughput, ix.OnDemand, ix.Warm}
}

// Set puts settings in force.
func (ix *Index) Set(s IndexSettings) {
	ix.Throughput, ix.OnDemand, ix.Warm = s.Throughput, s.OnDemand, s.Warm
}

// Kept reports whether writes maintain the index.
func (ix *Index) Kept() bool { return ix.Status != Deleting }

// A Projection says which attributes an index's entries hold: the keys and, for INCLUDE, those named.
type Projection struct {
	Type   string   // ALL, KEYS_ONLY, INCLUDE
	NonKey []string `json:",omitempty"`
}

// Settings are what can be set on a table and is shown, apart from its schema.
type Settings struct {
	OnDemandBilling    bool
	OnDemandSince      time.Time `json:",omitzero"` // LastUpdateToPayPerRequestDateTime; zero if it never was on demand
	Throughput         Throughput
	OnDemand           OnDemand    `json:",omitzero"`
	Warm               Warm        `json:",omitzero"`
	Class              string      `json:",omitempty"` // "" until one was set
	ClassChanges       []time.Time `json:",omitempty"` // of the last 30 days
	DeletionProtection bool
	ProtectionChanged  time.Time `json:",omitzero"`
}

// Pending are settings of a table and its global indexes that are not yet in force.
type Pending struct {
	Settings Settings
	Indexes  []IndexSettings `json:",omitempty"`
}

// IndexSettings are the settings of the index of that number.
type IndexSettings struct {
	Number     uint16
	Throughput Throughput
	OnDemand   OnDemand `json:",omitzero"`
	Warm       Warm     `json:",omitzero"`
}

// Throughput is provisioned capacity in units per second, zeros on demand, and the history of its changes.
type Throughput struct {
	Read, Write    int64
	LastIncrease   time.Time `json:",omitzero"`
	LastDecrease   time.Time `json:",omitzero"`
	DecreasesToday int64     `json:",omitempty"` // on the UTC day of LastDecrease
}

// OnDemand caps on-demand throughput in units per second; 0 is no cap.
type OnDemand struct{ MaxRead, MaxWrite int64 }

// Warm is warm throughput in units per second.
type Warm struct{ Read, Write int64 }

// Index returns the index of that name in any state, nil if there is none.
func (d *Definition) Index(name string) *Index {
	for i := range d.Indexes {
		if d.Indexes[i].Name == name {
			return &d.Indexes[i]
		}
	}
	return nil
}

// TakeNumber returns a number for a new index, or for entries of time to live. Those of dropped ones are not used again before all others
// have been: until then what they had is purged.
func (d *Definition) TakeNumber() uint16 {
	for {
		n := d.NextIndex
		d.NextIndex++
		if n != 0 && n != d.TTL.Entries && d.IndexNumbered(n) == nil {
			return n
		}
	}
}

// IndexNumbered returns the index of that number in any state, nil if there is none.
func (d *Definition) IndexNumbered(n uint16) *Index {
	for i := range d.Indexes {
		if d.Indexes[i].Number == n {
			return &d.Indexes[i]
		}
	}
	return nil
}

// Attributes returns the key attributes of the table and of its indexes, each once, in ascending order of their names.
func (d *Definition) Attributes() []Attribute {
	all := d.Schema.All()
	for i := range d.Indexes {
		all = append(all, d.Indexes[i].Schema.All()...)
	}
	slices.SortFunc(all, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	return slices.Compact(all)
}

// Provisioned returns the units provisioned for the table and its global indexes together, those that are pending in place of
// those in force. What is being deleted does not count.
func (d *Definition) Provisioned() (sum Throughput) {
	if d.Status == Deleting {
		return sum
	}
	_, t := d.Coming(nil)
	sum.Read, sum.Write = t.Read, t.Write
	for i := range d.Indexes {
		if ix := &d.Indexes[i]; ix.Status != Deleting {
			_, t := d.Coming(ix)
			sum.Read, sum.Write = sum.Read+t.Read, sum.Write+t.Write
		}
	}
	return sum
}

// pending returns the settings that an index is to have, those that it has if no others are pending.
func (d *Definition) pending(ix *Index) IndexSettings {
	if d.Pending != nil {
		for _, s := range d.Pending.Indexes {
			if s.Number == ix.Number {
				return s
			}
		}
	}
	return ix.Settings()
}

// Coming returns the billing mode and the throughput that the table is to have, or its global index ix if that is not nil: what is
// pending, or else what is in force.
func (d *Definition) Coming(ix *Index) (onDemand bool, t Throughput) {
	set := &d.Settings
	if d.Pending != nil {
		set = &d.Pending.Settings
	}
	if ix == nil {
		return set.OnDemandBilling, set.Throughput
	}
	return set.OnDemandBilling, d.pending(ix).Throughput
}

// Changing reports whether settings of the index are pending.
func (d *Definition) Changing(ix *Index) bool { return d.pending(ix) != ix.Settings() }

// HasLocal reports whether the table has local indexes, and so item collections of limited size.
func (d *Definition) HasLocal() bool { return len(d.Indexes) > 0 && d.Indexes[0].Local }

// Key returns the key of the definition's row.
func (d *Definition) Key() []byte { return keys.Definition(d.Account, d.Region, d.Name) }

// Fence returns the fence that a write planned with d stands behind.
func (d *Definition) Fence() kv.Fence {
	key := d.fence
	if key == nil {
		key = d.Key()
	}
	return kv.Fence{Key: key, Version: d.Version}
}

// FullName returns the name under which the catalog has the table.
func (d *Definition) FullName() Name { return Name{d.Account, d.Region, d.Name} }

// ARN returns the table's ARN.
func (d *Definition) ARN() string {
	return "arn:aws:dynamodb:" + d.Region + ":" + d.Account + ":table/" + d.Name
}

// Clone returns a copy to change. What the copy's fields point to is shared where nothing is ever changed in place.
func (d *Definition) Clone() *Definition {
	c := *d
	c.fence = nil
	c.Indexes = append([]Index(nil), d.Indexes...)
	return &c
}
