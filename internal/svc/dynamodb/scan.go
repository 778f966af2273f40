package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/expr"
)

var takesScan = []string{"FilterExpression"}

func (s *Service) scan(ctx context.Context, c *api.Call, in *ddb.ScanInput) (*ddb.ScanOutput, error) {
	r := reading{
		c: c, tableName: in.TableName, indexName: in.IndexName, selection: in.Select, consistent: isTrue(in.ConsistentRead),
		attributes: in.AttributesToGet, filter: in.ScanFilter, filterName: "ScanFilter", operator: in.ConditionalOperator,
		start: in.ExclusiveStartKey,
		request: expr.Request{
			Projection: in.ProjectionExpression, Filter: in.FilterExpression,
			Names: in.ExpressionAttributeNames, Values: in.ExpressionAttributeValues, Takes: takesScan,
		},
	}
	b, err := s.bindReading(&r, func() error { return checkSegments(in.Segment, in.TotalSegments) })
	if err != nil {
		return nil, err
	}
	p, err := s.planReading(&r, b)
	if err != nil {
		return nil, err
	}
	if start := in.ExclusiveStartKey.Item; start != nil && !p.IsStart(start) {
		return nil, errStartKey
	}
	if err := r.choose(p, b); err != nil {
		return nil, err
	}
	p.PlanScan(int(value(in.Segment)), int(value(in.TotalSegments)))
	p.Limit = limit(in.Limit)
	a, err := s.read(ctx, &r, p, in.ExclusiveStartKey.Item, in.ReturnConsumedCapacity)
	if err == errRange && in.TotalSegments != nil {
		err = api.Invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d",
			*in.TotalSegments, *in.Segment)
	}
	return (*ddb.ScanOutput)(a), err
}

func checkSegments(segment, total *int64) error {
	switch {
	case segment == nil && total == nil:
		return nil
	case total == nil:
		return api.Invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case segment == nil:
		return api.Invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *segment >= *total:
		return api.Invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *segment, *total)
	}
	return nil
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
