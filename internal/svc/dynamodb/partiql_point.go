package dynamodb

import (
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
	"github.com/grammedb/gramme/internal/lang/partiql"
)

// A pointRead is a SELECT of one item by its key, as batches and transactions have them.
type pointRead struct {
	store.Read
	filter     *expr.Condition
	projection *expr.Projection
}

// planPointRead makes a read of a SELECT, or fails with noKey if it does not fix the whole key.
func planPointRead(d *table.Definition, b *partiql.Bound, noKey error) (pointRead, error) {
	if b.Index != "" {
		return pointRead{}, errIndexNamed
	}
	point, err := b.Point(namesOf(&d.Schema))
	if err == partiql.ErrNoKey {
		err = noKey
	}
	if err != nil {
		return pointRead{}, err
	}
	key, err := d.ParseKey(point.Key)
	if err != nil {
		return pointRead{}, err
	}
	if point.Condition != nil {
		if err := checkScalarPaths(d, point.Condition.Paths()); err != nil {
			return pointRead{}, err
		}
	}
	r := pointRead{store.Read{Table: d, Key: key}, point.Condition, b.Projection}
	return r, checkProjection(d, b.Projection)
}

// answer returns what the statement selects of what was found, nil for nothing.
func (r *pointRead) answer(f store.Found) attr.Item {
	if f.Item == nil || r.filter != nil && !r.filter.Eval(f.Item) {
		return nil
	}
	if r.projection == nil {
		return f.Item
	}
	return r.projection.Apply(f.Item)
}
