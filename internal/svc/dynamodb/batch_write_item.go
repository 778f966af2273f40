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
	names := sortedKeys(in.RequestItems)
	total := 0
	for _, name := range names {
		if err := checkRequests(in.RequestItems[name]); err != nil {
			return nil, err
		}
		total += len(in.RequestItems[name])
	}
	if total > maxBatchWrite {
		return nil, api.Invalid("Too many items requested for the BatchWriteItem call")
	}
	batch, err := s.planBatch(c, names, in.RequestItems)
	if err != nil {
		return nil, err
	}
	if err := s.write(ctx, batch); err != nil {
		return nil, err
	}
	return s.shapeWrites(ctx, in, batch)
}

// checkRequests checks what needs no table.
func checkRequests(requests []ddb.WriteRequest) error {
	for _, r := range requests {
		if (r.PutRequest == nil) == (r.DeleteRequest == nil) {
			return api.Invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
		sent := sentOf(r)
		if err := sent.Check(); err != nil {
			return err
		}
		if r.PutRequest != nil {
			if err := checkItemSize(sent.Item); err != nil {
				return err
			}
		}
	}
	return nil
}

// A batchWrite is the writes of a batch, each with the request that it came from.
type batchWrite struct {
	writes   []store.Write
	effects  []store.Effect
	owners   []string // names of the tables as the request has them
	requests []ddb.WriteRequest
	failed   []bool // to be answered as unprocessed
}

func (s *Service) planBatch(c *api.Call, names []string, items map[string][]ddb.WriteRequest) (*batchWrite, error) {
	b := &batchWrite{}
	tables, err := s.openAll(c, names)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, name := range names {
		for _, r := range items[name] {
			w, err := planRequest(tables[i], r)
			if err != nil {
				return nil, err
			}
			rowKey := string(w.Table.AppendRowKey(nil, w.Key))
			if seen[rowKey] {
				return nil, errDuplicateKeys
			}
			seen[rowKey] = true
			b.writes = append(b.writes, w)
			b.owners = append(b.owners, name)
			b.requests = append(b.requests, r)
		}
	}
	b.failed = make([]bool, len(b.writes))
	return b, nil
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
	for i, name := range b.owners {
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
