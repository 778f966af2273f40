// Package latch holds the doors that an update of an engine on one machine passes, always in this order, so that no two
// updates can wait for each other in a circle:
//
//  1. claims: a transaction (kv.Txn.Claim) enters its exact keys into a table, all of them or none, and leaves at once with a
//     *kv.ConflictError if one is there already. An update without Claim does so if one of its keys is there.
//  2. fences: the definitions in Txn.Fence are locked shared, those in Txn.Define exclusively, in stripe order.
//  3. stripes: the stripes of the keys are locked, in stripe order. An update without Claim now looks at the claims again. One that
//     finds none is ordered before every transaction that claims later, as that has to wait for the stripe; so between the
//     moment a transaction claims a key and the moment its batch is visible no later arrival changes that key.
package latch

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"github.com/grammedb/gramme/internal/kv"
)

// Hash is what stripes are made of.
func Hash(key []byte) uint64 { return xxhash.Sum64(key) }

// A Table holds the doors of one engine.
type Table struct {
	claims claims
	fences fences
	keys   keyLocks

	version func(key []byte) (uint64, error)
}

// NewTable returns a table without holds. Version reads a definition's version from the store.
func NewTable(version func(key []byte) (uint64, error)) *Table {
	t := &Table{version: version}
	t.claims.keys = map[string]struct{}{}
	t.fences.versions = map[string]uint64{}
	return t
}

// A Hold is what one update holds. It may be used again.
type Hold struct {
	// Hashes are those of the update's keys.
	Hashes []uint64

	table   *Table
	txn     *kv.Txn
	stripes []uint16 // of the keys
	fences  []fenceLock

	claimed, fenced, locked bool
}

// Acquire passes all doors for x, which must stay as it is until Release, or fails with a *kv.ConflictError, kv.ErrFenced or the error of
// reading a version. Release must follow in any case.
func (t *Table) Acquire(h *Hold, x *kv.Txn) error {
	h.table, h.txn = t, x
	if x.Claim {
		if err := t.claims.take(x.Keys); err != nil {
			return err
		}
		h.claimed = true
	} else if err := t.claims.meet(x.Keys); err != nil {
		return err
	}
	if err := h.fence(); err != nil {
		return err
	}
	for _, k := range x.Keys {
		h.Hashes = append(h.Hashes, Hash(k))
	}
	h.stripes = stripesOf(h.stripes, h.Hashes)
	t.keys.lock(h.stripes)
	h.locked = true
	if x.Claim {
		return nil
	}
	return t.claims.meet(x.Keys)
}

// fence locks the definitions and compares their versions.
func (h *Hold) fence() error {
	if len(h.txn.Fence)+len(h.txn.Define) == 0 {
		return nil
	}
	h.fences = fenceLocks(h.fences, h.txn)
	f := &h.table.fences
	f.lock(h.fences)
	h.fenced = true
	for _, want := range h.txn.Fence {
		v, err := f.version(want.Key, h.table.version)
		if err != nil {
			return err
		}
		if v != want.Version {
			return kv.ErrFenced
		}
	}
	return nil
}

// Redefine takes note of the definitions that b, which is visible now, has changed.
func (h *Hold) Redefine(b *kv.Batch) {
	for _, key := range h.txn.Define {
		for _, k := range b.Dels {
			if bytes.Equal(k, key) {
				h.table.fences.set(key, 0)
			}
		}
		for _, p := range b.Puts {
			if bytes.Equal(p.Key, key) {
				h.table.fences.set(key, kv.Version(p.Value))
			}
		}
	}
}

// Release lets go of all that is held. A second one does nothing.
func (h *Hold) Release() {
	if h.locked {
		h.table.keys.unlock(h.stripes)
	}
	if h.fenced {
		h.table.fences.unlock(h.fences)
	}
	if h.claimed {
		h.table.claims.release(h.txn.Keys)
	}
	*h = Hold{Hashes: h.Hashes[:0], stripes: h.stripes[:0], fences: h.fences[:0]}
}
