package dynamodb

import (
	"iter"
	"slices"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// checkScalarPaths refuses document paths that lead into key attributes, which are scalars.
func checkScalarPaths(d *table.Definition, paths iter.Seq[expr.Path]) error {
	for p := range paths {
		if len(p) < 2 {
			continue
		}
		if _, ok := d.Schema.Find(p[0].Name); ok {
			return api.Invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: %s", p[0].Name)
		}
		for i := range d.Indexes {
			if _, ok := d.Indexes[i].Schema.Find(p[0].Name); ok && d.Indexes[i].Kept() {
				return api.Invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: %s", p[0].Name)
			}
		}
	}
	return nil
}

// checkProjection refuses projected paths into key attributes.
func checkProjection(d *table.Definition, p *expr.Projection) error {
	if p == nil {
		return nil
	}
	return checkScalarPaths(d, slices.Values(p.Paths()))
}

// checkWrite is step K of a write, after its key: what its update and its condition do with key attributes.
func checkWrite(w *store.Write) error {
	if w.Update != nil {
		if err := checkUpdate(w.Table, w.Update); err != nil {
			return err
		}
	}
	if w.Condition == nil {
		return nil
	}
	return checkScalarPaths(w.Table, w.Condition.Paths())
}

// checkUpdate refuses updates of key attributes, those that give an index key another type, and paths into either.
func checkUpdate(d *table.Definition, u *expr.Update) error {
	for _, p := range u.Targets() {
		if _, ok := d.Schema.Find(p[0].Name); ok {
			return api.Invalid(invalidValues+"Cannot update attribute %s. This attribute is part of the key", p[0].Name)
		}
	}
	if err := d.CheckIndexTypes(u.TypeOf); err != nil {
		return err
	}
	return checkScalarPaths(d, u.Paths())
}
