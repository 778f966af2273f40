package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// collectionMetrics shapes ReturnItemCollectionMetrics=SIZE; nil where it was not asked for or the table has no local indexes.
func (s *Service) collectionMetrics(ctx context.Context, mode *string, d *table.Definition, k table.Key) (*ddb.ItemCollectionMetrics, error) {
	if !is(mode, "SIZE") || !d.HasLocal() {
		return nil, nil
	}
	size, err := s.Store.CollectionSize(ctx, d, k.Partition)
	if err != nil {
		return nil, err
	}
	low := float64(size / (1 << 30))
	return &ddb.ItemCollectionMetrics{
		ItemCollectionKey:   attr.Make(attr.Field{Name: d.Schema.Partition[0].Name, Value: k.Partition}),
		SizeEstimateRangeGB: []float64{low, low + 1},
	}, nil
}

// collections gathers the metrics of a call that writes to several collections, each once.
type collections struct {
	seen   map[string]bool
	shaped map[string][]ddb.ItemCollectionMetrics // by table, as the request names it
}

func (m *collections) add(ctx context.Context, s *Service, mode *string, tableName string, w *store.Write) error {
	one, err := s.collectionMetrics(ctx, mode, w.Table, w.Key)
	if err != nil || one == nil {
		return err
	}
	if m.seen == nil {
		m.seen, m.shaped = map[string]bool{}, map[string][]ddb.ItemCollectionMetrics{}
	}
	id := tableName + "\x00" + string(w.Key.Partition)
	if !m.seen[id] {
		m.seen[id] = true
		m.shaped[tableName] = append(m.shaped[tableName], *one)
	}
	return nil
}
