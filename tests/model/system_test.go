package model

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/tests/harness"
)

// A system is the database under test.
type system struct {
	*harness.Node
	clock *atomic.Pointer[time.Time]
	rng   *rand.Rand // what a crash keeps
}

// epoch is the time at which every test begins.
var epoch = time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)

func startSystem(c harness.Config) (*system, error) {
	s := &system{clock: new(atomic.Pointer[time.Time]), rng: rand.New(rand.NewPCG(1, 2))}
	s.clock.Store(&epoch)
	c.Now = func() time.Time { return *s.clock.Load() }
	var err error
	s.Node, err = harness.Start(c)
	return s, err
}

// do does an operation and returns the database's answer. The error is a fault.
func (s *system) do(ctx context.Context, op *Op) (a answer, err error) {
	switch op.Kind {
	case "create":
		_, err = s.Call(ctx, createInput(op))
	case "drop":
		_, err = s.Call(ctx, &ddb.DeleteTableInput{TableName: &op.Table})
	case "addindex", "dropindex":
		_, err = s.Call(ctx, updateTableInput(op))
	case "stream":
		_, err = s.Call(ctx, streamInput(op))
	case "records":
		a, err = s.records(ctx, op)
	case "ttl":
		_, err = s.Call(ctx, ttlInput(op))
	case "sweep":
		return a, s.Sweeper.Sweep(ctx)
	case "tend":
		return a, s.tend(ctx, op)
	case "describe":
		a, err = s.describe(ctx, op)
	case "clock":
		now := s.clock.Load().Add(op.Step)
		s.clock.Store(&now)
	case "restart":
		return a, s.Restart()
	case "crash":
		return a, s.Crash(op.Percent, s.rng)
	case "check":
		return a, s.check(ctx)
	default:
		a, err = s.data(ctx, op)
	}
	return s.failed(a, err)
}

// defines tells the kinds that change tables.
func defines(kind string) bool {
	return kind == "create" || kind == "drop" || kind == "addindex" || kind == "dropindex" || kind == "stream" || kind == "ttl"
}

func (s *system) check(ctx context.Context) error {
	faults, err := s.Audit(ctx)
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("audit: %s", strings.Join(faults[:min(5, len(faults))], "\n"))
	}
	return err
}

// failed turns an error that a client would be told into an answer.
func (s *system) failed(a answer, err error) (answer, error) {
	if err == nil {
		return a, nil
	}
	e, ok := errors.AsType[*api.Error](err)
	if !ok {
		return a, err
	}
	a = answer{Code: e.Code}
	switch more := e.More.(type) {
	case *ddb.ConditionalCheckFailedException:
		a.Item = show(more.Item)
	case *ddb.TransactionCanceledException:
		for _, r := range more.CancellationReasons {
			a.Reasons = append(a.Reasons, *r.Code+show(r.Item))
		}
	}
	return a, nil
}

