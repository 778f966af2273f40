package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

var takesUpdate = []string{"UpdateExpression", "ConditionExpression"}

func (s *Service) updateItem(ctx context.Context, c *api.Call, in *ddb.UpdateItemInput) (*ddb.UpdateItemOutput, error) {
	cond := condition{expected: in.Expected, operator: in.ConditionalOperator, updates: in.AttributeUpdates, request: expr.Request{
		Update:    in.UpdateExpression,
		Condition: in.ConditionExpression,
		Names:     in.ExpressionAttributeNames,
		Values:    in.ExpressionAttributeValues,
		Takes:     takesUpdate,
	}}
	b, err := s.bindWrite(&cond, in.Key, func() error { return nil })
	if err != nil {
		return nil, err
	}
	d, err := s.open(c, in.TableName)
	if err != nil {
		return nil, err
	}
	w := store.Write{Kind: store.Update, Table: d, Update: b.update, Condition: b.condition,
		WantOld: wantsOld(in.ReturnValues), WantOldOnFailure: is(in.ReturnValuesOnConditionCheckFailure, "ALL_OLD")}
	if w.Key, err = d.ParseKey(in.Key.Item); err != nil {
		return nil, err
	}
	if b.update != nil {
		w.UpdateCost = b.update.Cost()
	}
	effect, err := s.apply(ctx, &w)
	if err != nil {
		return nil, err
	}
	metrics, err := s.collectionMetrics(ctx, in.ReturnItemCollectionMetrics, d, w.Key)
	return &ddb.UpdateItemOutput{
		Attributes:            returned(in.ReturnValues, b.update, effect),
		ConsumedCapacity:      consumedByWrite(in.ReturnConsumedCapacity, *in.TableName, effect),
		ItemCollectionMetrics: metrics,
	}, err
}

// wantsOld reports whether returned needs the old item.
func wantsOld(returnValues *string) bool {
	return is(returnValues, "ALL_OLD") || is(returnValues, "UPDATED_OLD") || is(returnValues, "UPDATED_NEW")
}

// returned is the Attributes that ReturnValues asks for; nil leaves the member out.
func returned(returnValues *string, u *expr.Update, e store.Effect) attr.Item {
	switch {
	case returnValues == nil:
		return nil
	case *returnValues == "ALL_OLD":
		return e.Old
	case *returnValues == "ALL_NEW":
		return e.New
	case u == nil:
		return nil
	case *returnValues == "UPDATED_OLD":
		return u.Touched(e.Old)
	case *returnValues == "UPDATED_NEW":
		return u.Written(e.Old)
	}
	return nil
}
