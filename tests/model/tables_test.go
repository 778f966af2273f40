package model

import (
	"context"
	"errors"

	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/tests/harness"
)

// page reads one page of a query or scan.
func (s *system) page(ctx context.Context, op *Op, start attr.Item) (p page, last attr.Item, err error) {
	holders := &placeholders{}
	in := ddb.ScanInput{
		TableName: &op.Table, IndexName: optional(op.Index), ConsistentRead: &op.Consistent, Select: optional(op.Select),
		ProjectionExpression: projection(op.Project, holders), ExclusiveStartKey: attr.Sent(start), ReturnConsumedCapacity: capacityMode(op),
	}
	if op.Limit > 0 {
		in.Limit = ptr(int64(op.Limit))
	}
	if op.Filter != nil {
		in.FilterExpression = optional(op.Filter.text(holders))
	}
	if op.Kind == "query" {
		return s.queryPage(ctx, op, in, holders)
	}
	if op.Total > 0 {
		in.Segment, in.TotalSegments = ptr(int64(op.Segment)), ptr(int64(op.Total))
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = holders.names, holders.sent()
	out, err := harness.Do[ddb.ScanOutput](ctx, s.Node, &in)
	if err != nil {
		return p, nil, err
	}
	return pageFrom(out), out.LastEvaluatedKey, nil
}

// queryPage is page for a query, which has most members in common with a scan.
func (s *system) queryPage(ctx context.Context, op *Op, in ddb.ScanInput, p *placeholders) (page, attr.Item, error) {
	key := optional(keyText(op.Keys, p))
	out, err := harness.Do[ddb.QueryOutput](ctx, s.Node, &ddb.QueryInput{
		TableName: in.TableName, IndexName: in.IndexName, ConsistentRead: in.ConsistentRead, Select: in.Select, Limit: in.Limit,
		ScanIndexForward: ptr(!op.Reverse), KeyConditionExpression: key, FilterExpression: in.FilterExpression,
		ProjectionExpression: in.ProjectionExpression, ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.sent(),
		ExclusiveStartKey: in.ExclusiveStartKey, ReturnConsumedCapacity: in.ReturnConsumedCapacity,
	})
	if err != nil {
		return page{}, nil, err
	}
	return pageFrom((*ddb.ScanOutput)(out)), out.LastEvaluatedKey, nil
}

func pageFrom(out *ddb.ScanOutput) page {
	p := page{Items: shown(out.Items), Count: int(*out.Count), Scanned: int(*out.ScannedCount), Last: show(out.LastEvaluatedKey)}
	for _, u := range consumed(out.ConsumedCapacity) {
		p.Units = u
	}
	return p
}

// keyText prints a key condition.
func keyText(conds []KeyCond, p *placeholders) string {
	text := ""
	for i, c := range conds {
		if i > 0 {
			text += " AND "
		}
		text += (&Cond{Op: c.Op, Path: c.Name, Vals: c.Vals}).text(p)
	}
	return text
}

// declared returns the definitions of the key attributes of a table and its indexes.
func declared(keys []Attr, indexes []Index) (defs []ddb.AttributeDefinition) {
	seen := map[string]bool{}
	for _, ix := range indexes {
		keys = append(keys, ix.keys()...)
	}
	for _, a := range keys {
		if !seen[a.Name] {
			seen[a.Name] = true
			defs = append(defs, ddb.AttributeDefinition{AttributeName: &a.Name, AttributeType: &a.T})
		}
	}
	return defs
}

func keySchema(part, sort []Attr) (schema []ddb.KeySchemaElement) {
	for _, a := range part {
		schema = append(schema, ddb.KeySchemaElement{AttributeName: &a.Name, KeyType: ptr("HASH")})
	}
	for _, a := range sort {
		schema = append(schema, ddb.KeySchemaElement{AttributeName: &a.Name, KeyType: ptr("RANGE")})
	}
	return schema
}

func projectionOf(ix *Index) *ddb.Projection {
	return &ddb.Projection{ProjectionType: &ix.Proj, NonKeyAttributes: ix.NonKey}
}

func createInput(op *Op) *ddb.CreateTableInput {
	t := &table{Schema: *op.Schema}
	in := &ddb.CreateTableInput{
		TableName: &op.Table, BillingMode: ptr("PAY_PER_REQUEST"),
		KeySchema:            keySchema(t.keys()[:1], t.keys()[1:]),
		AttributeDefinitions: declared(t.keys(), t.Indexes),
	}
	for i := range t.Indexes {
		ix := &t.Indexes[i]
		if ix.Local {
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes,
				ddb.LocalSecondaryIndex{IndexName: &ix.Name, KeySchema: keySchema(ix.Part, ix.Sort), Projection: projectionOf(ix)})
		} else {
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes,
				ddb.GlobalSecondaryIndex{IndexName: &ix.Name, KeySchema: keySchema(ix.Part, ix.Sort), Projection: projectionOf(ix)})
		}
	}
	return in
}

func updateTableInput(op *Op) *ddb.UpdateTableInput {
	in := &ddb.UpdateTableInput{TableName: &op.Table}
	change := ddb.GlobalSecondaryIndexUpdate{Delete: &ddb.DeleteGlobalSecondaryIndexAction{IndexName: &op.Index}}
	if ix := op.NewIndex; ix != nil {
		in.AttributeDefinitions = declared(nil, []Index{*ix})
		change = ddb.GlobalSecondaryIndexUpdate{Create: &ddb.CreateGlobalSecondaryIndexAction{
			IndexName: &ix.Name, KeySchema: keySchema(ix.Part, ix.Sort), Projection: projectionOf(ix)}}
	}
	in.GlobalSecondaryIndexUpdates = []ddb.GlobalSecondaryIndexUpdate{change}
	return in
}

// describe compares what a table tells of its sizes.
func (s *system) describe(ctx context.Context, op *Op) (answer, error) {
	if err := s.Settle(ctx); err != nil {
		return answer{}, err
	}
	out, err := harness.Do[ddb.DescribeTableOutput](ctx, s.Node, &ddb.DescribeTableInput{TableName: &op.Table})
	if err != nil {
		return answer{}, err
	}
	sizes := map[string][2]int64{"": {*out.Table.ItemCount, *out.Table.TableSizeBytes}}
	for _, ix := range out.Table.LocalSecondaryIndexes {
		sizes[*ix.IndexName] = [2]int64{*ix.ItemCount, *ix.IndexSizeBytes}
	}
	for _, ix := range out.Table.GlobalSecondaryIndexes {
		if *ix.IndexStatus != "ACTIVE" {
			return answer{}, errors.New("index " + *ix.IndexName + " is " + *ix.IndexStatus)
		}
		sizes[*ix.IndexName] = [2]int64{*ix.ItemCount, *ix.IndexSizeBytes}
	}
	return answer{Sizes: sizes}, nil
}
