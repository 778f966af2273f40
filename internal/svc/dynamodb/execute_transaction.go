package dynamodb

import (
	"context"
	"errors"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/partiql"
)

var (
	errTransactionMix       = api.Invalid("ExecuteTransaction API does not support both read and write operations in the same request.")
	errTransactionSelect    = api.Invalid("Select statements within ExecuteTransaction must specify the primary key in the where clause.")
	errTransactionReturning = api.Invalid("RETURNING cannot be used in ExecuteTransaction")
)

func (s *Service) executeTransaction(ctx context.Context, c *api.Call, in *ddb.ExecuteTransactionInput) (*ddb.ExecuteTransactionOutput, error) {
	statements, err := bindTransaction(in.TransactStatements)
	if err != nil {
		return nil, err
	}
	tables := make([]*table.Definition, len(statements))
	for i, b := range statements {
		if tables[i], err = s.open(c, &b.Table); err != nil {
			return nil, err
		}
	}
	if statements[0].Kind == partiql.Select {
		return s.readTransaction(ctx, in, statements, tables)
	}
	return s.writeTransaction(ctx, c, in, statements, tables)
}

// bindTransaction is the checks that need no table.
func bindTransaction(list []ddb.ParameterizedStatement) ([]*partiql.Bound, error) {
	statements := make([]*partiql.Bound, len(list))
	selects := 0
	for i, p := range list {
		b, err := bindStatement(*p.Statement, p.Parameters)
		if err != nil {
			return nil, err
		}
		if b.ReturnValues != "" {
			return nil, errTransactionReturning
		}
		if b.Kind == partiql.Select {
			selects++
		}
		statements[i] = b
	}
	if selects > 0 && selects < len(list) {
		return nil, errTransactionMix
	}
	return statements, nil
}

// readTransaction reads what the SELECTs name, all at one moment.
func (s *Service) readTransaction(ctx context.Context, in *ddb.ExecuteTransactionInput, statements []*partiql.Bound, tables []*table.Definition) (*ddb.ExecuteTransactionOutput, error) {
	points := make([]pointRead, len(statements))
	gets := make([]store.Read, len(statements))
	err := gather(len(statements), func(i int) (d *table.Definition, k table.Key, err error) {
		points[i], err = planPointRead(tables[i], statements[i], errTransactionSelect)
		gets[i] = points[i].Read
		return tables[i], gets[i].Key, err
	})
	if err != nil {
		return nil, err
	}
	found, err := s.Store.GetAll(ctx, gets, true, 0)
	if err != nil {
		return nil, err
	}
	out := &ddb.ExecuteTransactionOutput{Responses: make([]ddb.ItemResponse, len(found))}
	var (
		b     bill
		total int
	)
	for i, f := range found {
		if it := points[i].answer(f); it.Len() > 0 {
			out.Responses[i].Item = it
		}
		b.of(statements[i].Table).table += capacity.Read(f.Size, capacity.Transactional)
		total += f.Size
	}
	if total > maxTransaction {
		return nil, errTransactionSize
	}
	out.ConsumedCapacity = b.consumed(in.ReturnConsumedCapacity, reads)
	return out, nil
}

// writeTransaction does all that the statements say or nothing.
func (s *Service) writeTransaction(ctx context.Context, c *api.Call, in *ddb.ExecuteTransactionInput, statements []*partiql.Bound, tables []*table.Definition) (*ddb.ExecuteTransactionOutput, error) {
	ws := make([]store.Write, len(statements))
	total := 0
	err := gather(len(statements), func(i int) (_ *table.Definition, _ table.Key, err error) {
		ws[i], err = planStatement(tables[i], statements[i])
		ws[i].WantOldOnFailure = is(in.TransactStatements[i].ReturnValuesOnConditionCheckFailure, "ALL_OLD")
		total += statements[i].Payload()
		return tables[i], ws[i].Key, err
	})
	switch {
	case err != nil:
		return nil, err
	case total > maxTransaction:
		return nil, errTransactionSize
	}
	effects, replayed, err := s.Store.Transact(ctx, ws, newToken(c, in.ClientRequestToken, in))
	if err != nil {
		return nil, failures(statements, err)
	}
	return &ddb.ExecuteTransactionOutput{
		Responses:        make([]ddb.ItemResponse, len(statements)),
		ConsumedCapacity: billTransaction(in, statements, effects, replayed),
	}, nil
}

// failures words why the statements did not write.
func failures(statements []*partiql.Bound, err error) error {
	if e, ok := errors.AsType[*store.CanceledError](err); ok {
		for i, b := range statements {
			e.Reasons[i] = failure(b, e.Reasons[i])
		}
	}
	return err
}

// billTransaction charges the writes; a replay reads what was written before.
func billTransaction(in *ddb.ExecuteTransactionInput, statements []*partiql.Bound, effects []store.Effect, replayed bool) []ddb.ConsumedCapacity {
	var b bill
	dir := writes
	for i, e := range effects {
		u := b.of(statements[i].Table)
		if replayed {
			dir = reads
			u.table += capacity.Read(e.NewSize, capacity.Transactional)
			continue
		}
		u.addWrite(e, 2)
	}
	return b.consumed(in.ReturnConsumedCapacity, dir)
}
