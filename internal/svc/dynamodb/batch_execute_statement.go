package dynamodb

import (
	"context"
	"errors"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/lang/partiql"
)

var (
	errBatchMix    = api.Invalid("Read and write requests together in the same batch is not supported.")
	errBatchSelect = api.Invalid("Select statements within BatchExecuteStatement must specify the primary key in the where clause.")
)

func (s *Service) batchExecuteStatement(ctx context.Context, c *api.Call, in *ddb.BatchExecuteStatementInput) (*ddb.BatchExecuteStatementOutput, error) {
	b := &statementBatch{in: in, members: make([]batchMember, len(in.Statements))}
	for i := range in.Statements {
		m := &b.members[i]
		m.bound, m.err = bindStatement(*in.Statements[i].Statement, in.Statements[i].Parameters)
	}
	if b.mixed() {
		return nil, errBatchMix
	}
	for i := range b.members {
		if m := &b.members[i]; m.err == nil {
			m.err = m.plan(s, c)
			m.write.WantOldOnFailure = is(in.Statements[i].ReturnValuesOnConditionCheckFailure, "ALL_OLD")
		}
	}
	if err := s.readMembers(ctx, b); err != nil {
		return nil, err
	}
	s.writeMembers(ctx, b)
	return b.shape()
}

// A statementBatch is the statements of one call, each of which succeeds or fails by itself.
type statementBatch struct {
	in        *ddb.BatchExecuteStatementInput
	members   []batchMember
	succeeded int
	bill      bill
}

// A batchMember is one statement of a batch.
type batchMember struct {
	bound    *partiql.Bound // nil if it could not be parsed
	read     pointRead      // of a SELECT
	write    store.Write    // of any other
	err      error
	response ddb.BatchStatementResponse
}

// mixed reports whether some statements read and some write.
func (b *statementBatch) mixed() bool {
	var reads, writes bool
	for _, m := range b.members {
		if m.bound != nil {
			reads = reads || m.bound.Kind == partiql.Select
			writes = writes || m.bound.Kind != partiql.Select
		}
	}
	return reads && writes
}

// plan finds the table and the key of the statement.
func (m *batchMember) plan(s *Service, c *api.Call) error {
	if m.bound.Kind == partiql.Exists {
		return errExists
	}
	d, err := s.open(c, &m.bound.Table)
	if err != nil {
		return err
	}
	if m.bound.Kind == partiql.Select {
		m.read, err = planPointRead(d, m.bound, errBatchSelect)
		return err
	}
	m.write, err = planStatement(d, m.bound)
	return err
}

// readMembers reads the items of all SELECTs.
func (s *Service) readMembers(ctx context.Context, b *statementBatch) error {
	var (
		reads []store.Read
		whose []int
	)
	for i, m := range b.members {
		if m.err == nil && m.bound.Kind == partiql.Select {
			reads, whose = append(reads, m.read.Read), append(whose, i)
		}
	}
	if reads == nil {
		return nil
	}
	found, err := s.Store.GetAll(ctx, reads, false, 0)
	if err != nil {
		return err
	}
	for i, f := range found {
		m := &b.members[whose[i]]
		m.response.Item = m.read.answer(f)
		b.bill.of(m.bound.Table).table += capacity.Read(f.Size, capacity.ReadMode(isTrue(b.in.Statements[whose[i]].ConsistentRead)))
	}
	return nil
}

// writeMembers does the writes in their order.
func (s *Service) writeMembers(ctx context.Context, b *statementBatch) {
	for i := range b.members {
		m := &b.members[i]
		if m.err != nil || m.bound.Kind == partiql.Select {
			continue
		}
		effect, err := s.Store.Apply(ctx, m.write)
		if err != nil {
			if e, ok := errors.AsType[*store.ConditionError](err); ok { // it is charged all the same
				b.bill.of(m.bound.Table).table += capacity.Write(e.OldSize, e.NewSize)
			}
			m.err = failure(m.bound, err)
			continue
		}
		b.bill.of(m.bound.Table).addWrite(effect, 1)
		m.response.Item = returnedBy(m.bound, effect)
	}
}

// shape answers with what became of each statement. A batch in which none succeeded reports no capacity.
func (b *statementBatch) shape() (*ddb.BatchExecuteStatementOutput, error) {
	out := &ddb.BatchExecuteStatementOutput{Responses: make([]ddb.BatchStatementResponse, len(b.members))}
	for i, m := range b.members {
		if m.bound != nil {
			m.response.TableName = &m.bound.Table
		}
		if m.err == nil {
			b.succeeded++
		} else if m.response.Error = memberError(m.err); m.response.Error == nil {
			return nil, m.err
		}
		out.Responses[i] = m.response
	}
	if b.succeeded > 0 {
		out.ConsumedCapacity = b.bill.consumed(b.in.ReturnConsumedCapacity, plain)
	}
	return out, nil
}

// memberCodes are the codes of errors as members of a batch have them.
var memberCodes = map[string]string{
	"ConditionalCheckFailedException":          "ConditionalCheckFailed",
	"DuplicateItemException":                   "DuplicateItem",
	"ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
	"ResourceNotFoundException":                "ResourceNotFound",
	"ThrottlingException":                      "ThrottlingError",
	"TransactionConflictException":             "TransactionConflict",
	"ValidationException":                      "ValidationError",
}

// memberError words the failure of one member; nil if the whole call fails with it.
func memberError(err error) *ddb.BatchStatementError {
	e, ok := errors.AsType[*api.Error](err)
	if !ok {
		e = translate(err)
	}
	if e == nil || memberCodes[e.Code] == "" {
		return nil
	}
	code := memberCodes[e.Code]
	shaped := &ddb.BatchStatementError{Code: &code, Message: &e.Message}
	if failed, ok := errors.AsType[*store.ConditionError](err); ok {
		shaped.Item = failed.Old
	}
	return shaped
}
