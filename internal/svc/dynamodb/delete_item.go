package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/lang/expr"
)

func (s *Service) deleteItem(ctx context.Context, c *api.Call, in *ddb.DeleteItemInput) (*ddb.DeleteItemOutput, error) {
	cond := condition{expected: in.Expected, operator: in.ConditionalOperator, request: expr.Request{
		Condition: in.ConditionExpression,
		Names:     in.ExpressionAttributeNames,
		Values:    in.ExpressionAttributeValues,
		Takes:     takesCondition,
	}}
	b, err := s.bindWrite(&cond, in.Key, func() error { return checkOldOrNone(in.ReturnValues) })
	if err != nil {
		return nil, err
	}
	d, err := s.open(c, in.TableName)
	if err != nil {
		return nil, err
	}
	w := store.Write{Kind: store.Delete, Table: d, Condition: b.condition,
		WantOld: is(in.ReturnValues, "ALL_OLD"), WantOldOnFailure: is(in.ReturnValuesOnConditionCheckFailure, "ALL_OLD")}
	if w.Key, err = d.ParseKey(in.Key.Item); err != nil {
		return nil, err
	}
	effect, err := s.apply(ctx, &w)
	if err != nil {
		return nil, err
	}
	metrics, err := s.collectionMetrics(ctx, in.ReturnItemCollectionMetrics, d, w.Key)
	return &ddb.DeleteItemOutput{
		Attributes:            effect.Old,
		ConsumedCapacity:      consumedByWrite(in.ReturnConsumedCapacity, *in.TableName, effect),
		ItemCollectionMetrics: metrics,
	}, err
}
