package dynamodb

import (
	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/table"
)

// open finds the table that a data operation is about. It must not be on its way in or out.
func (s *Service) open(c *api.Call, sent *string) (*table.Definition, error) {
	name, err := tableName(c, *sent)
	if err != nil {
		return nil, err
	}
	d := s.Catalog.Get(name)
	if d == nil || d.Status == table.Creating || d.Status == table.Deleting {
		return nil, tableNotFound()
	}
	return d, nil
}

// openAll finds the tables of a batch: that one is missing is told before anything about the keys of others.
func (s *Service) openAll(c *api.Call, names []string) ([]*table.Definition, error) {
	tables := make([]*table.Definition, len(names))
	for i := range names {
		var err error
		if tables[i], err = s.open(c, &names[i]); err != nil {
			return nil, err
		}
	}
	return tables, nil
}
