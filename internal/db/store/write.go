package store

import (
	"bytes"
	"errors"
	"slices"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/index"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// MaxItem is the size of the largest item, in bytes as DynamoDB counts them; also of an item and its entry in a local index
// together.
const MaxItem = 400 << 10

// A Kind is what a write does to its item.
type Kind int

// The kinds of writes.
const (
	Put    Kind = iota // replaces it by Write.Item
	Update             // changes it by Write.Update
	Delete             // removes it
	Check              // only checks Write.Condition
)

// A Write is one change of one item.
type Write struct {
	Kind      Kind
	Table     *table.Definition
	Key       table.Key
	Item      attr.Item       // of a Put, the key included
	Update    *expr.Update    // of an Update; nil changes nothing but creates a missing item
	Condition *expr.Condition // nil: none

	// UpdateCost is what an Update's actions count against MaxItem beside the attributes that are not the key's. With 0 only
	// the size of the item counts.
	UpdateCost int

	// User is who makes the change, if it is no client; the log tells it.
	User *change.User

	// WantOld asks for Effect.Old, WantOldOnFailure for ConditionError.Old.
	WantOld, WantOldOnFailure bool

	full bool // its item collection must not grow
}

// An Effect is what a write did.
type Effect struct {
	Old, New         attr.Item // nil: no item. Old only if asked for
	OldSize, NewSize int       // in bytes as DynamoDB counts them, 0 if there is none
	Indexes          []index.Change
}

// A ConditionError says that a write's condition was false.
type ConditionError struct {
	Old              attr.Item // if asked for; nil if there is none
	OldSize, NewSize int       // of the item there is, and of a Put's
}

func (*ConditionError) Error() string { return "store: the condition is false" }

// What a write can fail with, besides *ConditionError, *table.KeyError for an index key, and *expr.Error from its Update.
var (
	ErrItemTooLarge    = errors.New("store: item larger than 400 KB")
	ErrUpdateTooLarge  = errors.New("store: updated item larger than 400 KB")
	ErrCollectionFull  = errors.New("store: item collection larger than 10 GB")
	ErrTableGone       = errors.New("store: the table was deleted")
	ErrInTransaction   = errors.New("store: the item is in a running transaction")
	ErrTokenMismatch   = errors.New("store: token was used with another request")
	ErrTokenInProgress = errors.New("store: a request with this token is running")
)

// apply is the pure heart: the effect of w on the row that there is.
func (w *Write) apply(old row.Row) (Effect, error) {
	if w.Condition != nil && !w.Condition.Eval(old.Item) {
		return Effect{}, w.conditionError(old)
	}
	e := Effect{OldSize: old.Size, New: old.Item, NewSize: old.Size}
	if w.Kind == Check {
		return e, nil
	}
	var err error
	if e.New, err = w.change(old.Item); err != nil {
		return Effect{}, err
	}
	if e.NewSize, err = w.size(e.New); err != nil {
		return Effect{}, err
	}
	return e, w.checkIndexKeys(old.Item, e.New)
}

func (w *Write) checkIndexKeys(old, it attr.Item) error {
	switch {
	case it == nil:
		return nil
	case w.Kind == Update:
		return w.Table.CheckIndexUpdate(old, it)
	}
	return w.Table.CheckIndexKeys(it)
}

func (w *Write) conditionError(old row.Row) error {
	e := &ConditionError{OldSize: old.Size}
	if w.Kind == Put {
		e.NewSize = w.Item.Size()
	}
	if w.WantOldOnFailure {
		e.Old = slices.Clone(old.Item)
	}
	return e
}

// change returns the item as w leaves it, nil for none.
func (w *Write) change(old attr.Item) (attr.Item, error) {
	switch {
	case w.Kind == Put:
		return w.Item, nil
	case w.Kind == Delete:
		return nil, nil
	case old == nil:
		return w.create()
	case w.Update == nil:
		return old, nil
	}
	return w.Update.Apply(old)
}

// create returns the item that an update makes where there is none. The update sees no item, so it cannot read the key either.
func (w *Write) create() (attr.Item, error) {
	if w.Update == nil {
		return w.Table.KeyItem(w.Key), nil
	}
	if w.Update.OnlyRemoves() {
		return nil, nil
	}
	it, err := w.Update.Apply(nil)
	if err != nil {
		return nil, err
	}
	return it.Merge(w.Table.KeyFields(w.Key)), nil
}

func (w *Write) size(it attr.Item) (int, error) {
	if it == nil {
		return 0, nil
	}
	n := it.Size()
	if n > MaxItem || n+w.UpdateCost > MaxItem && n+w.UpdateCost-w.Table.KeyItem(w.Key).Size() > MaxItem {
		return 0, w.tooLarge()
	}
	return n, nil
}

func (w *Write) tooLarge() error {
	if w.Kind == Update {
		return ErrUpdateTooLarge
	}
	return ErrItemTooLarge
}

// stage fills the engine's batch with what turns old into e.New: the row, the index entries, the entry of its time to live, the
// counters, and the record in the table's log if it has one. A write that changes nothing stores nothing. It fails with
// ErrCollectionFull and, if a local index has no room for the item's entry, as for an item that is too large.
func (s *Store) stage(g *staging, w *Write, rowKey []byte, old row.Row, e *Effect) error {
	if w.Kind == Check || old.Item == nil && e.New == nil {
		return nil
	}
	if old.Item != nil && e.New != nil && bytes.Equal(old.Item, e.New) {
		e.Indexes = index.Diff(nil, w.Table, old.Item, e.New)
		return nil
	}
	if g.now.IsZero() {
		g.now = s.now()
	}
	stamp := s.clock.after(g.now, old.Stamp)
	if e.New == nil {
		g.Delete(rowKey)
	} else {
		g.putRow(rowKey, stamp, e.NewSize, e.New)
	}
	d := w.Table
	g.count(d.Number, 0, old.Item != nil, e.New != nil, e.OldSize, e.NewSize)
	if shard := d.Log.For(rowKey); shard != nil {
		w.stageRecord(g, shard, stamp, old.Item, e)
	}
	if d.TTL.Kept() {
		stageExpiry(g, d, rowKey, old.Item, e.New)
	}
	if len(d.Indexes) == 0 {
		return nil
	}
	e.Indexes = index.Diff(nil, d, old.Item, e.New)
	return w.stageIndexes(g, e, stamp)
}

// stageRecord appends the change to a shard of the table's log.
func (w *Write) stageRecord(g *staging, shard *table.Shard, stamp row.Stamp, old attr.Item, e *Effect) {
	r := change.Record{Stamp: stamp, User: w.User, Old: old, New: e.New, OldSize: e.OldSize, NewSize: e.NewSize}
	data := r.Append(g.room(r.MaxLen()))
	g.Append(shard.Number, data)
	g.Add(shard.SizeKey(), int64(len(data)))
}

// stageIndexes is the part of stage that is about the indexes and the item collection.
func (w *Write) stageIndexes(g *staging, e *Effect, stamp row.Stamp) error {
	d := w.Table
	grown := int64(e.NewSize - e.OldSize) // of the collection
	for i := range e.Indexes {
		c := &e.Indexes[i]
		if c.Index.Local {
			if c.NewKey != nil && e.NewSize+c.NewSize > MaxItem {
				return w.tooLarge()
			}
			grown += int64(c.NewSize - c.OldSize)
		}
		stageEntry(g, d, c, stamp)
	}
	if !d.HasLocal() || grown == 0 {
		return nil
	}
	if w.full && grown > 0 {
		return ErrCollectionFull
	}
	g.Add(keys.AppendCounter(g.room(keyRoom), d.Number, 0, keys.Collection, w.Key.Partition.Bytes()), grown)
	return nil
}

func stageEntry(g *staging, d *table.Definition, c *index.Change, stamp row.Stamp) {
	if c.Same {
		return
	}
	if c.OldKey != nil && string(c.OldKey) != string(c.NewKey) {
		g.Delete(c.OldKey)
	}
	if c.NewKey != nil {
		g.putRow(c.NewKey, stamp, c.NewSize, c.New)
	}
	g.count(d.Number, c.Index.Number, c.OldKey != nil, c.NewKey != nil, c.OldSize, c.NewSize)
}
