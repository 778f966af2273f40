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

// selectItems runs SELECT: a query, several one after the other, or a scan.
func (s *Service) selectItems(ctx context.Context, c *api.Call, in *ddb.ExecuteStatementInput, b *partiql.Bound) (*ddb.ExecuteStatementOutput, error) {
	r := reading{c: c, tableName: &b.Table, consistent: isTrue(in.ConsistentRead)}
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
	sel := selection{plans: plans, limit: limit(in.Limit), mode: capacity.ReadMode(r.consistent), items: []attr.Item{}}
	if read.Whole && base.Index == nil && len(plans) == 1 {
		sel.limit = 0 // one item at most, and nothing after it
	}
	binding := bindToken(c, in)
	if err := sel.resume(binding, in.NextToken); err != nil {
		return nil, err
	}
	if err := sel.read(ctx, s.Reader); err != nil {
		return nil, err
	}
	return &ddb.ExecuteStatementOutput{
		Items:            sel.items,
		NextToken:        sel.token(binding),
		LastEvaluatedKey: sel.at.after,
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, b.Table, &sel.usage, plain),
	}, nil
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

// A selection is the reading of one answer to a SELECT.
type selection struct {
	plans []query.Plan
	limit int // items to read at most; 0: no limit
	mode  capacity.Mode

	at    position // where to begin; then where the answer ended, and the zero position if all was read
	items []attr.Item
	usage usage
}

// A position is a place between two items: in which of the plans, and after which keys of it, nil for its beginning.
type position struct {
	plan  int
	after attr.Item
}

// read reads plan after plan until an answer's share is full.
func (sel *selection) read(ctx context.Context, r *query.Reader) error {
	scanned, size := 0, 0
	for i := sel.at.plan; i < len(sel.plans); i++ {
		p := &sel.plans[i]
		if sel.limit > 0 {
			p.Limit = sel.limit - scanned
		}
		pg, err := r.Page(ctx, p)
		if err != nil {
			return err
		}
		sel.items = append(sel.items, pg.Items...)
		sel.usage.addPage(p, pg, sel.mode)
		scanned += pg.Scanned
		size += pg.Bytes
		switch {
		case pg.Last != nil:
			sel.at = position{i, pg.Last}
			return nil
		case size >= query.MaxPage && i+1 < len(sel.plans):
			sel.at = position{i + 1, nil}
			return nil
		}
	}
	sel.at = position{}
	return nil
}

// resume puts the selection where the token says.
func (sel *selection) resume(binding [tokenBinding]byte, token *string) (err error) {
	if token == nil {
		return nil
	}
	if sel.at, err = parseToken(binding, *token); err != nil {
		return err
	}
	if sel.at.plan >= len(sel.plans) {
		return errNextToken
	}
	p := &sel.plans[sel.at.plan]
	if after := sel.at.after; after != nil && !(p.IsStart(after) && p.StartAfter(after)) {
		return errNextToken
	}
	return nil
}

// token returns the token of what comes after the answer, nil if nothing does.
func (sel *selection) token(binding [tokenBinding]byte) *string {
	if sel.at.plan == 0 && sel.at.after == nil {
		return nil
	}
	return newNextToken(binding, sel.at)
}
