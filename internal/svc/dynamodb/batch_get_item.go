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
	reads, owners, err := s.batchReads(c, names, in.RequestItems, projections)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.GetAll(ctx, reads, false, maxBatchGetBytes)
	if err != nil {
		return nil, err
	}
	return shapeBatch(in, names, owners, found), nil
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
		if hasDuplicates(r.Keys) {
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

func hasDuplicates(keys []attr.SentItem) bool {
	seen := make(map[string]bool, len(keys))
	for _, k := range keys {
		if seen[string(k.Item)] {
			return true
		}
		seen[string(k.Item)] = true
	}
	return false
}

// batchReads finds the tables and their keys; owners names the table of each read as the request does.
func (s *Service) batchReads(c *api.Call, names []string, items map[string]ddb.KeysAndAttributes, projections map[string]*expr.Projection) (reads []store.Read, owners []string, err error) {
	tables, err := s.openAll(c, names)
	if err != nil {
		return nil, nil, err
	}
	for i, name := range names {
		for _, k := range items[name].Keys {
			key, err := tables[i].ParseKey(k.Item)
			if err != nil {
				return nil, nil, err
			}
			reads = append(reads, store.Read{Table: tables[i], Key: key, Projection: projections[name]})
			owners = append(owners, name)
		}
	}
	for i, name := range names {
		if err := checkProjection(tables[i], projections[name]); err != nil {
			return nil, nil, err
		}
	}
	return reads, owners, nil
}

// shapeBatch answers with what was found; keys that did not fit come back as unprocessed.
func shapeBatch(in *ddb.BatchGetItemInput, names, owners []string, found []store.Found) *ddb.BatchGetItemOutput {
	out := &ddb.BatchGetItemOutput{
		Responses:       make(map[string][]attr.Item, len(names)),
		UnprocessedKeys: map[string]ddb.KeysAndAttributes{},
	}
	for _, name := range names {
		out.Responses[name] = []attr.Item{}
	}
	var b bill
	for i, f := range found {
		name := owners[i]
		b.of(name).table += capacity.Read(f.Size, capacity.ReadMode(isTrue(in.RequestItems[name].ConsistentRead)))
		if f.Item != nil {
			out.Responses[name] = append(out.Responses[name], f.Item)
		}
	}
	at := 0
	for _, name := range names {
		r := in.RequestItems[name]
		if done := min(max(len(found)-at, 0), len(r.Keys)); done < len(r.Keys) {
			at += len(r.Keys)
			r.Keys = r.Keys[done:]
			out.UnprocessedKeys[name] = r
			continue
		}
		at += len(r.Keys)
	}
	out.ConsumedCapacity = b.consumed(in.ReturnConsumedCapacity, plain)
	return out
}
