package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/lang/expr"
)

func (s *Service) getItem(ctx context.Context, c *api.Call, in *ddb.GetItemInput) (*ddb.GetItemOutput, error) {
	p := projection{in.AttributesToGet, expr.Request{Projection: in.ProjectionExpression, Names: in.ExpressionAttributeNames}}
	if err := p.checkPresence(); err != nil {
		return nil, err
	}
	if err := in.Key.Check(); err != nil {
		return nil, err
	}
	project, err := s.project(p)
	if err != nil {
		return nil, err
	}
	d, err := s.open(c, in.TableName)
	if err != nil {
		return nil, err
	}
	key, err := d.ParseKey(in.Key.Item)
	if err != nil {
		return nil, err
	}
	if err := checkProjection(d, project); err != nil {
		return nil, err
	}
	found, err := s.Store.Get(ctx, store.Read{Table: d, Key: key, Projection: project})
	if err != nil {
		return nil, err
	}
	out := &ddb.GetItemOutput{Item: found.Item}
	if in.ReturnConsumedCapacity != nil {
		u := usage{table: capacity.Read(found.Size, capacity.ReadMode(isTrue(in.ConsistentRead)))}
		out.ConsumedCapacity = consumed(in.ReturnConsumedCapacity, *in.TableName, &u, plain)
	}
	return out, nil
}

// A projection is the members that say which attributes to return, old and new.
type projection struct {
	attributes []string // AttributesToGet
	request    expr.Request
}

func (p *projection) checkPresence() error {
	err := expr.CheckMixing(
		present(member{"AttributesToGet", p.attributes != nil}),
		present(member{"ProjectionExpression", p.request.Projection != nil}))
	if err != nil {
		return err
	}
	return p.request.CheckPresence()
}

// project binds a projection; nil for none.
func (s *Service) project(p projection) (*expr.Projection, error) {
	legacy, err := expr.FromAttributesToGet(p.attributes)
	if err != nil {
		return nil, err
	}
	b, err := s.Expressions.Bind(p.request)
	if err != nil {
		return nil, err
	}
	return either(legacy, b.Projection), nil
}