func (s *system) data(ctx context.Context, op *Op) (answer, error) {
	switch op.Kind {
	case "put":
		return s.put(ctx, op)
	case "update":
		return s.update(ctx, op)
	case "delete":
		return s.delete(ctx, op)
	case "get":
		return s.get(ctx, op)
	case "batchwrite":
		return s.batchWrite(ctx, op)
	case "batchget":
		return s.batchGet(ctx, op)
	case "transact":
		return s.transact(ctx, op)
	case "transactget":
		return s.transactGet(ctx, op)
	case "query", "scan":
		return s.read(ctx, op)
	}
	return answer{}, fmt.Errorf("no operation %q", op.Kind)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func capacityMode(op *Op) *string {
	if !op.Units {
		return nil
	}
	return optional("INDEXES")
}

func onFailure(op *Op) *string {
	if !op.OnFailure {
		return nil
	}
	return optional("ALL_OLD")
}

// exprs prints the expressions of a write or read.
func exprs(op *Op) (cond, update *string, p *placeholders) {
	p = &placeholders{}
	if op.Cond != nil {
		cond = optional(op.Cond.text(p))
	}
	return cond, optional(updateText(op.Update, p)), p
}

func (p *placeholders) sent() attr.SentItem { return attr.Sent(encode(p.values)) }

func (s *system) put(ctx context.Context, op *Op) (answer, error) {
	cond, _, p := exprs(op)
	out, err := harness.Do[ddb.PutItemOutput](ctx, s.Node, &ddb.PutItemInput{
		TableName: &op.Table, Item: attr.Sent(encode(op.Item)), ConditionExpression: cond, ReturnValues: optional(op.Returns),
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.sent(),
		ReturnConsumedCapacity: capacityMode(op), ReturnValuesOnConditionCheckFailure: onFailure(op),
	})
	if err != nil {
		return answer{}, err
	}
	return answer{Item: show(out.Attributes), Units: consumed(out.ConsumedCapacity)}, nil
}

func (s *system) update(ctx context.Context, op *Op) (answer, error) {
	cond, update, p := exprs(op)
	out, err := harness.Do[ddb.UpdateItemOutput](ctx, s.Node, &ddb.UpdateItemInput{
		TableName: &op.Table, Key: attr.Sent(encode(op.Item)), ConditionExpression: cond, UpdateExpression: update, ReturnValues: optional(op.Returns),
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.sent(),
		ReturnConsumedCapacity: capacityMode(op), ReturnValuesOnConditionCheckFailure: onFailure(op),
	})
	if err != nil {
		return answer{}, err
	}
	return answer{Item: show(out.Attributes), Units: consumed(out.ConsumedCapacity)}, nil
}

func (s *system) delete(ctx context.Context, op *Op) (answer, error) {
	cond, _, p := exprs(op)
	out, err := harness.Do[ddb.DeleteItemOutput](ctx, s.Node, &ddb.DeleteItemInput{
		TableName: &op.Table, Key: attr.Sent(encode(op.Item)), ConditionExpression: cond, ReturnValues: optional(op.Returns),
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.sent(),
		ReturnConsumedCapacity: capacityMode(op), ReturnValuesOnConditionCheckFailure: onFailure(op),
	})
	if err != nil {
		return answer{}, err
	}
	return answer{Item: show(out.Attributes), Units: consumed(out.ConsumedCapacity)}, nil
}

func projection(paths []string, p *placeholders) *string {
	var texts []string
	for _, path := range paths {
		texts = append(texts, p.path(path))
	}
	return optional(strings.Join(texts, ", "))
}

func (s *system) get(ctx context.Context, op *Op) (answer, error) {
	p := &placeholders{}
	out, err := harness.Do[ddb.GetItemOutput](ctx, s.Node, &ddb.GetItemInput{
		TableName: &op.Table, Key: attr.Sent(encode(op.Item)), ConsistentRead: &op.Consistent,
		ProjectionExpression: projection(op.Project, p), ExpressionAttributeNames: p.names, ReturnConsumedCapacity: capacityMode(op),
	})
	if err != nil {
		return answer{}, err
	}
	return answer{Item: show(out.Item), Units: consumed(out.ConsumedCapacity)}, nil
}

func (s *system) batchWrite(ctx context.Context, op *Op) (answer, error) {
	in := &ddb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{}, ReturnConsumedCapacity: capacityMode(op)}
	for _, o := range op.Ops {
		it := attr.Sent(encode(o.Item))
		r := ddb.WriteRequest{DeleteRequest: &ddb.DeleteRequest{Key: it}}
		if o.Kind == "put" {
			r = ddb.WriteRequest{PutRequest: &ddb.PutRequest{Item: it}}
		}
		in.RequestItems[o.Table] = append(in.RequestItems[o.Table], r)
	}
	out, err := harness.Do[ddb.BatchWriteItemOutput](ctx, s.Node, in)
	if err != nil {
		return answer{}, err
	}
	if len(out.UnprocessedItems) > 0 {
		return answer{}, fmt.Errorf("unprocessed: %v", out.UnprocessedItems)
	}
	return answer{Units: consumedList(op, out.ConsumedCapacity)}, nil
}

func (s *system) batchGet(ctx context.Context, op *Op) (answer, error) {
	in := &ddb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{}, ReturnConsumedCapacity: capacityMode(op)}
	for _, o := range op.Ops {
		r := in.RequestItems[o.Table]
		p := &placeholders{}
		r.Keys = append(r.Keys, attr.Sent(encode(o.Item)))
		r.ProjectionExpression = projection(op.Project, p)
		r.ExpressionAttributeNames = p.names
		in.RequestItems[o.Table] = r
	}
	out, err := harness.Do[ddb.BatchGetItemOutput](ctx, s.Node, in)
	if err != nil {
		return answer{}, err
	}
	a := answer{Tables: map[string][]string{}, Units: consumedList(op, out.ConsumedCapacity)}
	for name, items := range out.Responses {
		a.Tables[name] = shown(items)
	}
	return a, nil
}

