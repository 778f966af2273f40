package dynamodb

import (
	"context"
	"errors"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// maxTransaction is how many bytes one transaction may write, or the items that it reads may have, together.
const maxTransaction = 4 << 20

var (
	errSameItem        = api.Invalid("Transaction request cannot include multiple operations on one item")
	errTransactionSize = api.Invalid("Collection size of items exceeded, which can also be caused by the aggregate size of the items in the transaction exceeding the 4MB limit")
)

func (s *Service) transactWriteItems(ctx context.Context, c *api.Call, in *ddb.TransactWriteItemsInput) (*ddb.TransactWriteItemsOutput, error) {
	actions := make([]action, len(in.TransactItems))
	for i := range in.TransactItems {
		var err error
		if actions[i], err = s.action(&in.TransactItems[i]); err != nil {
			return nil, err
		}
	}
	writes, err := s.planTransaction(c, actions)
	if err != nil {
		return nil, err
	}
	effects, replayed, err := s.Store.Transact(ctx, writes, newToken(c, in.ClientRequestToken, in))
	if err != nil {
		return nil, err
	}
	return s.shapeTransaction(ctx, in, actions, writes, effects, replayed)
}

// An action is one entry of a transaction, whatever its kind.
type action struct {
	kind      store.Kind
	tableName *string
	sent      attr.SentItem // the item of a Put, else the key
	condition condition
	onFailure *string // ReturnValuesOnConditionCheckFailure
	bound     bound
}

// action reads one entry and checks what needs no table.
func (s *Service) action(t *ddb.TransactWriteItem) (action, error) {
	a, ok := newAction(t)
	if !ok {
		return action{}, api.Invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	var err error
	a.bound, err = s.bindWrite(&a.condition, a.sent, func() error {
		if a.kind == store.Put {
			return checkItemSize(a.sent.Item)
		}
		return nil
	})
	return a, err
}

// newAction returns the one action of the entry; ok is false if there is none or more than one.
func newAction(t *ddb.TransactWriteItem) (a action, ok bool) {
	n := 0
	if p := t.Put; p != nil {
		n++
		a = action{kind: store.Put, tableName: p.TableName, sent: p.Item, onFailure: p.ReturnValuesOnConditionCheckFailure}
		a.condition.request = expr.Request{Condition: p.ConditionExpression, Names: p.ExpressionAttributeNames, Values: p.ExpressionAttributeValues, Takes: takesCondition}
	}
	if u := t.Update; u != nil {
		n++
		a = action{kind: store.Update, tableName: u.TableName, sent: u.Key, onFailure: u.ReturnValuesOnConditionCheckFailure}
		a.condition.request = expr.Request{Update: u.UpdateExpression, Condition: u.ConditionExpression, Names: u.ExpressionAttributeNames, Values: u.ExpressionAttributeValues, Takes: takesUpdate}
	}
	if d := t.Delete; d != nil {
		n++
		a = action{kind: store.Delete, tableName: d.TableName, sent: d.Key, onFailure: d.ReturnValuesOnConditionCheckFailure}
		a.condition.request = expr.Request{Condition: d.ConditionExpression, Names: d.ExpressionAttributeNames, Values: d.ExpressionAttributeValues, Takes: takesCondition}
	}
	if k := t.ConditionCheck; k != nil {
		n++
		a = action{kind: store.Check, tableName: k.TableName, sent: k.Key, onFailure: k.ReturnValuesOnConditionCheckFailure}
		a.condition.request = expr.Request{Condition: k.ConditionExpression, Names: k.ExpressionAttributeNames, Values: k.ExpressionAttributeValues, Takes: takesCondition}
	}
	return a, n == 1
}

// planTransaction finds tables and keys. Keys that do not fit cancel the transaction; other faults are the request's.
func (s *Service) planTransaction(c *api.Call, actions []action) ([]store.Write, error) {
	writes := make([]store.Write, len(actions))
	for i := range actions {
		d, err := s.open(c, actions[i].tableName)
		if err != nil {
			return nil, err
		}
		writes[i].Table = d
	}
	total := 0
	err := gather(len(actions), func(i int) (*table.Definition, table.Key, error) {
		w := &writes[i]
		err := actions[i].plan(w)
		total += actions[i].payload()
		return w.Table, w.Key, err
	})
	switch {
	case err != nil:
		return nil, err
	case total > maxTransaction:
		return nil, errTransactionSize
	}
	return writes, nil
}

// gather plans the n members of a transaction. Faults of single members cancel the transaction; empty keys are the request's, as
// are two members about one item.
func gather(n int, plan func(i int) (*table.Definition, table.Key, error)) error {
	reasons, failed := make([]error, n), false
	rows := newRowKeys(n)
	for i := range n {
		d, k, err := plan(i)
		if isEmptyKey(err) {
			return err
		}
		if reasons[i] = err; err != nil {
			failed = true
			continue
		}
		rows.add(d, k)
	}
	switch {
	case rows.repeat():
		return errSameItem
	case failed:
		return &store.CanceledError{Reasons: reasons}
	}
	return nil
}

func (a *action) plan(w *store.Write) (err error) {
	w.Kind, w.Condition, w.Update = a.kind, a.bound.condition, a.bound.update
	w.WantOldOnFailure = is(a.onFailure, "ALL_OLD")
	if a.kind == store.Put {
		w.Item = a.sent.Item
		w.Key, err = w.Table.KeyOf(w.Item)
		if err == nil {
			err = w.Table.CheckIndexKeys(w.Item)
		}
	} else {
		w.Key, err = w.Table.ParseKey(a.sent.Item)
	}
	if err != nil {
		return err
	}
	return checkWrite(w)
}

// payload is what the action counts against the size of a transaction: not the item that there is, but what the request brings.
func (a *action) payload() int {
	return a.sent.Item.Size() + a.condition.request.Values.Item.Size()
}

func isEmptyKey(err error) bool {
	e, ok := errors.AsType[*table.KeyError](err)
	return ok && e.Fault == table.FaultEmpty && e.Index == ""
}

func (s *Service) shapeTransaction(ctx context.Context, in *ddb.TransactWriteItemsInput, actions []action, ws []store.Write, effects []store.Effect, replayed bool) (*ddb.TransactWriteItemsOutput, error) {
	var (
		b       bill
		metrics collections
		dir     = writes
	)
	if replayed {
		dir = reads
	}
	for i, e := range effects {
		name := *actions[i].tableName
		if replayed {
			b.of(name).table += capacity.Read(e.NewSize, capacity.Transactional)
			continue
		}
		b.of(name).addWrite(e, 2)
		if actions[i].kind == store.Check {
			continue // affects no collection
		}
		if err := metrics.add(ctx, s, in.ReturnItemCollectionMetrics, name, &ws[i]); err != nil {
			return nil, err
		}
	}
	return &ddb.TransactWriteItemsOutput{
		ConsumedCapacity:      b.consumed(in.ReturnConsumedCapacity, dir),
		ItemCollectionMetrics: metrics.shaped,
	}, nil
}
