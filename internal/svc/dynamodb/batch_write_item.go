package dynamodb

import (
	"context"
	"errors"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
)

const maxBatchWrite = 25

func (s *Service) batchWriteItem(ctx context.Context, c *api.Call, in *ddb.BatchWriteItemInput) (*ddb.BatchWriteItemOutput, error) {
	b := newBatchWrite(in.RequestItems)
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
	names    []string // of the tables, as the request has them
	owners   []int    // of each request: which of the names
	requests []ddb.WriteRequest
	writes   []store.Write
	effects  []store.Effect
	failed   []bool // to be answered as unprocessed
}

func newBatchWrite(items map[string][]ddb.WriteRequest) *batchWrite {
	b := &batchWrite{names: sortedKeys(items), owners: make([]int, 0, maxBatchWrite)}
	if len(b.names) == 1 {
		b.requests = items[b.names[0]]
	}
	for i, name := range b.names {
		if len(b.names) > 1 {
			b.requests = append(b.requests, items[name]...)
		}
		for range items[name] {
			b.owners = append(b.owners, i)
		}
	}
	b.writes, b.failed = make([]store.Write, len(b.requests)), make([]bool, len(b.requests))
	return b
}

// check checks what needs no table: of all requests their number, then their form, then their values, then their sizes.
func (b *batchWrite) check() error {
	if len(b.requests) > maxBatchWrite {
		return api.Invalid("Too many items requested for the BatchWriteItem call")
	}
	for _, r := range b.requests {
		if (r.PutRequest == nil) == (r.DeleteRequest == nil) {
			return api.Invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
	}
	for _, r := range b.requests {
		sent := sentOf(r)
		if err := sent.Check(); err != nil {
			return err
		}
	}
	for _, r := range b.requests {
		if r.PutRequest == nil {
			continue
		}
		if err := checkItemSize(r.PutRequest.Item.Item); err != nil {
			return err
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
	for i, r := range b.requests {
		if b.writes[i], err = planRequest(tables[b.owners[i]], r); err != nil {
			return err
		}
	}
	return b.checkDistinct()
}

// checkDistinct refuses two requests about one item.
func (b *batchWrite) checkDistinct() error {
	rows := newRowKeys(len(b.writes))
	for i := range b.writes {
		rows.add(b.writes[i].Table, b.writes[i].Key)
	}
	if rows.repeat() {
		return errDuplicateKeys
	}
	return nil
}

func planRequest(d *table.Definition, r ddb.WriteRequest) (w store.Write, err error) {
	w = store.Write{Kind: store.Delete, Table: d}
	if r.PutRequest == nil {
		w.Key, err = d.ParseKey(r.DeleteRequest.Key.Item)
		return w, err
	}
	w.Kind, w.Item = store.Put, r.PutRequest.Item.Item
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
	if b.effects, err = s.Store.Batch(ctx, b.writes); !errors.Is(err, store.ErrInTransaction) {
		return err
	}
	for i, w := range b.writes {
		b.effects[i], err = s.Store.Apply(ctx, w)
		if b.failed[i] = errors.Is(err, store.ErrInTransaction); err != nil && !b.failed[i] {
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
	for i, owner := range b.owners {
		name := b.names[owner]
		if b.failed[i] {
			out.UnprocessedItems[name] = append(out.UnprocessedItems[name], b.requests[i])
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

// sentOf returns the item or key of the request.
func sentOf(r ddb.WriteRequest) attr.SentItem {
	if r.PutRequest != nil {
		return r.PutRequest.Item
	}
	return r.DeleteRequest.Key
}
