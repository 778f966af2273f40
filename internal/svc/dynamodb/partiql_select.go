package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
	"github.com/grammedb/gramme/internal/lang/partiql"
)

// selectItems runs SELECT.
func (s *Service) selectItems(ctx context.Context, c *api.Call, in *ddb.ExecuteStatementInput, b *partiql.Bound) (*ddb.ExecuteStatementOutput, error) {
	sel, err := s.planSelect(c, b, isTrue(in.ConsistentRead))
	if err != nil {
		return nil, err
	}
	sel.limit = limit(in.Limit)
	binding := bindToken(c, in)
	if in.NextToken != nil {
		at, err := parseToken(binding, *in.NextToken)
		if err != nil {
			return nil, err
		}
		if !sel.resume(at) {
			return nil, errNextToken
		}
	}
	if err := sel.read(ctx, s.Reader); err != nil {
		return nil, err
	}
	return &ddb.ExecuteStatementOutput{
		Items:            sel.items,
		NextToken:        newNextToken(binding, sel.at),
		LastEvaluatedKey: sel.last,
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, b.Table, &sel.usage, plain),
	}, nil
}

// planSelect finds the table and the index, and plans what is read of it: a query, several, or a scan.
func (s *Service) planSelect(c *api.Call, b *partiql.Bound, consistent bool) (*selection, error) {
	r := reading{c: c, tableName: &b.Table, consistent: consistent}
	if b.Index != "" {
		r.indexName = &b.Index
	}
	base, err := s.planReading(&r, expr.Bound{Projection: b.Projection})
	if err != nil {
		return nil, err
	}
	read, err := b.Read(namesOf(base.Schema()))
	if err != nil {
		return nil, err
	}
	base.Filter, base.Range.Reverse = read.Filter, read.Reverse
	if err := r.choose(base); err != nil {
		return nil, err
	}
	plans, err := plansOf(base, read)
	if err != nil {
		return nil, err
	}
	return &selection{plans: plans, merged: read.Merge, mode: capacity.ReadMode(consistent), items: []attr.Item{}}, nil
}

// plansOf returns one plan for each query, or that of the scan.
func plansOf(base *query.Plan, read *partiql.Read) ([]query.Plan, error) {
	if read.Queries == nil {
		base.PlanScan(0, 0)
		return []query.Plan{*base}, nil
	}
	plans := make([]query.Plan, len(read.Queries))
	for i, q := range read.Queries {
		plans[i] = *base
		if err := plans[i].PlanQuery(q); err != nil {
			return nil, err
		}
	}
	return plans, nil
}
