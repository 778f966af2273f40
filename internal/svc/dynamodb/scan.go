package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/query"
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
	if err := planSegment(p, in); err != nil {
		return nil, err
	}
	if err := r.choose(p); err != nil {
		return nil, err
	}
	p.Limit = limit(in.Limit)
	a, err := s.read(ctx, &r, p, in.ReturnConsumedCapacity)
	return (*ddb.ScanOutput)(a), err
}

// planSegment sets the range to the segment that is asked for, if one is, and resumes in it.
func planSegment(p *query.Plan, in *ddb.ScanInput) error {
	segment, total := value(in.Segment), value(in.TotalSegments)
	p.PlanScan(int(segment), int(total))
	start := in.ExclusiveStartKey.Item
	if start == nil {
		return nil
	}
	if err := checkStart(p, start); err != nil {
		return err
	}
	if !p.StartAfter(start) {
		return api.Invalid(invalidStart+": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", total, segment)
	}
	return nil
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
