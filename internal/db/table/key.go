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
	if e, ok := err.(*KeyError); ok && (e.Fault == FaultMissing || e.Fault == FaultType) {
		e.Fault = FaultSchema
	}
	return k, err
}

// CheckIndexKeys reports the first index key attribute of the item that is there but does not fit its index. A missing
// one is no fault: the item is then not in that index.
func (d *Definition) CheckIndexKeys(it attr.Item) error {
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		if !ix.Kept() {
			continue
		}
		if err := ix.check(it); err != nil {
			return err
		}
	}
	return nil
}

func (ix *Index) check(it attr.Item) error {
	for pass, list := range [2][]Attribute{ix.Schema.Partition, ix.Schema.Sort} {
		for _, a := range list {
			v := it.Get(a.Name)
			if v == nil {
				continue
			}
			if err := a.check(v, pass == 1); err != nil {
				err.Index = ix.Name
				return err
			}
		}
	}
	return nil
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
