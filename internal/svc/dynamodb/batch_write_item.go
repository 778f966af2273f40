package dynamodb

import (
	"context"
	"errors"
	"sync"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
)

const maxBatchWrite = 25

func (s *Service) batchWriteItem(ctx context.Context, c *api.Call, in *ddb.BatchWriteItemInput) (*ddb.BatchWriteItemOutput, error) {
	b := newBatchWrite(in.RequestItems)
	defer b.release()
	if err := b.check(); err != nil {
		return nil, err
	}
	if err := s.planBatch(c, b); err != nil {
		return nil, err
	}
	if err := s.write(ctx, b); err != nil {
		return nil, err
	}
	return s.shapeWrites(ctx, in, b)
}

// A batchWrite is the requests of a batch, table by table, and what becomes of each of them.
type batchWrite struct {
	names   []string // of the tables, as the request has them
	members []batchedWrite
	writes  []store.Write  // of the members
	effects []store.Effect // of the writes
	rows    rowKeys
}

// A batchedWrite is one request of a batch.
type batchedWrite struct {
	ddb.WriteRequest
	owner  int  // which of the batch's names
	failed bool // to be answered as unprocessed
}

// batchWrites are those of answered requests. A full batch takes more memory than anything else on the way of a request.
var batchWrites = sync.Pool{New: func() any {
	return &batchWrite{
		members: make([]batchedWrite, 0, maxBatchWrite),
		writes:  make([]store.Write, 0, maxBatchWrite),
		effects: make([]store.Effect, 0, maxBatchWrite),
		rows:    newRowKeys(maxBatchWrite),
	}
}}

func newBatchWrite(items map[string][]ddb.WriteRequest) *batchWrite {
	b := batchWrites.Get().(*batchWrite)
	b.names = sortedKeys(items)
	for i, name := range b.names {
		for _, r := range items[name] {
			b.members = append(b.members, batchedWrite{WriteRequest: r, owner: i})
		}
	}
	return b
}

// release gives b back.
func (b *batchWrite) release() {
	if len(b.members) > maxBatchWrite { // a request that was refused
		return
	}
	clear(b.members)
	clear(b.writes)
	clear(b.effects)
	b.rows.reset()
	*b = batchWrite{members: b.members[:0], writes: b.writes[:0], effects: b.effects[:0], rows: b.rows}
	batchWrites.Put(b)
}

// check checks what needs no table: of all requests their number, then their form, then their values, then their sizes.
func (b *batchWrite) check() error {
	if len(b.members) > maxBatchWrite {
		return api.Invalid("Too many items requested for the BatchWriteItem call")
	}
	for i := range b.members {
		r := &b.members[i]
		if (r.PutRequest == nil) == (r.DeleteRequest == nil) {
			return api.Invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
	}
	for i := range b.members {
		if err := b.members[i].sent().Check(); err != nil {
			return err
		}
	}
	for i := range b.members {
		if put := b.members[i].PutRequest; put != nil {
			if err := checkItemSize(put.Item.Item); err != nil {
				return err
			}
		}
	}
	return nil
}

// planBatch finds the tables and the keys.
func (s *Service) planBatch(c *api.Call, b *batchWrite) error {
	tables, err := s.openAll(c, b.names)
	if err != nil {
		return err
	}
	for i := range b.members {
		m := &b.members[i]
		w, err := m.plan(tables[m.owner])
		if err != nil {
			return err
		}
		b.writes = append(b.writes, w)
	}
	return b.checkDistinct()
}

// checkDistinct refuses two requests about one item.
func (b *batchWrite) checkDistinct() error {
	for i := range b.writes {
		b.rows.add(b.writes[i].Table, b.writes[i].Key)
	}
	if b.rows.repeat() {
		return errDuplicateKeys
	}
	return nil
}

// plan makes the write of one request.
func (m *batchedWrite) plan(d *table.Definition) (w store.Write, err error) {
	w = store.Write{Kind: store.Delete, Table: d}
	if m.PutRequest == nil {
		w.Key, err = d.ParseKey(m.DeleteRequest.Key.Item)
		return w, err
	}
	w.Kind, w.Item = store.Put, m.PutRequest.Item.Item
	if w.Key, err = d.KeyOf(w.Item); err == nil {
		return w, d.CheckIndexKeys(w.Item)
	}
	if e, ok := errors.AsType[*table.KeyError](err); ok && (e.Fault == table.FaultMissing || e.Fault == table.FaultType) {
		e.Fault = table.FaultSchema
	}
	return w, err
}

// write does the batch in one commit or, where a transaction holds one of its items, each write by itself: those held are left
// unprocessed.
func (s *Service) write(ctx context.Context, b *batchWrite) (err error) {
	b.effects = b.effects[:len(b.writes)]
	if err = s.Store.BatchTo(ctx, b.effects, b.writes); !errors.Is(err, store.ErrInTransaction) {
		return err
	}
	for i, w := range b.writes {
		b.effects[i], err = s.Store.Apply(ctx, w)
		m := &b.members[i]
		if m.failed = errors.Is(err, store.ErrInTransaction); err != nil && !m.failed {
			return err
		}
	}
	return nil
}

func (s *Service) shapeWrites(ctx context.Context, in *ddb.BatchWriteItemInput, b *batchWrite) (*ddb.BatchWriteItemOutput, error) {
	out := &ddb.BatchWriteItemOutput{UnprocessedItems: map[string][]ddb.WriteRequest{}}
	var (
		paid    bill
		metrics collections
	)
	for i := range b.members {
		m := &b.members[i]
		name := b.names[m.owner]
		if m.failed {
			out.UnprocessedItems[name] = append(out.UnprocessedItems[name], m.WriteRequest)
			continue
		}
		paid.of(name).addWrite(b.effects[i], 1)
		if err := metrics.add(ctx, s, in.ReturnItemCollectionMetrics, name, &b.writes[i]); err != nil {
			return nil, err
		}
	}
	out.ConsumedCapacity = paid.consumed(in.ReturnConsumedCapacity, plain)
	out.ItemCollectionMetrics = metrics.shaped
	return out, nil
}

// sent returns the item or key of the request.
func (m *batchedWrite) sent() *attr.SentItem {
	if m.PutRequest != nil {
		return &m.PutRequest.Item
	}
	return &m.DeleteRequest.Key
}
