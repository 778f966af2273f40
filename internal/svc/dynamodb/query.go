package dynamodb

import (
	"context"
	"errors"
	"slices"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// maxTableConditions is how many key attributes a table can have; the keys of an index are not known before it is found.
const maxTableConditions = 2

var errConditions = api.Invalid("Conditions can be of length 1 or 2 only")

var takesQuery = []string{"FilterExpression", "KeyConditionExpression"}

func (s *Service) query(ctx context.Context, c *api.Call, in *ddb.QueryInput) (*ddb.QueryOutput, error) {
	r := reading{
		c: c, tableName: in.TableName, indexName: in.IndexName, selection: in.Select, consistent: isTrue(in.ConsistentRead),
		attributes: in.AttributesToGet, filter: in.QueryFilter, filterName: "QueryFilter", keyed: true, operator: in.ConditionalOperator, keyConditions: in.KeyConditions,
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
	if in.IndexName == nil && len(b.KeyCondition.Conds) > maxTableConditions {
		return nil, errConditions
	}
	p, err := s.planReading(&r, b)
	if err != nil {
		return nil, err
	}
	p.Range.Reverse = in.ScanIndexForward != nil && !*in.ScanIndexForward
	if err := planKeys(p, b.KeyCondition, in.ExclusiveStartKey.Item); err != nil {
		return nil, err
	}
	if err := r.choose(p); err != nil {
		return nil, err
	}
	p.Limit = limit(in.Limit)
	a, err := s.read(ctx, &r, p, in.ReturnConsumedCapacity)
	return (*ddb.QueryOutput)(a), err
}

// planKeys sets the range that the key condition names, and resumes in it.
func planKeys(p *query.Plan, kc *expr.KeyCondition, start attr.Item) error {
	schema := p.Schema()
	if n := len(schema.Partition) + len(schema.Sort); len(kc.Conds) > max(n, maxTableConditions) {
		return errConditions
	}
	if start == nil {
		return p.PlanQuery(kc)
	}
	err := p.PlanQuery(kc)
	if err == nil || !conditionFirst(err, p, start) {
		if err := checkStart(p, start); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case p.Single:
		return api.Invalid("The query can return at most one row and cannot be restarted")
	case !inPartition(schema, kc, start):
		return api.Invalid("The provided starting key is outside query boundaries based on provided conditions")
	case !p.StartAfter(start):
		return api.Invalid("The provided starting key does not match the range key predicate")
	}
	return nil
}

// conditionFirst reports whether what is wrong with the key condition is told before what is wrong with the start key: each key
// attribute is checked in both, in turn.
func conditionFirst(err error, p *query.Plan, start attr.Item) bool {
	e, ok := errors.AsType[*query.KeyConditionError](err)
	return ok && p.BeginsStart(start, e.Attribute)
}

// inPartition reports whether the start key is in the partition that the key condition names. REQUIRES: it names one.
func inPartition(schema *table.Schema, kc *expr.KeyCondition, start attr.Item) bool {
	for _, a := range schema.Partition {
		i := slices.IndexFunc(kc.Conds, func(c expr.KeyCond) bool { return c.Name == a.Name })
		if !attr.Equal(kc.Conds[i].Values[0], start.Get(a.Name)) {
			return false
		}
	}
	return true
}

func limit(n *int64) int {
	if n == nil {
		return 0
	}
	return int(min(*n, 1<<31-1))
}
