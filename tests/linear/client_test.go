package linear

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/tests/harness"
)

var tableName = "T-1"

// A client calls a node; the items of a round have keys of their own.
type client struct {
	*harness.Node
	round string
}

func createTable(ctx context.Context, n *harness.Node) error {
	_, err := n.Call(ctx, &ddb.CreateTableInput{
		TableName: &tableName, BillingMode: new("PAY_PER_REQUEST"),
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: new("pk"), KeyType: new("HASH")}},
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: new("pk"), AttributeType: new("S")}},
	})
	return err
}

func (c *client) key(item int) attr.SentItem {
	return attr.Sent(attr.Make(attr.Field{Name: "pk", Value: attr.String(fmt.Sprintf("%s-%d", c.round, item))}))
}

func (c *client) item(a action) attr.SentItem {
	return attr.Sent(c.key(a.item).Item.Merge([]attr.Field{{Name: "v", Value: attr.Int(a.v)}}))
}

// do does an operation. The error is a fault.
func (c *client) do(ctx context.Context, in input) (output, error) {
	switch in.kind {
	case "get":
		return c.get(ctx, in)
	case "transactget":
		return c.transactGet(ctx, in)
	case "transact":
		return c.transact(ctx, in)
	}
	return c.write(ctx, in.actions[0])
}

func cellOf(it attr.Item) cell {
	if it == nil {
		return cell{}
	}
	n, err := strconv.ParseInt(numberText(it), 10, 64)
	if err != nil {
		panic(err)
	}
	return cell{true, n}
}

// numberText returns the digits of v.
func numberText(it attr.Item) string {
	var v struct{ N string }
	text := it.Get("v").String() // {"N":"1"}
	fmt.Sscanf(text, `{"N":%q}`, &v.N)
	return v.N
}

func (c *client) get(ctx context.Context, in input) (output, error) {
	out, err := harness.Do[ddb.GetItemOutput](ctx, c.Node, &ddb.GetItemInput{
		TableName: &tableName, Key: c.key(in.actions[0].item), ConsistentRead: new(true)})
	if err != nil {
		return output{}, err
	}
	return output{outcome: done, cells: []cell{cellOf(out.Item)}}, nil
}

func (c *client) transactGet(ctx context.Context, in input) (output, error) {
	req := &ddb.TransactGetItemsInput{}
	for _, a := range in.actions {
		req.TransactItems = append(req.TransactItems, ddb.TransactGetItem{Get: &ddb.Get{TableName: &tableName, Key: c.key(a.item)}})
	}
	out, err := harness.Do[ddb.TransactGetItemsOutput](ctx, c.Node, req)
	if err != nil {
		return refusal(err)
	}
	o := output{outcome: done}
	for _, r := range out.Responses {
		o.cells = append(o.cells, cellOf(r.Item))
	}
	return o, nil
}

// condition returns an action's condition with its values.
func (a action) condition() (text *string, values []attr.Field) {
	switch a.when {
	case absent:
		return new("attribute_not_exists(pk)"), nil
	case equals:
		return new("v = :than"), []attr.Field{{Name: ":than", Value: attr.Int(a.than)}}
	}
	return nil, nil
}

func sent(values []attr.Field) attr.SentItem {
	if values == nil {
		return attr.SentItem{}
	}
	return attr.Sent(attr.Make(values...))
}

func (c *client) write(ctx context.Context, a action) (output, error) {
	cond, values := a.condition()
	var old attr.Item
	var err error
	switch a.kind {
	case "put":
		var out *ddb.PutItemOutput
		if out, err = harness.Do[ddb.PutItemOutput](ctx, c.Node, &ddb.PutItemInput{TableName: &tableName, Item: c.item(a),
			ConditionExpression: cond, ExpressionAttributeValues: sent(values), ReturnValues: new("ALL_OLD")}); err == nil {
			old = out.Attributes
		}
	case "add":
		values = append(values, attr.Field{Name: ":v", Value: attr.Int(a.v)})
		var out *ddb.UpdateItemOutput
		if out, err = harness.Do[ddb.UpdateItemOutput](ctx, c.Node, &ddb.UpdateItemInput{TableName: &tableName, Key: c.key(a.item), UpdateExpression: new("ADD v :v"),
			ConditionExpression: cond, ExpressionAttributeValues: sent(values), ReturnValues: new("ALL_OLD")}); err == nil {
			old = out.Attributes
		}
	case "delete":
		var out *ddb.DeleteItemOutput
		if out, err = harness.Do[ddb.DeleteItemOutput](ctx, c.Node, &ddb.DeleteItemInput{TableName: &tableName, Key: c.key(a.item),
			ConditionExpression: cond, ExpressionAttributeValues: sent(values), ReturnValues: new("ALL_OLD")}); err == nil {
			old = out.Attributes
		}
	}
	if err != nil {
		return refusal(err)
	}
	return output{outcome: done, cells: []cell{cellOf(old)}}, nil
}

func (c *client) transact(ctx context.Context, in input) (output, error) {
	req := &ddb.TransactWriteItemsInput{}
	if in.token > 0 {
		req.ClientRequestToken = new(fmt.Sprintf("%s-%d", c.round, in.token))
	}
	for _, a := range in.actions {
		req.TransactItems = append(req.TransactItems, c.transactItem(a))
	}
	if _, err := c.Call(ctx, req); err != nil {
		return refusal(err)
	}
	return output{outcome: done}, nil
}

func (c *client) transactItem(a action) ddb.TransactWriteItem {
	cond, values := a.condition()
	switch a.kind {
	case "put":
		return ddb.TransactWriteItem{Put: &ddb.Put{TableName: &tableName, Item: c.item(a), ConditionExpression: cond, ExpressionAttributeValues: sent(values)}}
	case "add":
		values = append(values, attr.Field{Name: ":v", Value: attr.Int(a.v)})
		return ddb.TransactWriteItem{Update: &ddb.Update{TableName: &tableName, Key: c.key(a.item), UpdateExpression: new("ADD v :v"),
			ConditionExpression: cond, ExpressionAttributeValues: sent(values)}}
	case "delete":
		return ddb.TransactWriteItem{Delete: &ddb.Delete{TableName: &tableName, Key: c.key(a.item), ConditionExpression: cond, ExpressionAttributeValues: sent(values)}}
	}
	return ddb.TransactWriteItem{ConditionCheck: &ddb.ConditionCheck{TableName: &tableName, Key: c.key(a.item), ConditionExpression: cond, ExpressionAttributeValues: sent(values)}}
}

// refusal turns an error that says that nothing was done into an output.
func refusal(err error) (output, error) {
	e, ok := errors.AsType[*api.Error](err)
	if !ok {
		return output{}, err
	}
	switch e.Code {
	case "ConditionalCheckFailedException":
		return output{outcome: refused}, nil
	case "TransactionConflictException", "TransactionInProgressException":
		return output{outcome: conflict}, nil
	case "TransactionCanceledException":
		return cancellation(e.More.(*ddb.TransactionCanceledException))
	}
	return output{}, err
}

func cancellation(e *ddb.TransactionCanceledException) (output, error) {
	o := output{outcome: refused}
	for _, r := range e.CancellationReasons {
		switch *r.Code {
		case "TransactionConflict":
			return output{outcome: conflict}, nil
		case "None", "ConditionalCheckFailed":
			o.failed = append(o.failed, *r.Code != "None")
		default:
			return o, errors.New("cancelled for " + *r.Code)
		}
	}
	return o, nil
}
