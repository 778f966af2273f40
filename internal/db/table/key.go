package table

import (
	"fmt"

	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// The longest key attributes, in bytes.
const (
	MaxPartition = 2048
	MaxSort      = 1024
)

// MaxKeyAttributes is how many attributes an index key may have: four partition and four sort attributes.
const MaxKeyAttributes = 8

// A Key is the primary key of an item.
type Key struct {
	Partition, Sort attr.Value // Sort is nil in a table without a sort key
}

// A Fault is what is wrong with a key.
type Fault int

// The faults.
const (
	FaultMissing Fault = iota // the item lacks a key attribute
	FaultType                 // a key attribute is of another type than the schema's
	FaultEmpty                // a string or binary key attribute is empty
	FaultLong                 // a key attribute is too long
	FaultSchema               // the names given are not those of the key
)

// A KeyError says that a key does not fit its table or, where Index is not empty, an index.
type KeyError struct {
	Fault     Fault
	Attribute string
	Index     string
	Sort      bool // it is a sort attribute
	Updated   bool // an update made the value, it does not stand in the request's item
	Want, Got attr.Type
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("table: key attribute %q of index %q: fault %d, want %v, got %v", e.Attribute, e.Index, e.Fault, e.Want, e.Got)
}

// KeyOf takes the primary key out of an item. Errors are *KeyError.
func (d *Definition) KeyOf(it attr.Item) (Key, error) {
	var k Key
	for _, a := range d.Schema.Partition {
		k.Partition = it.Get(a.Name)
		if err := a.check(k.Partition, false); err != nil {
			return Key{}, err
		}
	}
	for _, a := range d.Schema.Sort {
		k.Sort = it.Get(a.Name)
		if err := a.check(k.Sort, true); err != nil {
			return Key{}, err
		}
	}
	return k, nil
}

// ParseKey reads a key that must hold the key attributes and nothing else. Errors are *KeyError, FaultSchema where a
// name or a type is wrong.
func (d *Definition) ParseKey(it attr.Item) (Key, error) {
	if it.Len() != len(d.Schema.Partition)+len(d.Schema.Sort) {
		return Key{}, &KeyError{Fault: FaultSchema}
	}
	k, err := d.KeyOf(it)
	if err != nil && !d.Schema.types(it) { // which comes before sizes, also those of an earlier attribute
		err = &KeyError{Fault: FaultSchema}
	}
	return k, err
}

// types reports whether the item has all key attributes, in their types.
func (s *Schema) types(it attr.Item) bool {
	for _, a := range s.All() {
		if it.Get(a.Name).Type() != a.Type {
			return false
		}
	}
	return true
}

// CheckIndexKeys reports the first index key attribute of the item that is there but does not fit its index. A missing
// one is no fault: the item is then not in that index.
func (d *Definition) CheckIndexKeys(it attr.Item) error {
	return d.checkIndexes(func(a Attribute, sort bool) *KeyError { return a.checkPresent(it.Get(a.Name), sort) })
}

// CheckIndexUpdate is CheckIndexKeys for an item that an update has made. What the update left as it was is no fault of
// its: the item may be older than the index.
func (d *Definition) CheckIndexUpdate(old, updated attr.Item) error {
	return d.checkIndexes(func(a Attribute, sort bool) *KeyError {
		v := updated.Get(a.Name)
		err := a.checkPresent(v, sort)
		if err == nil || attr.Equal(v, old.Get(a.Name)) {
			return nil
		}
		err.Updated = true
		return err
	})
}

// CheckIndexTypes reports the first index key attribute that an update is known to give another type than its own. typeOf
// returns attr.Missing for what the update does not touch, or if it depends on the item.
func (d *Definition) CheckIndexTypes(typeOf func(name string) attr.Type) error {
	return d.checkIndexes(func(a Attribute, sort bool) *KeyError {
		if t := typeOf(a.Name); t != attr.Missing && t != a.Type {
			return &KeyError{Fault: FaultType, Attribute: a.Name, Sort: sort, Want: a.Type, Got: t}
		}
		return nil
	})
}

// checkIndexes checks the key attributes of the indexes that writes keep, up to the first fault.
func (d *Definition) checkIndexes(check func(a Attribute, sort bool) *KeyError) error {
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		if !ix.Kept() {
			continue
		}
		for pass, list := range [2][]Attribute{ix.Schema.Partition, ix.Schema.Sort} {
			for _, a := range list {
				if err := check(a, pass == 1); err != nil {
					err.Index = ix.Name
					return err
				}
			}
		}
	}
	return nil
}

// checkPresent is check for an attribute that may be missing.
func (a Attribute) checkPresent(v attr.Value, sort bool) *KeyError {
	if v == nil {
		return nil
	}
	return a.check(v, sort)
}

// check returns what is wrong with v as a value of the key attribute a.
func (a Attribute) check(v attr.Value, sort bool) *KeyError {
	fault, ok := a.fault(v, sort)
	if ok {
		return nil
	}
	return &KeyError{Fault: fault, Attribute: a.Name, Sort: sort, Want: a.Type, Got: v.Type()}
}

// fault is check without an error to allocate; ok means that v fits.
func (a Attribute) fault(v attr.Value, sort bool) (_ Fault, ok bool) {
	switch {
	case v == nil:
		return FaultMissing, false
	case v.Type() != a.Type:
		return FaultType, false
	case a.Type == attr.N:
		return 0, true
	}
	switch n := len(v.Bytes()); {
	case n == 0:
		return FaultEmpty, false
	case !sort && n > MaxPartition, sort && n > MaxSort:
		return FaultLong, false
	}
	return 0, true
}

// Fits reports whether v can be the value of the key attribute.
func (a Attribute) Fits(v attr.Value, sort bool) bool {
	_, ok := a.fault(v, sort)
	return ok
}

// AppendRowKey appends the key of the item's row.
func (d *Definition) AppendRowKey(dst []byte, k Key) []byte {
	dst = keys.AppendSpace(dst, d.Number, 0)
	dst = keys.AppendPartition(dst, k.Partition.Bytes())
	if k.Sort != nil {
		dst = append(dst, k.Sort.Bytes()...)
	}
	return dst
}

// KeyFields returns the key's attributes, in the schema's names.
func (d *Definition) KeyFields(k Key) []attr.Field {
	fields := []attr.Field{{Name: d.Schema.Partition[0].Name, Value: k.Partition}}
	if k.Sort != nil {
		fields = append(fields, attr.Field{Name: d.Schema.Sort[0].Name, Value: k.Sort})
	}
	return fields
}

// KeyItem returns the key as a map of attributes, in the schema's names.
func (d *Definition) KeyItem(k Key) attr.Item { return attr.Make(d.KeyFields(k)...) }
