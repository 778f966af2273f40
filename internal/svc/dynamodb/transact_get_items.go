package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/expr"
)

func (s *Service) transactGetItems(ctx context.Context, c *api.Call, in *ddb.TransactGetItemsInput) (*ddb.TransactGetItemsOutput, error) {
	reads := make([]store.Read, len(in.TransactItems))
	for i, t := range in.TransactItems {
		p := projection{nil, expr.Request{Projection: t.Get.ProjectionExpression, Names: t.Get.ExpressionAttributeNames}}
		if err := p.checkPresence(); err != nil {
			return nil, err
		}
		if err := t.Get.Key.Check(); err != nil {
			return nil, err
		}
		var err error
		if reads[i].Projection, err = s.project(p); err != nil {
			return nil, err
		}
	}
	for i, t := range in.TransactItems {
		var err error
		if reads[i].Table, err = s.open(c, t.Get.TableName); err != nil {
			return nil, err
		}
	}
	if err := planGets(in.TransactItems, reads); err != nil {
		return nil, err
	}
	found, err := s.Store.GetAll(ctx, reads, true, 0)
	if err != nil {
		return nil, err
	}
	return shapeGets(in, found)
}

// planGets finds the keys; those that do not fit their tables cancel the transaction.
func planGets(items []ddb.TransactGetItem, reads []store.Read) error {
	return gather(len(items), func(i int) (*table.Definition, table.Key, error) {
		r := &reads[i]
		var err error
		if r.Key, err = r.Table.ParseKey(items[i].Get.Key.Item); err == nil {
			err = checkProjection(r.Table, r.Projection)
		}
		return r.Table, r.Key, err
	})
}

func shapeGets(in *ddb.TransactGetItemsInput, found []store.Found) (*ddb.TransactGetItemsOutput, error) {
	out := &ddb.TransactGetItemsOutput{Responses: make([]ddb.ItemResponse, len(found))}
	var (
		b     bill
		total int
	)
	for i, f := range found {
		if f.Item != nil && !(in.TransactItems[i].Get.ProjectionExpression != nil && f.Item.Len() == 0) {
			out.Responses[i].Item = f.Item
		}
		b.of(*in.TransactItems[i].Get.TableName).table += capacity.Read(f.Size, capacity.Transactional)
		total += f.Size
	}
	if total > maxTransaction {
		return nil, errTransactionSize
	}
	out.ConsumedCapacity = b.consumed(in.ReturnConsumedCapacity, reads)
	return out, nil
}
