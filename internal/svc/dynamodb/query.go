package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

var takesQuery = []string{"FilterExpression", "KeyConditionExpression"}

func (s *Service) query(ctx context.Context, c *api.Call, in *ddb.QueryInput) (*ddb.QueryOutput, error) {
	r := reading{
		c: c, tableName: in.TableName, indexName: in.IndexName, selection: in.Select, consistent: isTrue(in.ConsistentRead),
		attributes: in.AttributesToGet, filter: in.QueryFilter, filterName: "QueryFilter", operator: in.ConditionalOperator, keyConditions: in.KeyConditions,
		start: in.ExclusiveStartKey,
		request: expr.Request{
			Projection: in.ProjectionExpression, Filter: in.FilterExpression, KeyCondition: in.KeyConditionExpression,
			Names: in.ExpressionAttributeNames, Values: in.ExpressionAttributeValues, Takes: takesQuery,
		},
	}
	b, err := s.bindReading(&r, func() error {
		if in.KeyConditions == nil && in.KeyConditionExpression == nil {
			return api.Invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p, err := s.planReading(&r, b)
	if err != nil {
		return nil, err
	}
	if err := planKeys(p, b.KeyCondition, in.ExclusiveStartKey.Item); err != nil {
		return nil, err
	}
	if err := r.choose(p, b); err != nil {
		return nil, err
	}
	if err := checkFilterKeys(p, &r); err != nil {
		return nil, err
	}
	p.Range.Reverse = in.ScanIndexForward != nil && !*in.ScanIndexForward
	p.Limit = limit(in.Limit)
	a, err := s.read(ctx, &r, p, in.ExclusiveStartKey.Item, in.ReturnConsumedCapacity)
	return (*ddb.QueryOutput)(a), err
}

// planKeys sets the range that the key condition names.
func planKeys(p *query.Plan, kc *expr.KeyCondition, start attr.Item) error {
	schema := p.Schema()
	if n := len(schema.Partition) + len(schema.Sort); len(kc.Conds) == 0 || len(kc.Conds) > max(n, 2) {
		return api.Invalid("Conditions can be of length 1 or 2 only")
	}
	if start != nil && !p.IsStart(start) {
		return errStartKey
	}
	if err := p.PlanQuery(kc); err != nil {
		return err
	}
	if start == nil {
		return nil
	}
	for _, a := range schema.Partition {
		for _, cond := range kc.Conds {
			if cond.Name == a.Name && !attr.Equal(cond.Values[0], start.Get(a.Name)) {
				return api.Invalid("The provided starting key is outside query boundaries based on provided conditions")
			}
		}
	}
	return nil
}

var errStartKey = api.Invalid("The provided starting key is invalid")

// checkFilterKeys refuses a filter that names key attributes of what is queried: they belong into the key condition.
func checkFilterKeys(p *query.Plan, r *reading) error {
	if p.Filter == nil {
		return nil
	}
	for path := range p.Filter.Paths() {
		if _, ok := p.Schema().Find(path[0].Name); !ok {
			continue
		}
		if r.filter != nil {
			return api.Invalid("%s can only contain non-primary key attributes: Primary key attribute: %s", r.filterName, path[0].Name)
		}
		return api.Invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", path[0].Name)
	}
	return nil
}

func limit(n *int64) int {
	if n == nil {
		return 0
	}
	return int(min(*n, 1<<31-1))
}
