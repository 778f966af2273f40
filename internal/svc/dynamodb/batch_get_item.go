package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

const (
	maxBatchGet      = 100
	maxBatchGetBytes = 16 << 20
)

func (s *Service) batchGetItem(ctx context.Context, c *api.Call, in *ddb.BatchGetItemInput) (*ddb.BatchGetItemOutput, error) {
	names := sortedKeys(in.RequestItems)
	projections, err := s.batchProjections(names, in.RequestItems)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, name := range names {
		total += len(in.RequestItems[name].Keys)
	}
	if total > maxBatchGet {
		return nil, api.Invalid("Too many items requested for the BatchGetItem call")
	}
	reads, err := s.batchReads(c, names, in.RequestItems, projections)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.GetAll(ctx, reads, false, maxBatchGetBytes)
	if err != nil {
		return nil, err
	}
	return shapeBatch(in, names, found), nil
}

// batchProjections checks everything about each table that needs no table, and binds its projection.
func (s *Service) batchProjections(names []string, items map[string]ddb.KeysAndAttributes) (map[string]*expr.Projection, error) {
	if err := checkBatchMixing(items); err != nil {
		return nil, err
	}
	projections := make(map[string]*expr.Projection, len(names))
	for _, name := range names {
		r := items[name]
		p := projection{r.AttributesToGet, expr.Request{Projection: r.ProjectionExpression, Names: r.ExpressionAttributeNames}}
		if err := p.checkPresence(); err != nil {
			return nil, err
		}
		for _, k := range r.Keys {
			if err := k.Check(); err != nil {
				return nil, err
			}
		}
		var err error
		if projections[name], err = s.project(p); err != nil {
			return nil, err
		}
		if hasDuplicates(r.Keys, sentKey) {
			return nil, errDuplicateKeys
		}
	}
	return projections, nil
}

// checkBatchMixing refuses AttributesToGet for one table beside ProjectionExpression for another.
func checkBatchMixing(items map[string]ddb.KeysAndAttributes) error {
	var legacy, modern bool
	for _, r := range items {
		legacy = legacy || r.AttributesToGet != nil
		modern = modern || r.ProjectionExpression != nil
	}
	return expr.CheckMixing(present(member{"AttributesToGet", legacy}), present(member{"ProjectionExpression", modern}))
}

var errDuplicateKeys = api.Invalid("Provided list of item keys contains duplicates")

func sentKey(k attr.SentItem) []byte { return k.Item }

// batchReads finds the tables and the keys of their items, in the order of names.
func (s *Service) batchReads(c *api.Call, names []string, items map[string]ddb.KeysAndAttributes, projections map[string]*expr.Projection) ([]store.Read, error) {
	tables, err := s.openAll(c, names)
	if err != nil {
		return nil, err
	}
	reads := make([]store.Read, 0, maxBatchGet)
	for i, name := range names {
		for _, k := range items[name].Keys {
			key, err := tables[i].ParseKey(k.Item)
			if err != nil {
				return nil, err
			}
			reads = append(reads, store.Read{Table: tables[i], Key: key, Projection: projections[name]})
		}
	}
	for i, name := range names {
		if err := checkProjection(tables[i], projections[name]); err != nil {
			return nil, err
		}
	}
	return reads, nil
}

// shapeBatch answers with what was found, in the order of names; keys that did not fit come back as unprocessed.
func shapeBatch(in *ddb.BatchGetItemInput, names []string, found []store.Found) *ddb.BatchGetItemOutput {
	out := &ddb.BatchGetItemOutput{
		Responses:       make(map[string][]attr.Item, len(names)),
		UnprocessedKeys: map[string]ddb.KeysAndAttributes{},
	}
	var b bill
	for _, name := range names {
		r := in.RequestItems[name]
		done := found[:min(len(r.Keys), len(found))]
		found = found[len(done):]
		items := make([]attr.Item, 0, len(done))
		for _, f := range done {
			if f.Item != nil {
				items = append(items, f.Item)
			}
		}
		b.addReads(name, done, capacity.ReadMode(isTrue(r.ConsistentRead)))
		out.Responses[name] = items
		if len(done) < len(r.Keys) {
			r.Keys = r.Keys[len(done):]
			out.UnprocessedKeys[name] = r
		}
	}
	out.ConsumedCapacity = b.consumed(in.ReturnConsumedCapacity, plain)
	return out
}