func shown(items []attr.Item) []string {
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = show(it)
	}
	return texts
}

func (s *system) transact(ctx context.Context, op *Op) (answer, error) {
	in := &ddb.TransactWriteItemsInput{ClientRequestToken: optional(op.Token), ReturnConsumedCapacity: capacityMode(op)}
	for i := range op.Ops {
		in.TransactItems = append(in.TransactItems, transactItem(&op.Ops[i]))
	}
	out, err := harness.Do[ddb.TransactWriteItemsOutput](ctx, s.Node, in)
	if err != nil {
		return answer{}, err
	}
	return answer{Units: consumedList(op, out.ConsumedCapacity)}, nil
}

func transactItem(o *Op) ddb.TransactWriteItem {
	cond, update, p := exprs(o)
	it := attr.Sent(encode(o.Item))
	switch o.Kind {
	case "put":
		return ddb.TransactWriteItem{Put: &ddb.Put{TableName: &o.Table, Item: it, ConditionExpression: cond,
			ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.sent(), ReturnValuesOnConditionCheckFailure: onFailure(o)}}
	case "update":
		return ddb.TransactWriteItem{Update: &ddb.Update{TableName: &o.Table, Key: it, ConditionExpression: cond, UpdateExpression: update,
			ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.sent(), ReturnValuesOnConditionCheckFailure: onFailure(o)}}
	case "delete":
		return ddb.TransactWriteItem{Delete: &ddb.Delete{TableName: &o.Table, Key: it, ConditionExpression: cond,
			ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.sent(), ReturnValuesOnConditionCheckFailure: onFailure(o)}}
	}
	return ddb.TransactWriteItem{ConditionCheck: &ddb.ConditionCheck{TableName: &o.Table, Key: it, ConditionExpression: cond,
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.sent(), ReturnValuesOnConditionCheckFailure: onFailure(o)}}
}

func (s *system) transactGet(ctx context.Context, op *Op) (answer, error) {
	in := &ddb.TransactGetItemsInput{ReturnConsumedCapacity: capacityMode(op)}
	for i := range op.Ops {
		o, p := &op.Ops[i], &placeholders{}
		in.TransactItems = append(in.TransactItems, ddb.TransactGetItem{Get: &ddb.Get{
			TableName: &o.Table, Key: attr.Sent(encode(o.Item)), ProjectionExpression: projection(o.Project, p), ExpressionAttributeNames: p.names,
		}})
	}
	out, err := harness.Do[ddb.TransactGetItemsOutput](ctx, s.Node, in)
	if err != nil {
		return answer{}, err
	}
	a := answer{Units: consumedList(op, out.ConsumedCapacity)}
	for _, r := range out.Responses {
		a.Items = append(a.Items, show(r.Item))
	}
	return a, nil
}

// read reads the pages of a query or scan.
func (s *system) read(ctx context.Context, op *Op) (answer, error) {
	var a answer
	start := encode(op.Start)
	for len(a.Pages) < max(1, op.Pages) {
		p, last, err := s.page(ctx, op, start)
		if err != nil {
			return answer{}, err
		}
		a.Pages = append(a.Pages, p)
		if start = last; last == nil {
			break
		}
	}
	return a, nil
}

// consumed returns what a call consumed on one table.
func consumed(c *ddb.ConsumedCapacity) map[string]units {
	if c == nil {
		return nil
	}
	return map[string]units{*c.TableName: unitsOf(c)}
}

func consumedList(op *Op, list []ddb.ConsumedCapacity) map[string]units {
	if !op.Units {
		return nil
	}
	all := map[string]units{}
	for i := range list {
		all[*list[i].TableName] = unitsOf(&list[i])
	}
	return all
}

func unitsOf(c *ddb.ConsumedCapacity) units {
	u := units{}
	u.add("", *c.Table.CapacityUnits)
	sum := *c.Table.CapacityUnits
	for _, m := range []map[string]ddb.Capacity{c.LocalSecondaryIndexes, c.GlobalSecondaryIndexes} {
		for name, ix := range m {
			u.add(name, *ix.CapacityUnits)
			sum += *ix.CapacityUnits
		}
	}
	if sum != *c.CapacityUnits {
		u.add("sum", *c.CapacityUnits)
	}
	return u
}
