package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/partiql"
)

func (s *Service) executeStatement(ctx context.Context, c *api.Call, in *ddb.ExecuteStatementInput) (*ddb.ExecuteStatementOutput, error) {
	b, err := bindStatement(*in.Statement, in.Parameters)
	if err != nil {
		return nil, err
	}
	switch b.Kind {
	case partiql.Select:
		return s.selectItems(ctx, c, in, b)
	case partiql.Exists:
		return nil, errExists
	}
	return s.writeItem(ctx, c, in, b)
}

// writeItem runs a statement that writes.
func (s *Service) writeItem(ctx context.Context, c *api.Call, in *ddb.ExecuteStatementInput, b *partiql.Bound) (*ddb.ExecuteStatementOutput, error) {
	if in.NextToken != nil {
		return nil, errNextToken
	}
	d, err := s.open(c, &b.Table)
	if err != nil {
		return nil, err
	}
	w, err := planStatement(d, b)
	if err != nil {
		return nil, err
	}
	w.WantOldOnFailure = is(in.ReturnValuesOnConditionCheckFailure, "ALL_OLD")
	effect, err := s.Store.Apply(ctx, w)
	if err != nil {
		return nil, failure(b, err)
	}
	out := &ddb.ExecuteStatementOutput{
		Items:            []attr.Item{},
		ConsumedCapacity: consumedByWrite(in.ReturnConsumedCapacity, b.Table, effect),
	}
	if it := returnedBy(b, effect); it != nil {
		out.Items = append(out.Items, it)
	}
	return out, nil
}
