package dynamodb

import (
	"iter"
	"slices"

	"github.com/grammedb/gramme/internal/api"
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

// checkUpdateTargets refuses updates of key attributes, and paths into them and into index keys.
func checkUpdateTargets(d *table.Definition, u *expr.Update) error {
	if u == nil {
		return nil
	}
	for _, p := range u.Targets() {
		if _, ok := d.Schema.Find(p[0].Name); ok {
			return api.Invalid(invalidValues+"Cannot update attribute %s. This attribute is part of the key", p[0].Name)
		}
	}
	return checkScalarPaths(d, slices.Values(u.Targets()))
}
