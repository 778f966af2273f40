package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

var takesCondition = []string{"ConditionExpression"}

func (s *Service) putItem(ctx context.Context, c *api.Call, in *ddb.PutItemInput) (*ddb.PutItemOutput, error) {
	cond := condition{expected: in.Expected, operator: in.ConditionalOperator, request: expr.Request{
		Condition: in.ConditionExpression,
		Names:     in.ExpressionAttributeNames,
		Values:    in.ExpressionAttributeValues,
		Takes:     takesCondition,
	}}
	b, err := s.bindWrite(&cond, in.Item, func() error {
		if err := checkOldOrNone(in.ReturnValues); err != nil {
			return err
		}
		return checkItemSize(in.Item.Item)
	})
	if err != nil {
		return nil, err
	}
	d, err := s.open(c, in.TableName)
	if err != nil {
		return nil, err
	}
	w := store.Write{Kind: store.Put, Table: d, Item: in.Item.Item, Condition: b.condition,
		WantOld: is(in.ReturnValues, "ALL_OLD"), WantOldOnFailure: is(in.ReturnValuesOnConditionCheckFailure, "ALL_OLD")}
	if w.Key, err = d.KeyOf(w.Item); err != nil {
		return nil, err
	}
	if err := d.CheckIndexKeys(w.Item); err != nil {
		return nil, err
	}
	effect, err := s.apply(ctx, &w)
	if err != nil {
		return nil, err
	}
	metrics, err := s.collectionMetrics(ctx, in.ReturnItemCollectionMetrics, d, w.Key)
	return &ddb.PutItemOutput{
		Attributes:            effect.Old,
		ConsumedCapacity:      consumedByWrite(in.ReturnConsumedCapacity, *in.TableName, effect),
		ItemCollectionMetrics: metrics,
	}, err
}

// apply does a write after the rest of step K.
func (s *Service) apply(ctx context.Context, w *store.Write) (store.Effect, error) {
	if err := checkWrite(w); err != nil {
		return store.Effect{}, err
	}
	return s.Store.Apply(ctx, *w)
}

func consumedByWrite(mode *string, tableName string, e store.Effect) *ddb.ConsumedCapacity {
	if mode == nil {
		return nil
	}
	var u usage
	u.addWrite(e, 1)
	return consumed(mode, tableName, &u, plain)
}

// checkOldOrNone is the rule of ReturnValues for writes that replace or remove the whole item.
func checkOldOrNone(returnValues *string) error {
	if returnValues == nil || *returnValues == "NONE" || *returnValues == "ALL_OLD" {
		return nil
	}
	return api.Invalid("ReturnValues can only be ALL_OLD or NONE")
}

func checkItemSize(it attr.Item) error {
	if !it.Within(store.MaxItem) {
		return store.ErrItemTooLarge
	}
	return nil
}
