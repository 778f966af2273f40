package dynamodb

import (
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

// How many indexes a table may have, and how many attributes its INCLUDE projections may name over all.
const (
	maxLocals    = 5
	maxGlobals   = 20
	maxProjected = 100
)

// addIndex appends an index with the projection sent to d.
func addIndex(d *table.Definition, ix table.Index, sent *ddb.Projection) (err error) {
	if ix.Projection, err = projectionOf(sent); err != nil {
		return err
	}
	if d.Index(ix.Name) != nil {
		return invalid("Duplicate index name: %s", ix.Name)
	}
	d.Indexes = append(d.Indexes, ix)
	return nil
}

func projectionOf(p *ddb.Projection) (table.Projection, error) {
	switch {
	case p.ProjectionType == nil:
		return table.Projection{}, invalid("Unknown ProjectionType: null")
	case *p.ProjectionType != "INCLUDE" && p.NonKeyAttributes != nil:
		return table.Projection{}, invalid("ProjectionType is %s, but NonKeyAttributes is specified", *p.ProjectionType)
	case *p.ProjectionType == "INCLUDE" && p.NonKeyAttributes == nil:
		return table.Projection{}, invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	}
	return table.Projection{Type: *p.ProjectionType, NonKey: p.NonKeyAttributes}, nil
}

// checkProjected holds the attributes that projections name to their limit.
func checkProjected(indexes []table.Index) error {
	n := 0
	for i := range indexes {
		n += len(indexes[i].Projection.NonKey)
	}
	if n > maxProjected {
		return invalid("Number of projected attributes over all indexes exceeds per-table limit of %d", maxProjected)
	}
	return nil
}
